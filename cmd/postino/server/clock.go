package server

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/webhook"
)

// Clock is our clock: the real one, or one that stands still and is moved by
// hand. It is safe for concurrent use.
type Clock struct {
	mu    sync.RWMutex
	stood time.Time // where it stands; zero for the real clock

	skew func() time.Duration // added to the real clock; nil adds nothing
}

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.RLock()
	defer c.mu.RUnlock()
	switch {
	case !c.stood.IsZero():
		return c.stood
	case c.skew != nil:
		return time.Now().Add(c.skew())
	}
	return time.Now()
}

func (c *Clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stood = t
}

// maxAdvance bounds one move of the clock, so that its answer comes in time.
const maxAdvance = 400 * retry.Day

// advance answers POST /v1/clock {"advance":"1h"} when all that fell due
// meanwhile has been sent.
func (s *Server) advance(r *httpapi.Request) (httpapi.Response, error) {
	v, err := r.JSON()
	if err != nil {
		return httpapi.Response{}, err
	}
	var faults httpapi.Faults
	by := time.Duration(0)
	for name, value := range v.Members() {
		switch text, isText := value.Text(); {
		case name != "advance":
			faults.Unknown("", name, []string{"advance"})
		case !isText:
			faults.Add("advance", "want a duration")
		default:
			if by, err = retry.ParseDuration(text); err != nil {
				faults.Add("advance", "%v", err)
			} else if by > maxAdvance {
				faults.Add("advance", "want at most 400d")
			}
		}
	}
	if by == 0 && !faults.Any() {
		faults.Add("advance", `required, like "1h"`)
	}
	if err := faults.Err(); err != nil {
		return httpapi.Response{}, err
	}
	if err := s.Advance(r.Context(), by); err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.OK(map[string]string{"now": webhook.FormatTime(s.clock.Now())}), nil
}

// Advance moves a standing clock forward, from each moment at which something
// falls due to the next, and returns when all of it has been handled.
func (s *Server) Advance(ctx context.Context, by time.Duration) error {
	s.moving.Lock()
	defer s.moving.Unlock()
	target := s.clock.Now().Add(by)
	for {
		if err := s.settle(ctx); err != nil {
			return err
		}
		next, err := s.nextDue(ctx)
		if err != nil {
			return err
		}
		if next.IsZero() || next.After(target) {
			break
		}
		if err := s.moveTo(ctx, next); err != nil {
			return err
		}
	}
	if err := s.moveTo(ctx, target); err != nil {
		return err
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	s.results.Close(ctx)
	s.stats.Close(ctx) // who moves the clock wants to see what came of it
	return s.prune(ctx)
}

// unswept is how far behind the clock the low-water mark stays when it moves:
// as far as a sweep leaves it.
const unswept = 20 * time.Minute

// moveTo sets the clock, never back, to a time before which nothing is due: so
// a sweep need not look at each minute in between.
func (s *Server) moveTo(ctx context.Context, t time.Time) error {
	if mark := t.UTC().Truncate(time.Minute).Add(-unswept); mark.After(s.clock.Now()) {
		if err := s.store.RaiseLowWater(ctx, mark); err != nil {
			return err
		}
	}
	if t.After(s.clock.Now()) {
		s.clock.set(t)
	}
	s.queues.Poke()
	return nil
}

// settle sweeps and waits until nothing that is due is left.
func (s *Server) settle(ctx context.Context) error {
	if err := s.sweep.Sweep(ctx); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	const glance = 200 * time.Microsecond // between two looks; the work itself takes longer
	for !s.queues.Idle(s.clock.Now()) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(glance):
		}
	}
	return nil
}

// nextDue returns when the next thing happens: a delayed message, or a due
// pointer that a sweep must turn into one.
func (s *Server) nextDue(ctx context.Context) (time.Time, error) {
	next, found := s.queues.NextDue()
	due, err := s.store.NextDue(ctx)
	if err != nil {
		return time.Time{}, err
	}
	if !due.IsZero() && (!found || due.Before(next)) {
		return due, nil
	}
	if !found {
		return time.Time{}, nil
	}
	return next, nil
}

// Now returns the time by the server's clock.
func (s *Server) Now() time.Time { return s.clock.Now() }
