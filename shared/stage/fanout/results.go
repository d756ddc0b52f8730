package fanout

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/people/campaign"
	"github.com/postino/postino/shared/webhook"
)

// results counts what becomes of campaigns.
type results struct{ *Fanout }

// Results counts what campaigns lead to; see package results.
type Results interface {
	// Count adds to a count of a campaign, and of its subscription if that is not
	// "", for a subject.
	Count(tenant, campaign, subscription, subject, name string, n int64)
}

// count counts for a subscriber's campaign, if it has one.
func (f *results) count(r *rendering, s *subscriber, name string, n int) {
	if f.Results != nil && s.Campaign != "" && n != 0 {
		f.Results.Count(s.Tenant, s.Campaign, s.ID, r.event.Subject, name, int64(n))
	}
}

// countMatched counts an entry of a plan that is carried out for the first time.
func (f *results) countMatched(r *rendering, p planned) {
	switch {
	case !r.fresh || p.CancelsOnly && p.Why == "":
		return
	case p.Why != "":
		f.count(r, p.subscriber, webhook.ResultSkipped+string(p.Why), 1)
	}
	f.count(r, p.subscriber, webhook.ResultMatched, 1)
}

// countDelivered counts what no trigger decides, if it is carried out for the first
// time: a delivery, or why there is none.
func (f *Fanout) countDelivered(r *rendering, s *subscriber, why webhook.Reason) {
	switch {
	case !r.fresh:
	case why != "":
		f.results.count(r, s, webhook.ResultSkipped+string(why), 1)
	default:
		f.results.count(r, s, webhook.ResultSent, 1)
	}
}

// countDecision counts what was decided, if it was now.
func (f *triggers) countDecision(t *triggering, d trigger.Decision, now, waited bool) {
	if !now {
		return
	}
	if waited {
		f.results.count(t.rendering, t.subscriber, webhook.ResultWaiting, -1)
	}
	f.results.count(t.rendering, t.subscriber, webhook.ResultWaiting, -d.Drops)
	f.results.count(t.rendering, t.subscriber, webhook.ResultSkipped+string(webhook.ReasonNotDue), d.Drops)
	name := webhook.ResultSkipped + string(d.Reason)
	switch {
	case d.Do == trigger.Send:
		name = webhook.ResultSent
	case d.Do == trigger.Wait:
		name = webhook.ResultWaiting
	case d.Reason == webhook.ReasonHoldout:
		name = webhook.ResultHeldOut
	}
	f.results.count(t.rendering, t.subscriber, name, 1)
}

// countCanceled counts delays that an event has ended.
func (f *results) countCanceled(r *rendering, s *subscriber, n int) {
	f.count(r, s, webhook.ResultWaiting, -n)
	f.count(r, s, webhook.ResultSkipped+string(webhook.ReasonCanceledBy), n)
}

// converts has an event convert what campaigns have sent to its subject, or held
// out, and whose goal it is. Doing it twice changes nothing.
func (f *results) converts(ctx context.Context, e webhook.Event, out *outgoing) error {
	if e.Subject == "" || e.Only != "" || e.History != 0 {
		return nil
	}
	all, err := out.definitions(ctx, e.Tenant)
	if err != nil || len(all.Campaigns()) == 0 {
		return err
	}
	var decoded *pattern.Event
	for _, id := range slices.Sorted(maps.Keys(all.Campaigns())) {
		c := all.Campaign(id)
		if c.Goal == nil || !pattern.TypesMatch(c.Goal.Types, e.Type) {
			continue
		}
		if decoded == nil {
			if decoded, err = trigger.DecodeEvent(e); err != nil {
				return err
			}
		}
		if !c.Goal.Meets(e.Type, decoded) {
			continue
		}
		if err := f.convert(ctx, c, e, decoded); err != nil {
			return fmt.Errorf("goal of campaign %s: %w", id, err)
		}
	}
	return nil
}

func (f *results) convert(ctx context.Context, c *campaign.Campaign, e webhook.Event, decoded *pattern.Event) error {
	var n trigger.Converted
	err := f.crowds.Change(ctx, []webhook.StateRef{c.Common().GoalRef(e.Tenant, e.Subject)}, func(items []webhook.StateItem) ([]webhook.StateItem, error) {
		changed, converted, err := c.Common().Convert(items[0], e, f.now())
		if n = converted; changed == nil {
			return nil, err
		}
		return []webhook.StateItem{*changed}, nil
	})
	if err != nil || f.Results == nil {
		return err
	}
	value := valueOf(c.Goal, decoded)
	for _, counted := range []struct {
		name string
		n    int64
	}{
		{webhook.ResultConverted, int64(n.Sent)}, {webhook.ResultConvertedHeld, int64(n.Held)},
		{webhook.ResultValue, value * int64(n.Sent)}, {webhook.ResultValueHeld, value * int64(n.Held)},
	} {
		if counted.n != 0 {
			f.Results.Count(e.Tenant, c.ID, "", e.Subject, counted.name, counted.n)
		}
	}
	return nil
}

// maxValue is the most that one conversion is worth: sums stay exact.
const maxValue = 1e9

// valueOf is what a conversion is worth, in millionths; 0 without a number.
func valueOf(g *campaign.Goal, decoded *pattern.Event) int64 {
	if g.Value == nil {
		return 0
	}
	v, _ := decoded.Lookup(*g.Value)
	x, err := strconv.ParseFloat(v.Text, 64)
	if v.Kind != pattern.Number || err != nil || math.Abs(x) > maxValue {
		return 0
	}
	return int64(math.Round(x * 1e6))
}
