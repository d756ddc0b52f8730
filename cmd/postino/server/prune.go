package server

import (
	"context"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// pruner is a store that removes by itself what retention has done with.
type pruner interface {
	// Prune takes one short step, and reports whether the pass goes on.
	Prune(ctx context.Context, now time.Time, keep webhook.Retention) (more bool, err error)
}

const (
	betweenPasses = 10 * time.Minute
	betweenSteps  = 5 * time.Millisecond // so that other writers come first
)

// pruneNowAndThen makes one pass after the other, each at its leisure.
func (s *Server) pruneNowAndThen(ctx context.Context) {
	store, ok := s.store.(pruner)
	if !ok {
		return
	}
	wait := betweenPasses // the start has enough to do
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		more, err := store.Prune(ctx, s.clock.Now(), s.config.Retention)
		if err != nil && ctx.Err() == nil {
			s.config.Log.Error("remove what is old", "error", err)
		}
		if wait = betweenPasses; more {
			wait = betweenSteps
		}
	}
}

// prune makes a whole pass at once.
func (s *Server) prune(ctx context.Context) error {
	store, ok := s.store.(pruner)
	for more := ok; more; {
		var err error
		if more, err = store.Prune(ctx, s.clock.Now(), s.config.Retention); err != nil {
			return err
		}
	}
	return nil
}
