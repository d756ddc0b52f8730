package delivery

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postino/postino/shared/language/weighed"
)

// What a subscriber that is well costs is mostly waiting. One that fails at once,
// floods us, or has its deliveries set aside costs processor time and writes
// instead, as fast as workers come. So a tenant nearly all of whose recent work
// was trouble is strained: it begins little at a time. Work that goes on for
// longer than strainHold waits for somebody, and lets the next begin.
const (
	strainPlaces = 4                      // of one tenant's work that began less than strainHold ago
	strainHold   = 100 * time.Millisecond // of real time; so 40 hanging attempts a second may begin
	strained     = 800                    // of a thousand
	strainWeight = 512                    // bytes of what is known of a tenant
	maxStrained  = 10_000                 // tenants of which it is known
	strainMemory = 32                     // pieces of work that count
)

// strains knows how much trouble the tenants' recent work was. It is safe for
// concurrent use.
type strains struct {
	tenants *weighed.Cache[string, *strain]
	mu      sync.Mutex // while a tenant is added
}

// strain is one tenant's.
type strain struct {
	trouble atomic.Int32 // of a thousand; a count that is lost where two meet is no loss
	places  chan struct{}
}

func newStrains() *strains {
	const one = strainWeight + weighed.Overhead
	return &strains{tenants: weighed.New[string, *strain](maxStrained*one, one, nil)}
}

// of returns the tenant's strain.
func (s *strains) of(tenant string) *strain {
	if one, ok := s.tenants.Get(tenant); ok {
		return one
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	one, ok := s.tenants.Get(tenant)
	if !ok {
		one = &strain{places: make(chan struct{}, strainPlaces)}
		s.tenants.Put(tenant, tenant, one, strainWeight)
	}
	return one
}

// note counts a piece of work.
func (s *strain) note(trouble bool) {
	was, to := s.trouble.Load(), int32(0)
	if trouble {
		to = 1000
	}
	if step := (to - was) / strainMemory; step != 0 {
		s.trouble.Store(was + step)
	} else {
		s.trouble.Store(to)
	}
}

// begin waits for a place if the tenant is strained. The place is given back by
// end, or once the work waits for somebody.
func (s *strain) begin(ctx context.Context) (end func()) {
	if s.trouble.Load() < strained {
		return func() {}
	}
	select {
	case s.places <- struct{}{}:
	case <-ctx.Done():
		return func() {}
	}
	leave := sync.OnceFunc(func() { <-s.places })
	timer := time.AfterFunc(strainHold, leave)
	return func() {
		timer.Stop()
		leave()
	}
}
