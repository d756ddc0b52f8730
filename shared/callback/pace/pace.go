// Package pace enforces a subscription's rate limit across many workers: it
// gives each delivery a turn.
//
// A subscription's time is one line of turns, an interval of 1/rate apart (the
// generic cell rate algorithm). Workers reserve stretches of it, as many turns
// as ask for one at the moment or as asked in the last second, so that a
// worker that is busy writes about once a second. Who gets a turn in the
// future waits for it; turns that nobody takes are lost.
package pace

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postino/postino/shared/language/weighed"
	"github.com/postino/postino/shared/webhook"
)

// How exact it is: within any time t, a subscription gets at most
// rate × (t + Near + stale) deliveries.
const (
	Near  = 250 * time.Millisecond // how long before its turn a delivery may go
	stale = 500 * time.Millisecond // how long after its time a turn can be taken
)

// How far ahead deliveries get turns of their own.
const (
	Horizon = 20 * time.Second // beyond it they wait in line, where a changed rate applies to them
	Far     = 10 * time.Minute // for one that had a turn already; less than queues can delay
)

// Reservations is where all workers take their turns from.
type Reservations interface {
	// Reserve: see delivery's Conditions.
	Reserve(ctx context.Context, sub webhook.SubscriptionRef, now, latest time.Time, length time.Duration) (begin time.Time, taken bool, err error)
}

// Pacer gives turns in one process. It is safe for concurrent use.
type Pacer struct {
	Store Reservations

	mu    sync.Mutex
	lanes *weighed.Cache[webhook.SubscriptionRef, *lane]
}

// Bounds of the subscriptions of which turns are held. Beyond them those in hand
// are given up, first of a tenant that has more than its share.
const (
	maxLanes   = 10_000
	ownedLanes = 2_500
	laneWeight = 256 // bytes
)

// Interval is the time between two turns at a rate per second.
func Interval(rate int) time.Duration { return time.Second / time.Duration(max(rate, 1)) }

// Turn returns when a delivery may go, hardly later than the horizon from now;
// false if all turns until then are taken.
func (p *Pacer) Turn(ctx context.Context, sub webhook.SubscriptionRef, rate int, now time.Time, horizon time.Duration) (at time.Time, ok bool, err error) {
	l := p.lane(sub, rate)
	l.asking.Add(1)
	defer l.asking.Add(-1)
	select {
	case l.gate <- struct{}{}:
		defer func() { <-l.gate }()
	case <-ctx.Done():
		return at, false, ctx.Err()
	}
	if l.forget(now); l.left == 0 && now.Before(l.full) && horizon <= Horizon {
		return at, false, nil
	}
	if l.left == 0 {
		if err := l.reserve(ctx, p.Store, sub, now, horizon); err != nil || l.left == 0 {
			return at, false, err
		}
	}
	return l.take(), true, nil
}

func (p *Pacer) lane(sub webhook.SubscriptionRef, rate int) *lane {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lanes == nil {
		const one = laneWeight + weighed.Overhead
		p.lanes = weighed.New[webhook.SubscriptionRef, *lane](maxLanes*one, ownedLanes*one, nil)
	}
	l, ok := p.lanes.Get(sub)
	if !ok || l.rate != rate {
		l = &lane{rate: rate, gate: make(chan struct{}, 1)}
		p.lanes.Put(sub.Tenant, sub, l, laneWeight)
	}
	return l
}

// lane is the turns of one subscription that this process holds.
type lane struct {
	rate   int
	asking atomic.Int64  // callers that have no turn yet
	gate   chan struct{} // held for all below
	next   time.Time     // the first turn in hand
	left   int           // how many are in hand
	full   time.Time     // until then nobody has turns to give
	second time.Time     // begin of the second in which turns are counted
	given  int           // in this second
	before int           // in the second before
}

// forget drops the turns in hand whose time has passed.
func (l *lane) forget(now time.Time) {
	for every := Interval(l.rate); l.left > 0 && now.Sub(l.next) > stale; l.left-- {
		l.next = l.next.Add(every)
	}
	if since := now.Sub(l.second); since >= time.Second || since < 0 {
		l.before = 0
		if since < 2*time.Second && since >= 0 {
			l.before = l.given
		}
		l.second, l.given = now, 0
	}
}

func (l *lane) take() time.Time {
	at := l.next
	l.next = at.Add(Interval(l.rate))
	l.left--
	l.given++
	return at
}

// fullFor is how long a process goes without asking after it was told that all
// turns are taken.
const fullFor = time.Second

// reserve takes turns for all who ask, or as many as were needed lately: of
// what was given in this very second only a quarter, because what a burst
// leaves over is lost.
func (l *lane) reserve(ctx context.Context, store Reservations, sub webhook.SubscriptionRef, now time.Time, horizon time.Duration) error {
	n := max(int(l.asking.Load()), l.before, l.given/2)
	n = max(1, min(n, l.rate))
	begin, taken, err := store.Reserve(ctx, sub, now, now.Add(horizon), time.Duration(n)*Interval(l.rate))
	switch {
	case err != nil:
		return fmt.Errorf("reserve turns of %s: %w", sub.ID, err)
	case taken:
		l.next, l.left = begin, n
	default:
		l.full = now.Add(min(fullFor, begin.Sub(now)-horizon))
	}
	return nil
}
