package manage

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/webhook"
)

// A test lasts as long as whoever is tested likes, up to its timeout. So a
// tenant has a few places for tests, which stand in the store: they are the same
// for all processes, and what is refused ends at once.
const (
	testPlaces = 8               // tests of one tenant at a time
	testHold   = 4 * time.Second // a place is taken for at least: two tests a second in the long run
	testGone   = time.Minute     // when a process that died gives its place back: beyond every test
	testFull   = time.Second     // how long a process believes that all places are taken
)

// trials remembers whose places were all taken a moment ago, so that a flood
// costs no writes. The zero value remembers nobody.
type trials struct {
	now func() time.Time // the real clock; nil means time.Now. It is real time that tests take

	mu   sync.Mutex
	full map[string]time.Time // until when, by tenant
}

func (t *trials) clock() time.Time {
	if t.now != nil {
		return t.now()
	}
	return time.Now()
}

func (t *trials) isFull(tenant string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.clock().Before(t.full[tenant])
}

func (t *trials) setFull(tenant string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock()
	for other, until := range t.full {
		if !now.Before(until) {
			delete(t.full, other)
		}
	}
	if t.full == nil {
		t.full = map[string]time.Time{}
	}
	t.full[tenant] = now.Add(testFull)
}

// beginTest takes one of the tenant's places until end is called, or refuses.
func (h *previews) beginTest(ctx context.Context, tenant string) (end func(), err error) {
	began, token, first := h.trials.clock(), rand.Text(), mathrand.IntN(testPlaces)
	refused := httpapi.TenantTestsFull.Problem("This tenant has too many tests in progress. Run at most 8 at once.").After(testHold)
	for i := range testPlaces {
		if h.trials.isFull(tenant) {
			return nil, refused // and full for no longer, however often it is asked
		}
		place := "test-" + strconv.Itoa((first+i)%testPlaces)
		ref := webhook.SubscriptionRef{Tenant: tenant}
		free, err := h.Store.Lease(ctx, ref, place, token, began, began.Add(testGone))
		if err != nil {
			return nil, fmt.Errorf("lease a place for a test: %w", err)
		}
		if free {
			return func() { h.endTest(ctx, ref, place, token, began) }, nil
		}
	}
	h.trials.setFull(tenant)
	return nil, refused
}

// endTest gives a place back. If that fails the place comes back by itself.
func (h *previews) endTest(ctx context.Context, ref webhook.SubscriptionRef, place, token string, began time.Time) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), testFull)
	defer cancel()
	now, until := h.trials.clock(), began.Add(testHold)
	if until.Before(now) {
		until = now
	}
	if _, err := h.Store.Lease(ctx, ref, place, token, now, until); err != nil {
		h.log().Warn("end test", "tenant", ref.Tenant, "cause", err)
	}
}
