package fanout_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// known checks what is known of each subject in the end.
func (j *judge) known() {
	found, err := j.h.store.Profiles(context.Background(), j.h.tenant, j.subjects)
	if err != nil {
		j.wrong("profiles: %v", err)
	}
	for _, subject := range j.subjects {
		got, kept := face{}, map[string]struct {
			V json.RawMessage
			S []json.RawMessage
		}{}
		if p := found[subject]; len(p.Computed) > 0 && json.Unmarshal(p.Computed, &kept) != nil {
			j.wrong("%s has the profile %s", subject, p.Computed)
		}
		for name, k := range kept {
			got[name] = string(k.V)
			if k.S != nil {
				set, _ := json.Marshal(k.S)
				got[name] = string(set)
			}
		}
		if want := j.face(subject, len(j.h.log)); fmt.Sprint(got) != fmt.Sprint(want) {
			j.wrong("%s has the attributes %v, want %v", subject, got, want)
		}
	}
}

// outcomes checks that what was to be sent was sent, once and as the profile was, and
// nothing else, and that nothing waits for ever.
func (j *judge) outcomes() {
	for name, l := range j.lanes {
		if len(l.pending) > 0 || len(l.waits) > 0 {
			j.wrong("%s: %d delays and %d quiet hours never ended", name, len(l.pending), len(l.waits))
		}
	}
	for pair, gets := range j.gets {
		r, e := j.role(pair[0]), j.events[pair[1]]
		outcome, decided := j.ended[pair]
		if r.campaign == "" && r.shape.trigger == "" {
			decided = gets && e.History == 0
			if outcome = "sent"; e.bare && !r.emits || !decided {
				outcome = ""
			}
		} else if gets && !decided && !r.marksNothing() {
			j.wrong("%s never decided for %s", r.id, e.ID)
		}
		if r.marksNothing() {
			continue
		}
		if r.emits {
			if made := j.links[pair] != nil; made != (outcome == "sent" && e.Depth < webhook.MaxDepth) {
				j.wrong("%s for %s of depth %d: %q, and an event was made: %v", r.id, e.ID, e.Depth, outcome, made)
			}
			continue
		}
		j.call(r, e, outcome == "sent")
	}
}

// marksNothing reports that only a claim tells what was decided.
func (r *role) marksNothing() bool {
	return r.campaign == "" && r.shape.once && r.shape.every == 0 && r.shape.at == 0 && r.shape.delay == 0
}

// call checks the one call of a subscription for an event.
func (j *judge) call(r *role, e *happening, is bool) {
	f, sent := j.sent[[2]string{r.id, e.Key()}]
	n := j.frozen[e.Key()]["n"]
	if n == "" {
		n = "null"
	}
	switch {
	case sent != is:
		j.wrong("%s for %s: sent: %v, want %v", r.id, e.ID, sent, is)
	case sent && e.History != 0:
		j.wrong("%s sent %s, which is of the past", r.id, e.ID)
	case sent && f.Body != `{"n":`+n+`}`:
		j.wrong("%s sent %s for %s, want n %s", r.id, f.Body, e.ID, n)
	}
}

// emitted checks that nothing was sent beside what the model knows.
func (j *judge) emitted() {
	for pair := range j.sent {
		if !j.gets[pair] {
			j.wrong("%s sent %s, which it does not get", pair[0], pair[1])
		}
	}
}

// tell counts what became of the events of a history.
func (c *cast) tell(outcomes map[string]int) {
	for _, entry := range c.h.log {
		if e := entry.event; e != nil {
			outcomes[fmt.Sprint("a chain of ", e.Depth)]++
			for _, p := range e.Plan.Entries {
				outcomes[string(p.Why)]++
			}
		}
		for _, item := range entry.items {
			var n struct {
				noted
				Quiet bool `json:"w"`
			}
			if !strings.HasPrefix(item.Part, "M#") || json.Unmarshal(item.Data, &n) != nil {
				continue
			}
			outcomes[n.Outcome]++
			if n.Quiet {
				outcomes["waited for the morning"]++
				if change := time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC); n.At.Before(change) && n.Due.After(change) {
					outcomes["put the clocks forward"]++
				}
			}
		}
	}
	if c.h.crashed > 0 {
		outcomes["a crash"]++
	}
}
