package manage

import (
	"context"
	"strconv"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/measure/histogram"
	"github.com/postino/postino/shared/measure/stats"
	"github.com/postino/postino/shared/webhook"
)

// statistics serves what was counted of deliveries.
type statistics struct {
	*Handler
	Store Stats
}

func (h *statistics) routes() []httpapi.Route {
	return []httpapi.Route{
		{Method: get, Pattern: tenantPath + "/stats", Roles: manage, Query: []string{"subscription", "after", "before"}, Handle: h.get},
	}
}

// Stats is what was counted of deliveries; see package stats.
type Stats interface {
	// Stats lists the hours in which something was counted of a subscription,
	// or of the whole tenant if its id is "", from one time, included, to
	// another, ascending. It may lag by a second.
	Stats(ctx context.Context, sub webhook.SubscriptionRef, from, before time.Time) ([]webhook.Stats, error)
}

const (
	defaultStats = 24 * time.Hour
	maxStats     = 31 * 24 * time.Hour // 744 hours are one answer
)

// statsView is what was counted in a range of hours.
type statsView struct {
	Subscription *string      `json:"subscription"` // null for the whole tenant
	After        httpapi.Time `json:"after"`        // the first hour begins here
	Before       httpapi.Time `json:"before"`
	Total        figuresView  `json:"total"`
	Hours        []hourView   `json:"hours"` // those in which something happened, ascending
}

type hourView struct {
	Hour httpapi.Time `json:"hour"`
	figuresView
}

type figuresView struct {
	Deliveries struct {
		Succeeded int64 `json:"succeeded"`
		Exhausted int64 `json:"exhausted"`
		Canceled  int64 `json:"canceled"`
	} `json:"deliveries"` // that ended
	Attempts struct {
		Made   int64                        `json:"made"`
		Failed map[webhook.ErrorClass]int64 `json:"failed"`
	} `json:"attempts"`
	AttemptMS  *percentilesView `json:"attempt_ms"`    // null if there was none
	EndToEndMS *percentilesView `json:"end_to_end_ms"` // of deliveries whose first attempt succeeded
}

type percentilesView struct {
	Count int64   `json:"count"`
	P50   float64 `json:"p50"`
	P95   float64 `json:"p95"`
	P99   float64 `json:"p99"`
}

// get shows what became of deliveries, by hour.
func (h *statistics) get(r *httpapi.Request) (httpapi.Response, error) {
	listing, err := r.Listing()
	if err != nil {
		return httpapi.Response{}, err
	}
	from, before := h.hours(listing.Page.After, listing.Page.Before)
	id := r.Query.Get("subscription")
	var faults httpapi.Faults
	if r.Query.Has("subscription") && !subscription.ValidID(id) {
		faults.Add("subscription", "%s", subscription.IDSyntax)
	}
	if !from.Before(before) {
		faults.Add("before", "want a time later than after")
	} else if before.Sub(from) > maxStats+time.Hour {
		faults.Add("after", "want a range of at most 31 days")
	}
	if err := faults.Err(); err != nil {
		return httpapi.Response{}, err
	}
	hours, err := h.Store.Stats(r.Context(), webhook.SubscriptionRef{Tenant: r.Tenant, ID: id}, from, before)
	if err != nil {
		return httpapi.Response{}, err
	}
	view := statsView{Subscription: present(id), After: httpapi.Time(from), Before: httpapi.Time(before), Hours: []hourView{}}
	var total stats.Figures
	for _, hour := range hours {
		var f stats.Figures
		f.Add(hour.Counts)
		total.Add(hour.Counts)
		view.Hours = append(view.Hours, hourView{httpapi.Time(hour.Hour), viewFigures(f)})
	}
	view.Total = viewFigures(total)
	return httpapi.OK(view), nil
}

// hours is the range of hours meant: the last day, as far as nothing else
// is said, each hour whole at its beginning.
func (h *statistics) hours(after, before time.Time) (from, until time.Time) {
	if before.IsZero() {
		before = h.now()
		if !after.IsZero() && after.Add(maxStats).Before(before) {
			before = after.Add(maxStats)
		}
	}
	if after.IsZero() {
		after = before.Add(-defaultStats)
	}
	return after.UTC().Truncate(time.Hour), before.UTC()
}

// errorClasses are all there are.
var errorClasses = []webhook.ErrorClass{
	webhook.ErrorStatus, webhook.ErrorDNS, webhook.ErrorConnect, webhook.ErrorTLS, webhook.ErrorTimeout, webhook.ErrorReset,
	webhook.ErrorRefused, webhook.ErrorAuth,
}

func viewFigures(f stats.Figures) (v figuresView) {
	v.Deliveries.Succeeded, v.Deliveries.Exhausted, v.Deliveries.Canceled = f.Succeeded, f.Exhausted, f.Canceled
	v.Attempts.Made, v.Attempts.Failed = f.Attempts, map[webhook.ErrorClass]int64{}
	for _, class := range errorClasses {
		v.Attempts.Failed[class] = f.Failed[class]
	}
	v.AttemptMS, v.EndToEndMS = viewPercentiles(f.Attempt), viewPercentiles(f.EndToEnd)
	return v
}

func viewPercentiles(c histogram.Counts) *percentilesView {
	n := c.Total()
	if n == 0 {
		return nil
	}
	ms := func(p float64) float64 { return rounded(float64(c.Percentile(p)) / float64(time.Millisecond)) }
	return &percentilesView{Count: n, P50: ms(0.50), P95: ms(0.95), P99: ms(0.99)}
}

// rounded keeps three digits, which is more than a histogram knows.
func rounded(x float64) float64 {
	short, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 3, 64), 64)
	if err != nil {
		return x
	}
	return short
}
