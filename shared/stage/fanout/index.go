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

	// Of those that ask for the profile and are part of no campaign, whose members
	// are looked at one by one: what they ask of the event alone, and all that they ask.
	askers, wholes pattern.Index[string]
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
	whole   *pattern.Pattern // the filter of a member of a campaign, if it asks more than the event; else nil

	campaign string
}

// faceWeight is what a face takes in its map, in bytes.
const faceWeight = 160

func newIndex() *index { return &index{heads: map[string]face{}} }

// weight is about how many bytes of memory the index takes.
func (x *index) weight() int {
	return x.entries.Weight() + x.askers.Weight() + x.wholes.Weight() + faceWeight*len(x.heads)
}

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
	if f.filters = slices.ContainsFunc(filters, func(p *pattern.Pattern) bool { return p != nil }); f.filters {
		x.filtered++
	}
	x.addItself(h, filters[0], &f)
	x.heads[h.ID] = f
	for i, c := range h.Cancels {
		x.entries.Add(place{h.ID, i}, c.Types, filters[i+1])
	}
	return nil
}

// addItself files the subscription's own types and filter.
func (x *index) addItself(h webhook.Head, filter *pattern.Pattern, f *face) {
	if filter != nil {
		switch event, asks := filter.OfEvent(); {
		case asks && h.Campaign == "":
			x.askers.Add(h.ID, h.Types, event)
			x.wholes.Add(h.ID, h.Types, filter)
			return
		case asks:
			f.whole, filter = filter, event
		}
	}
	x.entries.Add(place{h.ID, itself}, h.Types, filter)
}

func (x *index) remove(id string) {
	for i := range x.heads[id].cancels {
		x.entries.Remove(place{id, i})
	}
	x.entries.Remove(place{id, itself})
	x.askers.Remove(id)
	x.wholes.Remove(id)
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
	return inOrder(entries), conditions, nil
}

// asks reports whether the profile of the event's subject decides whether a
// subscription gets it, beside those that match lists.
func (x *index) asks(ctx context.Context, e *pattern.Event) (asks bool, err error) {
	if x.askers.Len() == 0 {
		return false, nil
	}
	_, err = x.askers.Judge(ctx, e, func(string, pattern.Verdict) bool {
		asks = true
		return false
	})
	return asks, err
}

// matchWhole adds to the entries those subscriptions that an event matches together
// with the profile of its subject. The entries are, and stay, by id.
func (x *index) matchWhole(ctx context.Context, e *pattern.Event, entries []webhook.PlanEntry) ([]webhook.PlanEntry, error) {
	before := len(entries)
	_, err := x.wholes.Judge(ctx, e, func(id string, v pattern.Verdict) bool {
		i, known := slices.BinarySearchFunc(entries[:before], id, func(entry webhook.PlanEntry, id string) int { return strings.Compare(entry.Subscription, id) })
		if !known {
			i = len(entries)
			entries = append(entries, webhook.PlanEntry{Subscription: id, Version: x.heads[id].version})
		}
		entries[i].CancelsOnly, entries[i].Costly = false, v == pattern.Costly
		return true
	})
	return inOrder(entries), err
}

// inOrder sorts entries by their subscriptions.
func inOrder(entries []webhook.PlanEntry) []webhook.PlanEntry {
	slices.SortFunc(entries, func(a, b webhook.PlanEntry) int { return strings.Compare(a.Subscription, b.Subscription) })
	return entries
}
