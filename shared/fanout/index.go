package fanout

import (
	"slices"
	"strings"

	"github.com/postino/postino/shared/webhook"
)

// index finds the subscriptions whose types fit an event's.
type index struct {
	heads  map[string]webhook.Head
	exact  map[string]map[string]bool // type → ids
	prefix map[string]map[string]bool // pattern without its "*" → ids; "" is everything but ours
}

func newIndex() *index {
	return &index{heads: map[string]webhook.Head{}, exact: map[string]map[string]bool{}, prefix: map[string]map[string]bool{}}
}

func (x *index) add(h webhook.Head) {
	x.heads[h.ID] = h
	x.each(h, func(m map[string]map[string]bool, key string) {
		if m[key] == nil {
			m[key] = map[string]bool{}
		}
		m[key][h.ID] = true
	})
}

func (x *index) remove(id string) {
	x.each(x.heads[id], func(m map[string]map[string]bool, key string) {
		if delete(m[key], id); len(m[key]) == 0 {
			delete(m, key)
		}
	})
	delete(x.heads, id)
}

// each visits the places of a head in the index.
func (x *index) each(h webhook.Head, visit func(m map[string]map[string]bool, key string)) {
	if len(h.Types) == 0 {
		visit(x.prefix, "")
	}
	for _, t := range h.Types {
		if p, ok := strings.CutSuffix(t, "*"); ok {
			visit(x.prefix, p)
		} else {
			visit(x.exact, t)
		}
	}
}

const ownPrefix = "postino." // the types of our own events

// match lists who gets the event, by id.
func (x *index) match(e webhook.Event) []webhook.PlanEntry {
	found := map[string]bool{}
	collect := func(ids map[string]bool) {
		for id := range ids {
			found[id] = true
		}
	}
	collect(x.exact[e.Type])
	for n := range len(e.Type) + 1 {
		if strings.HasPrefix(e.Type, ownPrefix) && n < len(ownPrefix) {
			continue
		}
		collect(x.prefix[e.Type[:n]])
	}
	if len(found) == 0 {
		return nil
	}
	entries := make([]webhook.PlanEntry, 0, len(found))
	for id := range found {
		entries = append(entries, webhook.PlanEntry{Subscription: id, Version: x.heads[id].Version})
	}
	slices.SortFunc(entries, func(a, b webhook.PlanEntry) int { return strings.Compare(a.Subscription, b.Subscription) })
	return entries
}
