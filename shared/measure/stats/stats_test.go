package stats_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/measure/stats"
	"github.com/postino/postino/shared/webhook"
)

// memory adds up what it is given.
type memory struct {
	mu    sync.Mutex
	sums  map[string]int64 // by "tenant subscription hour name"
	calls int
	err   error
}

func (m *memory) AddStats(_ context.Context, s webhook.Stats) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	if m.err != nil {
		return m.err
	}
	if m.sums == nil {
		m.sums = map[string]int64{}
	}
	for name, n := range s.Counts {
		m.sums[fmt.Sprintf("%s %q %s %s", s.Tenant, s.Subscription, s.Hour.Format("15:04"), name)] += n
	}
	return nil
}

var sub = webhook.SubscriptionRef{Tenant: "acme", ID: "s"}

func ended(sub webhook.SubscriptionRef, status webhook.Status, at time.Time) webhook.Delivery {
	return webhook.Delivery{Tenant: sub.Tenant, Subscription: sub.ID, Status: status, EndedAt: at}
}

func TestWhatIsCountedIsStoredOnceByHourForSubscriptionAndTenant(t *testing.T) {
	store, now := &memory{}, time.Date(2026, 3, 1, 12, 59, 59, 0, time.FixedZone("", 3600))
	r := &stats.Recorder{Store: store, Now: func() time.Time { return now }}
	r.Attempt(sub, webhook.ErrorTimeout, 0)
	now = now.Add(time.Second)
	r.Attempt(sub, "", 0)
	r.Arrived(sub, 0)
	r.Ended(ended(sub, webhook.Succeeded, now))
	r.Ended(ended(webhook.SubscriptionRef{Tenant: "acme", ID: "s2"}, webhook.Canceled, now))
	r.Ended(ended(sub, webhook.Exhausted, now.Add(-time.Second))) // it is counted late
	r.Close(t.Context())
	r.Close(t.Context())
	want := map[string]int64{
		`acme "s" 11:00 attempts`: 1, `acme "s" 11:00 a0`: 1, `acme "s" 11:00 failed_timeout`: 1, `acme "s" 11:00 exhausted`: 1, `acme "" 11:00 exhausted`: 1,
		`acme "" 11:00 attempts`: 1, `acme "" 11:00 a0`: 1, `acme "" 11:00 failed_timeout`: 1,
		`acme "s" 12:00 attempts`: 1, `acme "s" 12:00 a0`: 1, `acme "s" 12:00 e0`: 1, `acme "s" 12:00 succeeded`: 1,
		`acme "" 12:00 attempts`: 1, `acme "" 12:00 a0`: 1, `acme "" 12:00 e0`: 1, `acme "" 12:00 succeeded`: 1,
		`acme "s2" 12:00 canceled`: 1, `acme "" 12:00 canceled`: 1,
	}
	if diff := cmp.Diff(want, store.sums); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
}

func TestStoringIsAtMostEveryTenSecondsAndWaitsForABusyStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory{}
		r := &stats.Recorder{Store: store}
		wrote := func(when string, rows int) {
			t.Helper()
			if store.calls != rows {
				t.Errorf("%s: %d rows were written, want %d", when, store.calls, rows)
			}
		}
		r.Flush(t.Context())
		wrote("nothing counted", 0)
		r.Ended(ended(sub, webhook.Succeeded, time.Now()))
		r.Flush(t.Context())
		wrote("at first", 2)
		r.Ended(ended(sub, webhook.Succeeded, time.Now()))
		time.Sleep(9 * time.Second)
		r.Flush(t.Context())
		wrote("after nine seconds", 2)
		store.err = fmt.Errorf("throttled: %w", webhook.ErrBusy)
		time.Sleep(time.Second)
		r.Flush(t.Context())
		wrote("after ten", 4)
		store.err = nil
		r.Ended(ended(sub, webhook.Succeeded, time.Now()))
		time.Sleep(10 * time.Second)
		r.Flush(t.Context())
		wrote("after twenty", 6)
		sum := int64(0)
		for place, n := range store.sums {
			if strings.HasPrefix(place, `acme "s"`) {
				sum += n
			}
		}
		if sum != 3 {
			t.Errorf("%d were stored, want 3: %v", sum, store.sums)
		}
	})
}

