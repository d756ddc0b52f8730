package trigger

import (
	"slices"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// maxGoals is how many claims of one subject can still lead to the goal of a
// campaign: of more, the newest.
const maxGoals = 64

// goals is the part GOAL: what a campaign has sent to a subject, or held out, and
// whether it led to the goal.
type goals struct {
	Claims []goalClaim `json:"c"` // oldest first
}

type goalClaim struct {
	At    int64  `json:"a"` // our clock, Unix milliseconds
	Event string `json:"e"` // what was sent for, or held out
	Held  bool   `json:"h,omitempty"`
	By    string `json:"b,omitempty"` // the event that was the goal; "" for none yet
}

// GoalRef names what a campaign has sent to a subject.
func (c *Common) GoalRef(tenant, subject string) webhook.StateRef {
	return webhook.StateRef{Tenant: tenant, Key: webhook.Hash(hashSize, "goal", c.Campaign, c.Life, subject), Part: partGoal}
}

// hopes reports whether what is sent for the event may lead to a goal.
func (o *Occurrence) hopes() bool {
	return o.spec.common != nil && o.spec.common.Goal > 0 && o.event.Subject != ""
}

// hope notes that something was sent, or held out.
func (o *Occurrence) hope(st *state, now time.Time, held bool) {
	if !o.hopes() {
		return
	}
	until := o.spec.common.Goal + kept
	old := slices.DeleteFunc(slices.Clone(st.goal.value.Claims), func(c goalClaim) bool { return time.UnixMilli(c.At).Add(until).Before(now) })
	all := append(old, goalClaim{now.UnixMilli(), o.eventKey, held, ""})
	st.goal.set(goals{all[max(0, len(all)-maxGoals):]}, now.Add(until))
}

// Converted is how many claims an event led to the goal.
type Converted struct{ Sent, Held int }

// Convert returns a GOAL as an event makes it that is the goal of the campaign: it
// converts each claim within whose time it is and that no event has converted. Of what
// came before a claim was made, nothing converts it, whatever its own time is. The item
// is nil if nothing changes.
func (c *Common) Convert(item webhook.StateItem, e webhook.Event, now time.Time) (*webhook.StateItem, Converted, error) {
	var p part[goals]
	var n Converted
	if err := p.decode(live([]webhook.StateItem{item}, now)[0]); err != nil {
		return nil, n, err
	}
	claims := slices.Clone(p.value.Claims)
	for i, claim := range claims {
		at := time.UnixMilli(claim.At)
		if claim.By != "" || claim.Event == e.Key() || e.AcceptedAt.Before(at) || e.Time.Before(at) || e.Time.After(at.Add(c.Goal)) {
			continue
		}
		claims[i].By = e.Key()
		if claim.Held {
			n.Held++
		} else {
			n.Sent++
		}
	}
	if n == (Converted{}) {
		return nil, n, nil
	}
	p.set(goals{claims}, p.item.Expires)
	items, err := p.changed(nil)
	if err != nil {
		return nil, n, err
	}
	return &items[0], n, nil
}
