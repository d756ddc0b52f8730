package fanout_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/webhook"
)

// happen makes up the events of a cast and publishes them.
func (c *cast) happen() {
	h := c.h
	bare := h.rand.IntN(2) * h.rand.IntN(3)
	for i := range 3 + h.rand.IntN(12) {
		e := &happening{key: c.one(c.subjects...)}
		kind := c.one("study", "study", "study", "study", "consent", "order")
		e.bare = bare > 0 && h.rand.IntN(6) < bare
		e.Event = webhook.Event{
			Tenant: h.tenant, ID: fmt.Sprintf("e%d", h.rand.IntN(9)), Source: fmt.Sprintf("/s%d", h.rand.IntN(2)), Type: kind, Subject: e.key,
			Time: minTime(spring.Add(time.Duration(h.rand.IntN(24)-20)*hour), spring), Data: c.data(kind, e.bare), Nonce: fmt.Sprint("n", i),
			AcceptedAt: spring.Add(time.Duration(h.rand.IntN(3)) * time.Millisecond), Order: uint32(h.rand.IntN(3)<<16 | h.rand.IntN(3)),
		}
		if c.odds(5) {
			e.History = webhook.History(1 + h.rand.IntN(7))
			e.Time = e.Time.Add(-time.Duration(h.rand.IntN(48)) * hour)
		}
		e.starts, e.cancels = kind == "study", kind == "order" && e.History == 0
		if h.byKey[e.Key()] == nil {
			h.byKey[e.Key()] = e
			h.events = append(h.events, e)
		}
	}
	for rest := h.events; len(rest) > 0; {
		n := 1
		if c.odds(3) {
			n = min(len(rest), 1+h.rand.IntN(5))
		}
		h.publish(rest[:n])
		rest = rest[n:]
	}
	// From the time at which these histories begin, not that of others.
	for i := range h.queue {
		h.queue[i].at = h.queue[i].at.Add(spring.Sub(epoch))
	}
	h.rand.Shuffle(len(h.queue), func(i, j int) { h.queue[i], h.queue[j] = h.queue[j], h.queue[i] })
}

func (c *cast) data(kind string, bare bool) json.RawMessage {
	data := map[string]any{"site": c.one("rome", "york"), "v": 1, "tz": c.one("Europe/Rome", "America/New_York", "")}
	if bare {
		delete(data, "v")
	}
	switch kind {
	case "study":
		data["mode"], data["sum"] = c.one("cards", "match", "test", "learn"), c.h.rand.IntN(9)
	case "consent":
		data["consent"] = c.odds(2)
	}
	if data["tz"] == "" {
		delete(data, "tz")
	}
	text, _ := json.Marshal(data)
	return text
}

// look notes that a handling reads profiles.
func (c *cast) look(by *handling, subjects []string) {
	for _, subject := range subjects {
		l := look{subject, len(c.h.log), c.h.clock}
		if by.looks == nil {
			by.looks = map[string][]look{}
		}
		by.looks[subject] = append(by.looks[subject], l)
		if _, err := message.DecodeAs[message.Fire](by.body); err == nil {
			c.wakes = append(c.wakes, l)
		}
	}
}

// byTime compares as values of events are chosen: by their time, and as they were
// accepted.
func byTime(a, b webhook.Event) int {
	return cmp.Or(a.Time.Compare(b.Time), a.AcceptedAt.Compare(b.AcceptedAt), cmp.Compare(a.Order, b.Order), strings.Compare(a.Key(), b.Key()))
}

// face is what is known of a subject.
type face map[string]string

// face is what follows from the events of a subject that were stored by then.
func (c *cast) face(subject string, upto int) face {
	f := face{}
	var studies, consents []webhook.Event
	for _, entry := range c.h.log[:upto] {
		if e := entry.event; e != nil && e.Subject == subject && e.History.Feeds(webhook.HistoryAttributes) {
			switch e.Type {
			case "study":
				studies = append(studies, e.Event)
			case "consent":
				consents = append(consents, e.Event)
			case "chain":
				f["links"] = count(f["links"])
			}
		}
	}
	slices.SortFunc(studies, byTime)
	slices.SortFunc(consents, byTime)
	modes, total := map[string]bool{}, 0
	for i, e := range studies {
		d := detailsOf(e)
		total += d.Sum
		modes[d.Mode] = true
		f["n"], f["total"], f["mode"], f["modes"] = fmt.Sprint(i+1), fmt.Sprint(total), quoted(d.Mode), setOf(modes)
		if i == 0 {
			f["first"] = quoted(d.Mode)
		}
	}
	for _, e := range consents {
		d := detailsOf(e)
		f["consent"] = fmt.Sprint(d.Consent)
		if d.TZ != "" {
			f["tz"] = quoted(d.TZ)
		}
	}
	return f
}

// details are the data of an event.
type details struct {
	Mode, Site, TZ, By, Of string
	Sum                    int
	Consent                bool
}

func detailsOf(e webhook.Event) (d details) {
	if err := json.Unmarshal(e.Data, &d); err != nil {
		panic(err)
	}
	return d
}

func count(before string) string {
	n := 0
	fmt.Sscan(before, &n)
	return fmt.Sprint(n + 1)
}

func quoted(text string) string { return `"` + text + `"` }

func setOf(values map[string]bool) string {
	var all []string
	for v := range values {
		all = append(all, quoted(v))
	}
	slices.Sort(all)
	return "[" + strings.Join(all, ",") + "]"
}
