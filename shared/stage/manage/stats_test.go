package manage_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/measure/stats"
	"github.com/postino/postino/shared/webhook"
)

// measure counts some deliveries of acme as they come, at w's clock.
func measure(t *testing.T, w *world, sub string, succeeded, failed int) {
	t.Helper()
	r := &stats.Recorder{Store: w.store, Now: w.now}
	ref := webhook.SubscriptionRef{Tenant: "acme", ID: sub}
	for range succeeded {
		r.Attempt(ref, "", 20*time.Millisecond)
		r.Arrived(ref, 40*time.Millisecond)
		r.Ended(webhook.Delivery{Tenant: "acme", Subscription: sub, Status: webhook.Succeeded, EndedAt: w.now()})
	}
	for range failed {
		r.Attempt(ref, webhook.ErrorTimeout, 15*time.Second)
	}
	r.Close(t.Context())
}

type statsAnswer struct {
	Subscription  *string
	After, Before time.Time
	Total         figures
	Hours         []struct {
		Hour time.Time
		figures
	}
}

type figures struct {
	Deliveries map[string]int
	Attempts   struct {
		Made   int
		Failed map[string]int
	}
	AttemptMS  *struct{ Count, P50, P95, P99 float64 } `json:"attempt_ms"`
	EndToEndMS *struct{ Count, P50, P95, P99 float64 } `json:"end_to_end_ms"`
}

func (w *world) stats(t *testing.T, query string) (s statsAnswer) {
	t.Helper()
	w.must(t, 200, "GET", "/stats"+query, "").into(t, &s)
	return s
}

func TestStatsAreShownByHourForOneSubscriptionAndForAll(t *testing.T) {
	w := open(t) // at noon
	measure(t, w, "s1", 97, 3)
	measure(t, w, "s2", 10, 0)
	w.advance(3*time.Hour + 10*time.Minute)
	measure(t, w, "s1", 1, 0)
	all := w.stats(t, "")
	if all.Subscription != nil || !all.Before.Equal(w.now()) || !all.After.Equal(w.now().Add(-24*time.Hour).Truncate(time.Hour)) {
		t.Errorf("range %v to %v of %v", all.After, all.Before, all.Subscription)
	}
	if got := all.Total; got.Deliveries["succeeded"] != 108 || got.Attempts.Made != 111 || got.Attempts.Failed["timeout"] != 3 || len(got.Attempts.Failed) != 8 {
		t.Errorf("total %+v", got)
	}
	if got := all.Total.AttemptMS; got == nil || got.Count != 111 || got.P50 < 19 || got.P50 > 21 || got.P99 < 14_300 || got.P99 > 15_700 {
		t.Errorf("attempts took %+v, want 20 ms, and 15 s at worst", got)
	}
	if got := all.Total.EndToEndMS; got == nil || got.Count != 108 || got.P99 < 38 || got.P99 > 42 {
		t.Errorf("end to end took %+v, want 40 ms", got)
	}
	if len(all.Hours) != 2 || all.Hours[0].Hour.Hour() != 12 || all.Hours[1].Hour.Hour() != 15 || all.Hours[1].Attempts.Made != 1 {
		t.Errorf("hours %+v", all.Hours)
	}
	one := w.stats(t, "?subscription=s2")
	if one.Subscription == nil || *one.Subscription != "s2" || one.Total.Attempts.Made != 10 || len(one.Hours) != 1 {
		t.Errorf("of s2 %+v", one)
	}
	late := w.stats(t, "?after=2026-03-01T15:05:00Z&before=2026-03-01T15:06:00Z")
	if late.Total.Attempts.Made != 1 || !late.After.Equal(time.Date(2026, 3, 1, 15, 0, 0, 0, time.UTC)) {
		t.Errorf("in a part of an hour %+v, want the whole hour", late)
	}
	none := w.stats(t, "?subscription=never&before=2026-03-01T12:00:00Z")
	if len(none.Hours) != 0 || none.Total.AttemptMS != nil || none.Total.Deliveries["succeeded"] != 0 {
		t.Errorf("of nothing %+v", none)
	}
}

func TestARangeOfStatsIsBoundedAndInOrder(t *testing.T) {
	w := open(t)
	for query, field := range map[string]string{
		"after=2026-01-01T00:00:00Z&before=2026-02-01T00:00:00Z":     "",
		"after=2026-01-01T00:30:00Z&before=2026-02-01T00:30:00Z":     "",
		"after=2026-01-01T00:00:00Z":                                 "",
		"after=2026-01-01T00:00:00Z&before=2026-02-01T01:00:00.001Z": "after",
		"after=2026-03-02T00:00:00Z":                                 "before",
		"after=2026-01-01T05:00:00Z&before=2026-01-01T05:00:00Z":     "before",
		"after=2026-01-01T05:00:00Z&before=2026-01-01T04:00:00Z":     "before",
		"after=yesterday": "after",
		"subscription=":   "subscription",
		"subscription=" + strings.Repeat("a", 65): "subscription",
		"by=day":   "by",
		"limit=10": "limit",
		"after=2026-01-01T00:00:00Z&after=2026-01-01T00:00:00Z":              "after",
		fmt.Sprintf("subscription=%%2523&before=%s", "2026-03-01T00:00:00Z"): "subscription",
	} {
		status := 422
		if field == "" {
			status = 200
		}
		got := w.must(t, status, "GET", "/stats?"+query, "")
		if field != "" && !strings.Contains(string(got.body), `"field":"`+field+`"`) {
			t.Errorf("%s = %s, want %s named", query, got.body, field)
		}
	}
}
