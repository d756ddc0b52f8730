// Package fetch fetches what a function needs from elsewhere, such as a key,
// beside its start.
package fetch

import (
	"context"
	"errors"
	"sync"
	"time"
)

// timeout bounds one fetch, and the wait for it.
const timeout = 5 * time.Second

var errHangs = errors.New("the running fetch does not end")

// Value is a value that is fetched beside the start, which it does not
// delay, and again at its use if that did not succeed. Those who ask at the same
// time wait for one fetch.
type Value[T any] struct {
	fetch func(context.Context) (T, error)

	mu     sync.Mutex
	value  T
	known  bool
	flight *running[T] // under way; nil for none
}

// running is a fetch under way.
type running[T any] struct {
	done  chan struct{}
	value T
	err   error
}

// Begin begins to fetch a value.
func Begin[T any](call func(context.Context) (T, error)) *Value[T] {
	f := &Value[T]{fetch: call}
	go f.Get()
	return f
}

// Get returns the value, within twice [timeout] whatever the fetch does.
func (f *Value[T]) Get() (none T, err error) {
	f.mu.Lock()
	if f.known {
		defer f.mu.Unlock()
		return f.value, nil
	}
	if f.flight == nil {
		f.flight = &running[T]{done: make(chan struct{})}
		go f.land(f.flight)
	}
	flight := f.flight
	f.mu.Unlock()
	select {
	case <-flight.done:
		return flight.value, flight.err
	case <-time.After(2 * timeout): // a call that looks at its context has ended long ago
		f.giveUp(flight)
		return none, errHangs
	}
}

// land carries a fetch out.
func (f *Value[T]) land(flight *running[T]) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	flight.value, flight.err = f.fetch(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	if flight.err == nil {
		f.value, f.known = flight.value, true
	}
	if f.flight == flight {
		f.flight = nil
	}
	close(flight.done)
}

// giveUp lets the next who asks begin anew.
func (f *Value[T]) giveUp(flight *running[T]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.flight == flight {
		f.flight = nil
	}
}
