// Package bell wakes those who wait for something of a subscription, within one
// process: a ring is heard by all who wait then, and by nobody later.
package bell

import (
	"sync"

	"github.com/postino/postino/shared/webhook"
)

// Bells has one bell for each subscription for which somebody waits. The zero
// value is ready. It is safe for concurrent use.
type Bells struct {
	mu     sync.Mutex
	bells  map[webhook.SubscriptionRef]*waited
	closed bool
}

type waited struct {
	rung    chan struct{}
	waiters int
}

// Wait returns what is closed at the next ring for sub, and at the end. Whoever
// waits calls leave when it waits no more.
func (b *Bells) Wait(sub webhook.SubscriptionRef) (rung <-chan struct{}, leave func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := b.bells[sub]
	if w == nil {
		w = &waited{rung: make(chan struct{})}
		if b.closed {
			close(w.rung)
			return w.rung, func() {}
		}
		if b.bells == nil {
			b.bells = map[webhook.SubscriptionRef]*waited{}
		}
		b.bells[sub] = w
	}
	w.waiters++
	return w.rung, func() { b.leave(sub, w) }
}

func (b *Bells) leave(sub webhook.SubscriptionRef, w *waited) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if w.waiters--; w.waiters == 0 && b.bells[sub] == w {
		delete(b.bells, sub)
	}
}

// Ring wakes all who wait for sub.
func (b *Bells) Ring(sub webhook.SubscriptionRef) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if w := b.bells[sub]; w != nil {
		close(w.rung)
		delete(b.bells, sub)
	}
}

// Close wakes everybody, and all who would wait from now on.
func (b *Bells) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, w := range b.bells {
		close(w.rung)
	}
	b.bells, b.closed = nil, true
}

// Closed reports whether Close was called.
func (b *Bells) Closed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed
}
