package delivery

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/webhook"
)

// gatherTime is how long what became of a first attempt waits for the others of
// its group. They have one subscriber, which answers them at about the same time.
const gatherTime = 250 * time.Millisecond

// gathering records first attempts of one [webhook.Group], which are made at the
// same time, in one call of the store. Where that has groups, it is paid for once
// for all of them. It is a [lifecycle.Store], safe for concurrent use.
type gathering struct {
	Deliveries
	mu     sync.Mutex
	groups map[groupKey]*gathered
}

type groupKey struct {
	ref   webhook.SubscriptionRef
	span  int64
	group webhook.Group
}

// gathered is a group of which first attempts are being made.
type gathered struct {
	making map[string]bool // ids of those that are not recorded yet
	saves  taken
	timer  *time.Timer
}

var _ lifecycle.Store = (*gathering)(nil)

func newGathering(store Deliveries) *gathering {
	return &gathering{Deliveries: store, groups: map[groupKey]*gathered{}}
}

// begin says that a first attempt is being made. The others of its group wait for
// it until it is recorded, or end is called.
func (g *gathering) begin(d webhook.Delivery) (end func()) {
	key := keyOf(d)
	if key.group == 0 {
		return func() {}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	its := g.groups[key]
	if its == nil {
		its = &gathered{making: map[string]bool{}}
		g.groups[key] = its
	}
	its.making[d.ID] = true
	return func() { g.end(key, its, d.ID) }
}

func keyOf(d webhook.Delivery) groupKey {
	return groupKey{webhook.SubscriptionRef{Tenant: d.Tenant, ID: d.Subscription}, webhook.GroupSpan(d.CreatedAt), webhook.GroupOf(d.ID)}
}

func (g *gathering) end(key groupKey, its *gathered, id string) {
	g.mu.Lock()
	if !its.making[id] {
		g.mu.Unlock()
		return
	}
	delete(its.making, id)
	if len(its.making) == 0 && g.groups[key] == its {
		delete(g.groups, key)
	}
	batch := its.take(false)
	g.mu.Unlock()
	g.save(context.Background(), batch)
}

// SaveDelivery saves what nobody waits for at once. The first that is recorded of
// a delivery waits for the others of its group, for a while.
func (g *gathering) SaveDelivery(ctx context.Context, d webhook.Delivery, with webhook.Parts) error {
	key := keyOf(d)
	g.mu.Lock()
	its := g.groups[key]
	if d.Rev > 0 || its == nil || !its.making[d.ID] {
		g.mu.Unlock()
		return g.Deliveries.SaveDelivery(ctx, d, with)
	}
	delete(its.making, d.ID)
	done := make(chan error, 1)
	its.saves = append(its.saves, waiting{webhook.Save{Delivery: d, With: with}, done})
	if its.timer == nil {
		its.timer = time.AfterFunc(gatherTime, func() { g.late(its) })
	}
	if len(its.making) == 0 {
		delete(g.groups, key)
	}
	batch := its.take(false)
	g.mu.Unlock()
	g.save(ctx, batch)
	return <-done // the time for saving is bounded
}

// late saves what has waited long enough.
func (g *gathering) late(its *gathered) {
	g.mu.Lock()
	batch := its.take(true)
	g.mu.Unlock()
	g.save(context.Background(), batch)
}

// taken is what is to be saved now, in the order of the ids: who came first at one
// moment is chance.
type taken []waiting

// waiting is an outcome that somebody wants to see saved.
type waiting struct {
	webhook.Save
	done chan error
}

// take takes what waits, if nobody else is to come, or nobody waits any longer.
func (its *gathered) take(late bool) (batch taken) {
	if len(its.making) > 0 && !late || len(its.saves) == 0 {
		return nil
	}
	batch = its.saves
	slices.SortFunc(batch, func(a, b waiting) int { return strings.Compare(a.Delivery.ID, b.Delivery.ID) })
	its.timer.Stop()
	its.saves, its.timer = nil, nil
	return batch
}

// save saves a batch, within the time that there is to record an attempt.
func (g *gathering) save(ctx context.Context, batch taken) {
	if len(batch) == 0 {
		return
	}
	saves := make([]webhook.Save, len(batch))
	for i, w := range batch {
		saves[i] = w.Save
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	errs := make([]error, len(batch))
	defer func() {
		if r := recover(); r != nil {
			errs = slices.Repeat([]error{fmt.Errorf("panic: %v", r)}, len(batch))
		}
		for i, w := range batch {
			w.done <- errs[i]
		}
	}()
	if failed := g.SaveDeliveries(ctx, saves); failed != nil {
		errs = failed
	}
}
