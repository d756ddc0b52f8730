package fanout

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/webhook"
)

// index finds the subscriptions that an event matches, and those whose timers
// it cancels.
type index struct {
	heads    map[string]face
	filtered int // heads with a filter
	entries  pattern.Index[place]
}

// place is one entry of the index: a subscription's own types and filter, or
// those of one of its cancel clauses.
type place struct {
	id     string
	clause int // itself for the subscription, else the number of the clause
}

const itself = -1

// face is what matching needs of a head once its filters are compiled.
type face struct {
	version int64
	cancels int              // clauses
	filters bool             // one of its own, or of a clause
	whole   *pattern.Pattern // the filter, if it asks more than the event; else nil

	campaign string
}

// faceWeight is what a face takes in its map, in bytes.
const faceWeight = 160

func newIndex() *index { return &index{heads: map[string]face{}} }

// weight is about how many bytes of memory the index takes.
func (x *index) weight() int { return x.entries.Weight() + faceWeight*len(x.heads) }

// add files a subscription. Its filters were judged when it was saved, so an
// error is a fault of ours; the subscription then matches nothing.
func (x *index) add(h webhook.Head) error {
	filters := make([]*pattern.Pattern, 1+len(h.Cancels))
	for i := range filters {
		raw := h.Filter
		if i > 0 {
			raw = h.Cancels[i-1].Filter
		}
		if len(raw) == 0 {
			continue
		}
		p, err := pattern.CompileOver(pattern.WithProfile, raw, "filter")
		if err != nil {
			return fmt.Errorf("subscription %s of %s: %w", h.ID, h.Tenant, err)
		}
		filters[i] = p
	}
	f := face{version: h.Version, cancels: len(h.Cancels), campaign: h.Campaign}
	if filters[0] != nil {
		if event, asks := filters[0].OfEvent(); asks {
			f.whole, filters[0] = filters[0], event
		}
	}
	if f.filters = slices.ContainsFunc(filters, func(p *pattern.Pattern) bool { return p != nil }) || f.whole != nil; f.filters {
		x.filtered++
	}
	x.heads[h.ID] = f
	x.entries.Add(place{h.ID, itself}, h.Types, filters[0])
	for i, c := range h.Cancels {
		x.entries.Add(place{h.ID, i}, c.Types, filters[i+1])
	}
	return nil
}

func (x *index) remove(id string) {
	for i := range x.heads[id].cancels {
		x.entries.Remove(place{id, i})
	}
	x.entries.Remove(place{id, itself})
	if x.heads[id].filters {
		x.filtered--
	}
	delete(x.heads, id)
}

// match lists who gets the event, by id, and what some of them ask beside that. It
// ends with ctx, between two subscriptions.
func (x *index) match(ctx context.Context, e *pattern.Event) ([]webhook.PlanEntry, []condition, error) {
	found := map[string]*webhook.PlanEntry{}
	_, err := x.entries.Judge(ctx, e, func(p place, v pattern.Verdict) bool {
		entry := found[p.id]
		if entry == nil {
			entry = &webhook.PlanEntry{Subscription: p.id, Version: x.heads[p.id].version, CancelsOnly: true}
			found[p.id] = entry
		}
		switch {
		case v == pattern.Costly:
			entry.Costly, entry.CancelsOnly = true, false
		case p.clause == itself:
			entry.CancelsOnly = false
		default:
			entry.Cancels |= 1 << p.clause
		}
		return true
	})
	if len(found) == 0 || err != nil {
		return nil, nil, err
	}
	var conditions []condition
	entries := make([]webhook.PlanEntry, 0, len(found))
	for _, entry := range found {
		entries = append(entries, *entry)
		if whole := x.heads[entry.Subscription].whole; whole != nil {
			conditions = append(conditions, condition{entry.Subscription, whole, webhook.ReasonProfile})
		}
	}
	slices.SortFunc(entries, func(a, b webhook.PlanEntry) int { return strings.Compare(a.Subscription, b.Subscription) })
	return entries, conditions, nil
}
