package breaker_test

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/postino/postino/shared/callback/breaker"
	"github.com/postino/postino/shared/webhook"
)

var (
	acme = webhook.SubscriptionRef{Tenant: "acme", ID: "s"}
	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

func TestOnlyManyAttemptsOfWhichNearlyAllFailedOpenIt(t *testing.T) {
	for _, tt := range []struct {
		attempts, failed int
		want             bool
	}{
		{0, 0, false}, {19, 19, false}, {20, 20, true}, {20, 18, true}, {20, 17, false}, {1000, 899, false}, {1000, 900, true},
	} {
		if got := breaker.Default.Opens(webhook.Tally{Attempts: tt.attempts, Failed: tt.failed}); got != tt.want {
			t.Errorf("%d of %d failed: opens %v, want %v", tt.failed, tt.attempts, got, tt.want)
		}
	}
}

func TestProbesBackOffToFiveMinutes(t *testing.T) {
	b, now := breaker.Default.Open(acme, noon), noon
	for i, want := range []time.Duration{30, 60, 120, 240, 300, 300, 300} {
		want *= time.Second
		if wait := b.ProbeAt.Sub(now); wait < want*9/10 || wait > want*11/10 {
			t.Errorf("probe %d comes after %v, want %v or nearly so", i, wait, want)
		}
		now = b.ProbeAt
		b = breaker.Default.Claimed(b, acme, now)
		b = breaker.Default.Probed(b, false, now)
	}
	for range 1000 {
		b = breaker.Default.Claimed(b, acme, now)
	}
	if wait := b.ProbeAt.Sub(now); wait > 6*time.Minute {
		t.Errorf("after a thousand probes the next comes after %v", wait)
	}
}

func TestThreePassesInARowCloseIt(t *testing.T) {
	b := breaker.Default.Open(acme, noon)
	for i, passed := range []bool{true, true, false, true, true, true} {
		if !b.Open() {
			t.Fatalf("closed before probe %d", i)
		}
		b = breaker.Default.Claimed(b, acme, noon)
		if b = breaker.Default.Probed(b, passed, noon); passed && b.Open() && b.ProbeAt.After(noon) {
			t.Errorf("after probe %d passed the next waits until %v", i, b.ProbeAt)
		}
	}
	if b != (webhook.Breaker{}) {
		t.Errorf("after three passes it is %+v", b)
	}
}

func TestSuccessIsCountedInSilence(t *testing.T) {
	c := breaker.Counter{Rule: breaker.Default}
	for i := range 100_000 {
		at := noon.Add(time.Duration(i) * time.Millisecond)
		if news := c.Note(acme, false, at); news.Opens || news.Report != (webhook.Tally{}) {
			t.Fatalf("success %d reports %+v", i, news)
		}
	}
}

func TestAProcessThatCountsEnoughOpensByItself(t *testing.T) {
	c := breaker.Counter{Rule: breaker.Default}
	for i := range 20 {
		if news := c.Note(acme, true, noon); news.Opens != (i == 19) {
			t.Errorf("failure %d: opens %v", i+1, news.Opens)
		}
	}
	if news := c.Note(acme, true, noon); news.Opens {
		t.Error("one failure after it opened, it opens again")
	}
}

// TestReportsAreSecondsApartAndMissNothing plays random attempts in several
// processes. Whoever fails next after a second reports all that came before.
func TestReportsAreSecondsApartAndMissNothing(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		rule := breaker.Default
		rule.Attempts = 1 << 30 // none opens by itself
		c := breaker.Counter{Rule: rule}
		var made, told webhook.Tally
		last, now := time.Time{}, noon
		for range 300 {
			step := time.Duration(random.Int64N(int64(200 * time.Millisecond)))
			if rule.Start(now.Add(step)) != rule.Start(now) {
				made, told = webhook.Tally{}, webhook.Tally{}
				last = time.Time{}
			}
			now = now.Add(step)
			failed := random.IntN(3) > 0
			made.Attempts++
			if failed {
				made.Failed++
			}
			news := c.Note(acme, failed, now)
			if news.Report.Attempts == 0 {
				if failed && (last.IsZero() || now.Sub(last) >= time.Second) {
					t.Fatalf("seed %d: a failure %v after the last report is not reported", seed, now.Sub(last))
				}
				continue
			}
			if !last.IsZero() && now.Sub(last) < time.Second {
				t.Fatalf("seed %d: two reports within %v", seed, now.Sub(last))
			}
			last = now
			told.Attempts, told.Failed = told.Attempts+news.Report.Attempts, told.Failed+news.Report.Failed
			if told != made || !news.Window.Equal(rule.Start(now)) {
				t.Fatalf("seed %d: reported %+v in window %v, made %+v", seed, told, news.Window, made)
			}
		}
	}
}

// TestATenantWithManySubscriptionsMakesNoOtherForget: what was counted of a
// subscription stays while another tenant fails at more subscriptions than there
// is room for.
func TestATenantWithManySubscriptionsMakesNoOtherForget(t *testing.T) {
	c := breaker.Counter{Rule: breaker.Default}
	for range 19 {
		c.Note(acme, true, noon)
	}
	for n := range 30_000 {
		c.Note(webhook.SubscriptionRef{Tenant: "greedy", ID: strconv.Itoa(n)}, true, noon)
	}
	if news := c.Note(acme, true, noon); !news.Opens {
		t.Error("the twentieth failure does not open, want the nineteen before it still counted")
	}
}
