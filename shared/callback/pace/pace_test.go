package pace_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/shared/callback/pace"
	"github.com/postino/postino/shared/webhook"
)

var (
	acme = webhook.SubscriptionRef{Tenant: "acme", ID: "s"}
	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

// book is where all workers reserve.
type book struct {
	mu    sync.Mutex
	until time.Time
	calls int
}

func (b *book) Reserve(_ context.Context, _ webhook.SubscriptionRef, now, latest time.Time, length time.Duration) (time.Time, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	begin := now
	if b.until.After(now) {
		begin = b.until
	}
	if begin.After(latest) {
		return begin, false, nil
	}
	b.until = begin.Add(length)
	return begin, true, nil
}

// play has workers ask for turns at a mean demand per second, and returns when
// deliveries went, in order, and how many found no turn.
func play(t *testing.T, b *book, seed uint64, workers, rate int, demand float64, length time.Duration) (went []time.Time, none int) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 3))
	pacers := make([]pace.Pacer, workers)
	for i := range pacers {
		pacers[i].Store = b
	}
	for now := noon; now.Sub(noon) < length; now = now.Add(time.Duration(random.ExpFloat64() / demand * float64(time.Second))) {
		at, ok, err := pacers[random.IntN(workers)].Turn(t.Context(), acme, rate, now, pace.Horizon)
		switch {
		case err != nil:
			t.Fatal(err)
		case !ok:
			none++
			continue
		case at.Sub(now) <= pace.Near:
			at = now
		}
		if at.Sub(now) > pace.Horizon+2*time.Second {
			t.Fatalf("a turn %v ahead", at.Sub(now))
		}
		went = append(went, at)
	}
	slices.SortFunc(went, time.Time.Compare)
	return went, none
}

// most returns the most that went within any time of a length.
func most(went []time.Time, within time.Duration) (n int) {
	first := 0
	for i, at := range went {
		for at.Sub(went[first]) >= within {
			first++
		}
		n = max(n, i-first+1)
	}
	return n
}

func TestNoTenSecondsHoldMoreThanTheRateAllows(t *testing.T) {
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 4))
		workers, rate := 1+random.IntN(60), 1+random.IntN(200)
		demand := float64(rate) * (0.2 + 3*random.Float64())
		went, _ := play(t, &book{}, seed, workers, rate, demand, 60*time.Second)
		if n, limit := most(went, 10*time.Second), float64(rate)*10.75+1; float64(n) > limit {
			t.Errorf("seed %d: %d workers at %d/s and a demand of %.0f/s: %d within ten seconds", seed, workers, rate, demand, n)
		}
	}
}

func TestAllTurnsAreUsedWhileMoreAreWanted(t *testing.T) {
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 5))
		workers, rate := 1+random.IntN(60), 5+random.IntN(200)
		went, none := play(t, &book{}, seed, workers, rate, 3*float64(rate), 90*time.Second)
		from, to := noon.Add(30*time.Second), noon.Add(80*time.Second)
		n := 0
		for _, at := range went {
			if !at.Before(from) && at.Before(to) {
				n++
			}
		}
		if n < rate*50*9/10 || none == 0 {
			t.Errorf("seed %d: %d workers at %d/s: %d within 50 seconds, %d found no turn", seed, workers, rate, n, none)
		}
	}
}

func TestALowDemandHardlyWaits(t *testing.T) {
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 6))
		workers, rate := 1+random.IntN(20), 50+random.IntN(200)
		b := &book{}
		went, none := play(t, b, seed, workers, rate, float64(rate)/2, 60*time.Second)
		if want := rate / 2 * 60; len(went) < want*9/10 || none > 0 {
			t.Errorf("seed %d: %d of about %d got turns, %d none", seed, len(went), want, none)
		}
		if last := went[len(went)-1].Sub(noon.Add(60 * time.Second)); last > time.Second {
			t.Errorf("seed %d: %d workers at half of %d/s end %v late", seed, workers, rate, last)
		}
	}
}

func TestABusyWorkerReservesAboutOnceASecond(t *testing.T) {
	const seconds = 60
	for _, rate := range []int{10, 100, 1000} {
		b := &book{}
		play(t, b, 1, 1, rate, float64(rate)*0.8, seconds*time.Second)
		if b.calls > 2*seconds+20 {
			t.Errorf("at %d/s: %d reservations in %d seconds", rate, b.calls, seconds)
		}
	}
	b := &book{}
	if _, none := play(t, b, 1, 1, 100, 1000, seconds*time.Second); b.calls > 2*seconds+60 || none == 0 {
		t.Errorf("overloaded: %d reservations in %d seconds, %d without a turn", b.calls, seconds, none)
	}
}

func TestConcurrentCallersShareAReservation(t *testing.T) {
	b := &book{}
	p := &pace.Pacer{Store: b}
	turns := make([]time.Time, 200)
	var wg sync.WaitGroup
	for i := range turns {
		wg.Go(func() {
			at, ok, err := p.Turn(t.Context(), acme, 100, noon, pace.Horizon)
			if err != nil || !ok {
				t.Errorf("turn: %v, %v", ok, err)
			}
			turns[i] = at
		})
	}
	wg.Wait()
	slices.SortFunc(turns, time.Time.Compare)
	for i, at := range turns {
		if want := noon.Add(time.Duration(i) * 10 * time.Millisecond); !at.Equal(want) {
			t.Fatalf("turn %d is at %v, want %v", i, at.Sub(noon), want.Sub(noon))
		}
	}
}

func TestAnotherRateHoldsAtOnce(t *testing.T) {
	p := &pace.Pacer{Store: &book{}}
	turn := func(rate int) time.Duration {
		at, _, err := p.Turn(t.Context(), acme, rate, noon, pace.Horizon)
		if err != nil {
			t.Fatal(err)
		}
		return at.Sub(noon)
	}
	turn(1)
	if second := turn(1); second != time.Second {
		t.Errorf("second turn at 1/s: %v", second)
	}
	first := turn(100)
	if second := turn(100); second-first != 10*time.Millisecond {
		t.Errorf("turns at 100/s: %v and %v", first, second)
	}
}

// apart keeps a book of acme alone, and lets all others have what they ask for.
type apart struct{ book }

func (a *apart) Reserve(ctx context.Context, sub webhook.SubscriptionRef, now, latest time.Time, length time.Duration) (time.Time, bool, error) {
	if sub != acme {
		return now, true, nil
	}
	return a.book.Reserve(ctx, sub, now, latest, length)
}

// TestATenantWithManySubscriptionsTakesNobodysTurns: turns in hand are kept while
// another tenant asks for turns of more subscriptions than there is room for.
func TestATenantWithManySubscriptionsTakesNobodysTurns(t *testing.T) {
	b := &apart{}
	p := &pace.Pacer{Store: b}
	turn := func(sub webhook.SubscriptionRef) time.Time {
		at, ok, err := p.Turn(t.Context(), sub, 100, noon, pace.Horizon)
		if err != nil || !ok {
			t.Fatalf("turn: %v, %v", ok, err)
		}
		return at
	}
	for range 20 {
		turn(acme) // then some are in hand
	}
	for n := range 20_000 {
		turn(webhook.SubscriptionRef{Tenant: "greedy", ID: strconv.Itoa(n)})
	}
	before := b.calls
	turn(acme)
	if b.calls != before {
		t.Error("turns in hand were given up, want them kept")
	}
}
