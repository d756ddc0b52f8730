package setup

import (
	"context"
	"errors"
	"sync"
	"time"
)

// fetchTimeout bounds one fetch of a key, and the wait for it.
const fetchTimeout = 5 * time.Second

var errFetchHangs = errors.New("the running fetch does not end")

// fetched is a value that is fetched beside the start, which it does not
// delay, and again at its use if that did not succeed. Those who ask at the same
// time wait for one fetch.
type fetched[T any] struct {
	fetch func(context.Context) (T, error)

	mu     sync.Mutex
	value  T
	known  bool
	flight *fetch[T] // under way; nil for none
}

// fetch is one of them.
type fetch[T any] struct {
	done  chan struct{}
	value T
	err   error
}

func fetching[T any](call func(context.Context) (T, error)) *fetched[T] {
	f := &fetched[T]{fetch: call}
	go f.get()
	return f
}

// get returns the value, within twice [fetchTimeout] whatever the fetch does.
func (f *fetched[T]) get() (none T, err error) {
	f.mu.Lock()
	if f.known {
		defer f.mu.Unlock()
		return f.value, nil
	}
	if f.flight == nil {
		f.flight = &fetch[T]{done: make(chan struct{})}
		go f.land(f.flight)
	}
	flight := f.flight
	f.mu.Unlock()
	select {
	case <-flight.done:
		return flight.value, flight.err
	case <-time.After(2 * fetchTimeout): // a call that looks at its context has ended long ago
		f.giveUp(flight)
		return none, errFetchHangs
	}
}

// land carries a fetch out.
func (f *fetched[T]) land(flight *fetch[T]) {
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
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
func (f *fetched[T]) giveUp(flight *fetch[T]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.flight == flight {
		f.flight = nil
	}
}
