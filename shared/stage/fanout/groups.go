package fanout

import (
	"context"
	"strings"
	"sync"

	"github.com/postino/postino/shared/webhook"
)

// groups gives the events of a batch that go to the same subscriptions the same
// [webhook.Group]: their first attempts share messages, and their outcomes are
// recorded together. It is safe for concurrent use.
type groups struct {
	size int // events of one group, at most
	mu   sync.Mutex
	open map[alike]opened
}

// alike is what the events of one group have in common.
type alike struct {
	tenant        string
	span          int64
	subscriptions string
}

// opened is a group with the events that it has.
type opened struct {
	group  webhook.Group
	events int
}

func newGroups(size int) *groups { return &groups{size: size, open: map[alike]opened{}} }

// of returns the group of an event that goes to these subscriptions.
func (g *groups) of(e webhook.Event, subscriptions []string) webhook.Group {
	key := alike{e.Tenant, webhook.GroupSpan(e.AcceptedAt), strings.Join(subscriptions, " ")}
	g.mu.Lock()
	defer g.mu.Unlock()
	its := g.open[key]
	if its.events == 0 || its.events == g.size {
		its = opened{group: webhook.NewGroup(e)}
	}
	its.events++
	g.open[key] = its
	return its.group
}

// grouped notes in a plan with which group each of its deliveries goes. Only
// those to subscriptions that take every match have one: what a trigger leads
// to is known by less than the plan.
func (f *Fanout) grouped(ctx context.Context, all *groups, e webhook.Event, entries []webhook.PlanEntry) error {
	if all == nil {
		return nil
	}
	var places []int
	var ids []string
	place := map[string]int{}
	for i, entry := range entries {
		place[entry.Subscription] = i
	}
	err := f.versions.each(ctx, e.Tenant, entries, func(p planned) error {
		if !p.asks() {
			places, ids = append(places, place[p.ID]), append(ids, p.ID)
		}
		return nil
	})
	if err != nil || len(ids) == 0 {
		return err
	}
	group := all.of(e, ids)
	for _, i := range places {
		entries[i].Group = group
	}
	return nil
}
