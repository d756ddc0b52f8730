package main

import (
	"errors"
	"hash/maphash"
	"math"
	"slices"
	"sync/atomic"
	"time"
)

// ledger holds what was published and what arrived, by the event's number and
// the subscriber's. It takes a fixed number of events, and notes without locks.
type ledger struct {
	subscribers int
	begun       time.Time
	next        atomic.Int64   // number of the next event
	starts      []atomic.Int64 // by event: when its publishing began, or should have; 0 before
	arrivals    []atomic.Int64 // by event and subscriber: when it arrived first; 0 before
	ids         []atomic.Uint64
	accepted    atomic.Int64 // events that got 202
	refused     atomic.Int64 // that got something else, or no answer
	arrived     atomic.Int64 // without duplicates
	duplicates  atomic.Int64
	renamed     atomic.Int64 // duplicates under another webhook-id
	last        atomic.Int64 // when the newest arrival was
}

func newLedger(events, subscribers int) *ledger {
	return &ledger{
		subscribers: subscribers,
		begun:       time.Now(),
		starts:      make([]atomic.Int64, events),
		arrivals:    make([]atomic.Int64, events*subscribers),
		ids:         make([]atomic.Uint64, events*subscribers),
	}
}

// since is a time as the ledger notes it: nanoseconds since it was begun, and
// at least one.
func (l *ledger) since(t time.Time) int64 { return max(1, int64(t.Sub(l.begun))) }

// take returns the numbers first to first+n-1 for the next events; false when
// the ledger is full.
func (l *ledger) take(n int) (first int, ok bool) {
	end := l.next.Add(int64(n))
	return int(end) - n, end <= int64(len(l.starts))
}

// start notes when publishing of the event began.
func (l *ledger) start(event int, at time.Time) { l.starts[event].Store(l.since(at)) }

var seed = maphash.MakeSeed()

// arrive notes a verified callback.
func (l *ledger) arrive(event, subscriber int, id string, at time.Time) error {
	if event < 0 || event >= len(l.starts) || subscriber >= l.subscribers || l.starts[event].Load() == 0 {
		return errors.New("nobody published this event")
	}
	place, name := event*l.subscribers+subscriber, maphash.String(seed, id)
	if !l.arrivals[place].CompareAndSwap(0, l.since(at)) {
		l.duplicates.Add(1)
		if l.ids[place].Load() != name {
			l.renamed.Add(1)
		}
		return nil
	}
	l.ids[place].Store(name)
	l.arrived.Add(1)
	l.last.Store(l.since(at))
	return nil
}

// latencies returns, in ascending order, the time from each event's start to
// each of its arrivals, leaving out events that started before skip.
func (l *ledger) latencies(skip time.Duration) []time.Duration {
	return l.latenciesOf(skip, math.MaxInt64)
}

// latenciesOf is latencies of the events that started between two times.
func (l *ledger) latenciesOf(from, to time.Duration) []time.Duration {
	var all []time.Duration
	for event := range min(int(l.next.Load()), len(l.starts)) {
		start := l.starts[event].Load()
		if start == 0 || start < int64(from) || start >= int64(to) {
			continue
		}
		for s := range l.subscribers {
			if at := l.arrivals[event*l.subscribers+s].Load(); at > 0 {
				all = append(all, time.Duration(at-start))
			}
		}
	}
	slices.Sort(all)
	return all
}

// percentile returns the value below which a share of the sorted values lies;
// 0 if there are none.
func percentile(sorted []time.Duration, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}