func TestFewCountsWaitWhereEachWriteIsPaidFor(t *testing.T) {
	for n, want := range map[int]int{1: 2, 200: 4} { // rows after ten seconds; the first two are written at once
		synctest.Test(t, func(t *testing.T) {
			store := &memory{}
			r := &stats.Recorder{Store: store, Spare: 30 * time.Second}
			count := func(n int) {
				for range n {
					r.Ended(ended(sub, webhook.Succeeded, time.Now()))
				}
				r.Flush(t.Context())
			}
			count(1)
			time.Sleep(10 * time.Second)
			count(n)
			if store.calls != want {
				t.Errorf("%d counts: %d rows after ten seconds, want %d", n, store.calls, want)
			}
			time.Sleep(20 * time.Second)
			count(1)
			if n == 1 && store.calls != 4 {
				t.Errorf("%d rows after thirty seconds, want 4", store.calls)
			}
		})
	}
}

// TestMemoryIsBoundedAndWhatIsLostIsSaid: one tenant has half of it, and those of
// another are there nevertheless.
func TestMemoryIsBoundedAndWhatIsLostIsSaid(t *testing.T) {
	var log strings.Builder
	store := &memory{err: webhook.ErrBusy}
	r := &stats.Recorder{Store: store, Log: slog.New(slog.NewTextHandler(&log, nil))}
	for i := range 30_000 {
		r.Ended(ended(webhook.SubscriptionRef{Tenant: "acme", ID: fmt.Sprint("s", i)}, webhook.Succeeded, time.Now()))
	}
	for i := range 5 {
		r.Ended(ended(webhook.SubscriptionRef{Tenant: "other", ID: fmt.Sprint("s", i)}, webhook.Succeeded, time.Now()))
	}
	r.Close(t.Context())
	if store.calls != 10_000+1+5+1 || !strings.Contains(log.String(), "lost=20000") {
		t.Errorf("%d rows, log %s, want 10,000 of one tenant, 5 of the other, and one for each tenant", store.calls, log.String())
	}
	store.err, store.calls = errors.New("injected"), 0
	r.Close(t.Context())
	r.Close(t.Context())
	if store.calls != 10_000+1+5+1 || !strings.Contains(log.String(), "injected") {
		t.Errorf("%d rows after a fault, log %s", store.calls, log.String())
	}
}

func TestFiguresAreWhatWasCounted(t *testing.T) {
	store := &memory{}
	r := &stats.Recorder{Store: store, Now: time.Now}
	for i := range 100 {
		class := webhook.ErrorClass("")
		if i%4 == 0 {
			class = webhook.ErrorRefused
		}
		r.Attempt(sub, class, time.Duration(i+1)*time.Millisecond)
	}
	r.Arrived(sub, time.Hour)
	for status, n := range map[webhook.Status]int{webhook.Succeeded: 3, webhook.Exhausted: 2, webhook.Canceled: 1} {
		for range n {
			r.Ended(ended(sub, status, time.Now()))
		}
	}
	r.Close(t.Context())
	counts := map[string]int64{"of a later version": 7, "": 1, "a": 1, "z9": 1}
	for place, n := range store.sums {
		if name := place[strings.LastIndexByte(place, ' ')+1:]; strings.HasPrefix(place, `acme "s"`) {
			counts[name] += n
		}
	}
	var f stats.Figures
	f.Add(counts)
	f.Add(counts)
	if f.Succeeded != 6 || f.Exhausted != 4 || f.Canceled != 2 || f.Attempts != 200 || f.Failed[webhook.ErrorRefused] != 50 {
		t.Errorf("figures %+v", f)
	}
	if p := f.Attempt.Percentile(0.95); f.Attempt.Total() != 200 || p < 91*time.Millisecond || p > 100*time.Millisecond {
		t.Errorf("%d attempts, p95 %v", f.Attempt.Total(), p)
	}
	if p := f.EndToEnd.Percentile(0.5); p < 57*time.Minute || p > 63*time.Minute {
		t.Errorf("end to end %v", p)
	}
}

// refusing refuses the rows of one subscription, "" for the tenant, once.
type refusing struct {
	memory
	subscription string
	done         bool
}

func (s *refusing) AddStats(ctx context.Context, st webhook.Stats) error {
	if st.Subscription == s.subscription && !s.done {
		s.done = true
		return webhook.ErrBusy
	}
	return s.memory.AddStats(ctx, st)
}

func TestWhatWasRefusedCountsOnceForSubscriptionAndTenant(t *testing.T) {
	for _, refused := range []string{"", "s"} {
		store, now := &refusing{subscription: refused}, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		r := &stats.Recorder{Store: store, Now: func() time.Time { return now }}
		r.Ended(ended(sub, webhook.Succeeded, now))
		r.Close(t.Context())
		r.Ended(ended(sub, webhook.Succeeded, now))
		r.Close(t.Context())
		want := map[string]int64{`acme "s" 12:00 succeeded`: 2, `acme "" 12:00 succeeded`: 2}
		if diff := cmp.Diff(want, store.sums); diff != "" {
			t.Errorf("refused %q: stored (-want +got):\n%s", refused, diff)
		}
	}
}
