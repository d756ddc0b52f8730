package engine

import (
	"fmt"
	"os"
	"sync"

	"github.com/postino/postino/shared/webhook"
)

// syncer lets durable calls return once the disk has the log up to them. While
// it syncs for some, the writer writes the next.
type syncer struct {
	log   *writeLog
	flush func(*os.File) error // syncData, but in tests
	busy  stopwatch

	mu       sync.Mutex
	waiting  []*call
	err      error // the first failure
	stopping bool
	wake     chan struct{}
	stopped  chan struct{}
}

func startSyncer(log *writeLog) *syncer {
	s := &syncer{log: log, flush: syncData, wake: make(chan struct{}, 1), stopped: make(chan struct{})}
	go s.run()
	return s
}

// add hands over a call whose work is in the log.
func (s *syncer) add(c *call) {
	s.mu.Lock()
	s.waiting = append(s.waiting, c)
	s.mu.Unlock()
	s.signal()
}

func (s *syncer) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// failed returns the failure after which nothing more is written: what the
// disk has is unknown from then on, and a second sync would not tell.
func (s *syncer) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *syncer) run() {
	defer close(s.stopped)
	var synced []*call
	for range s.wake {
		s.mu.Lock()
		synced, s.waiting = s.waiting, synced[:0]
		stopping := s.stopping
		s.mu.Unlock()
		s.release(synced)
		if stopping {
			return
		}
	}
}

func (s *syncer) release(calls []*call) {
	if len(calls) == 0 {
		return
	}
	defer s.busy.begin()()
	err := s.failed()
	if err == nil {
		err = s.sync()
	}
	for i, c := range calls {
		c.err = err
		c.done <- struct{}{}
		calls[i] = nil
	}
}

func (s *syncer) sync() error {
	name, err := s.log.sync(s.flush)
	if err == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = fmt.Errorf("sync %s, restart when the disk is well: %w: %w", name, webhook.ErrBusy, err)
	return s.err
}

// stop returns when all calls were released.
func (s *syncer) stop() {
	s.mu.Lock()
	s.stopping = true
	s.mu.Unlock()
	s.signal()
	<-s.stopped
}
