package manage

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/measure/results"
	"github.com/postino/postino/shared/webhook"
)

// Results is what was counted of campaigns; see package results.
type Results interface {
	// Results lists what was counted from one time, included, to another, by hour or
	// by day, ascending. It may lag by seconds.
	Results(ctx context.Context, of webhook.ResultsOf, from, before time.Time, daily bool) ([]webhook.Results, error)
	// Sketches lists those of the days from one time, included, to another.
	Sketches(ctx context.Context, of webhook.ResultsOf, kind string, from, before time.Time) ([]webhook.Sketch, error)
}

// outcomes serves what came of campaigns and of their subscriptions.
type outcomes struct {
	*Handler
	Store     Results
	campaigns *campaigns
	versions  *versions
}

func (h *outcomes) routes() []httpapi.Route {
	query := []string{"after", "before", "by"}
	return []httpapi.Route{
		{Method: get, Pattern: campaignPath + "/results", Roles: manage, Query: query, Handle: h.ofCampaign},
		{Method: get, Pattern: subscriptionPath + "/results", Roles: manage, Query: query, Handle: h.ofSubscription},
	}
}

const (
	maxHourly = 31 * 24 * time.Hour
	maxDaily  = 400 * 24 * time.Hour
)

// resultsView is what was counted in a range of time.
type resultsView struct {
	Campaign     *string      `json:"campaign"`
	Subscription *string      `json:"subscription"` // null for all of the campaign's
	After        httpapi.Time `json:"after"`        // the first hour or day begins here
	Before       httpapi.Time `json:"before"`
	By           string       `json:"by"`
	Total        countsView   `json:"total"`
	Waiting      int64        `json:"waiting"` // now, for a delay or for quiet hours
	People       peopleView   `json:"people"`
	Lift         *liftView    `json:"lift"`  // null unless somebody was sent to and somebody held out
	Steps        []stepView   `json:"steps"` // hours or days in which something happened, ascending
}

type countsView struct {
	Matched   int64            `json:"matched"`
	Skipped   map[string]int64 `json:"skipped"` // by reason
	HeldOut   int64            `json:"held_out"`
	Sent      int64            `json:"sent"`
	Succeeded int64            `json:"succeeded"`
	Exhausted int64            `json:"exhausted"`
	Converted convertedView    `json:"converted"`
}

// convertedView is how many claims reached the goal, and what that was worth.
type convertedView struct {
	Sent         int64   `json:"sent"`
	HeldOut      int64   `json:"held_out"`
	Value        float64 `json:"value"`
	ValueHeldOut float64 `json:"value_held_out"`
}

type stepView struct {
	At httpapi.Time `json:"at"`
	countsView
}

// peopleView is about how many different people there were.
type peopleView struct {
	Matched          int64 `json:"matched"`
	HeldOut          int64 `json:"held_out"`
	Sent             int64 `json:"sent"`
	Converted        int64 `json:"converted"`
	ConvertedHeldOut int64 `json:"converted_held_out"`
}

// liftView compares those who were sent to with those held out.
type liftView struct {
	RateSent    float64   `json:"rate_sent"`
	RateHeldOut float64   `json:"rate_held_out"`
	Difference  float64   `json:"difference"`
	Interval    []float64 `json:"interval"` // of the difference, 95 %
	Relative    *float64  `json:"relative"` // null if nobody converted on one side
	RelativeTo  []float64 `json:"relative_interval"`
}

func (h *outcomes) ofCampaign(r *httpapi.Request) (httpapi.Response, error) {
	c, _, _, err := h.campaigns.ofPath(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	if c.Revision == 0 {
		return httpapi.Response{}, errNoCampaign
	}
	return h.show(r, c.CreatedAt, webhook.ResultsOf{Tenant: r.Tenant, Campaign: c.ID}, resultsView{Campaign: &c.ID})
}

func (h *outcomes) ofSubscription(r *httpapi.Request) (httpapi.Response, error) {
	s, err := h.versions.current(r.Context(), ref(r))
	if err != nil {
		return httpapi.Response{}, err
	}
	return h.show(r, s.CreatedAt, webhook.ResultsOf{Tenant: r.Tenant, Subscription: s.ID}, resultsView{Campaign: present(s.Campaign), Subscription: &s.ID})
}

func (h *outcomes) show(r *httpapi.Request, began time.Time, of webhook.ResultsOf, view resultsView) (httpapi.Response, error) {
	from, before, daily, err := h.span(r, began)
	if err != nil {
		return httpapi.Response{}, err
	}
	steps, err := h.Store.Results(r.Context(), of, from, before, daily)
	if err != nil {
		return httpapi.Response{}, fmt.Errorf("read results: %w", err)
	}
	view.After, view.Before, view.Steps = httpapi.Time(from), httpapi.Time(before), []stepView{}
	if view.By = "hour"; daily {
		view.By = "day"
	}
	total := map[string]int64{}
	for _, step := range steps {
		view.Steps = append(view.Steps, stepView{httpapi.Time(step.At), viewCounts(step.Counts)})
		for name, n := range step.Counts {
			total[name] += n
		}
	}
	view.Total, view.Lift = viewCounts(total), viewLift(total)
	if view.Waiting, err = h.waiting(r, of); err != nil {
		return httpapi.Response{}, err
	}
	view.People, err = h.people(r, of, from, before)
	return httpapi.OK(view), err
}

// span is the range that is asked for: all of it by day, or the last day by hour.
func (h *outcomes) span(r *httpapi.Request, began time.Time) (from, before time.Time, daily bool, err error) {
	listing, err := r.Listing()
	if err != nil {
		return from, before, false, err
	}
	var faults httpapi.Faults
	by := r.Query.Get("by")
	if daily = by != "hour"; by != "" && by != "hour" && by != "day" {
		faults.Add("by", `want "hour" or "day"`)
	}
	step, most, from, before := 24*time.Hour, maxDaily, listing.Page.After, listing.Page.Before
	if !daily {
		step, most = time.Hour, maxHourly
	}
	if before.IsZero() {
		before = h.now()
	}
	if from.IsZero() && daily {
		from = began
	} else if from.IsZero() {
		from = before.Add(-24 * time.Hour)
	}
	from, before = from.UTC().Truncate(step), before.UTC()
	if listing.Page.After.IsZero() && before.Sub(from) > most {
		from = before.Add(-most).Truncate(step).Add(step)
	}
	switch {
	case !from.Before(before):
		faults.Add("before", "want a time later than after")
	case before.Sub(from) > most+step:
		faults.Add("after", "want a range of at most %d days", most/(24*time.Hour))
	}
	return from, before, daily, faults.Err()
}

// waiting is how many deliveries wait now: all that began less all that ended.
func (h *outcomes) waiting(r *httpapi.Request, of webhook.ResultsOf) (n int64, err error) {
	now := h.now()
	days, err := h.Store.Results(r.Context(), of, now.Add(-maxDaily), now.Add(time.Hour), true)
	if err != nil {
		return 0, fmt.Errorf("read results: %w", err)
	}
	for _, day := range days {
		n += day.Counts[webhook.ResultWaiting]
	}
	return max(0, n), nil
}

func (h *outcomes) people(r *httpapi.Request, of webhook.ResultsOf, from, before time.Time) (view peopleView, err error) {
	for kind, into := range map[string]*int64{
		webhook.ResultMatched: &view.Matched, webhook.ResultHeldOut: &view.HeldOut, webhook.ResultSent: &view.Sent,
		webhook.ResultConverted: &view.Converted, webhook.ResultConvertedHeld: &view.ConvertedHeldOut,
	} {
		sketches, err := h.Store.Sketches(r.Context(), of, kind, from.Truncate(24*time.Hour), before)
		if err != nil {
			return view, fmt.Errorf("read people: %w", err)
		}
		if *into, err = results.People(sketches); err != nil {
			return view, err
		}
	}
	return view, nil
}

func viewCounts(counts map[string]int64) countsView {
	v := countsView{
		Matched: counts[webhook.ResultMatched], HeldOut: counts[webhook.ResultHeldOut], Sent: counts[webhook.ResultSent],
		Succeeded: counts[webhook.ResultSucceeded], Exhausted: counts[webhook.ResultExhausted], Skipped: map[string]int64{},
		Converted: convertedView{
			counts[webhook.ResultConverted], counts[webhook.ResultConvertedHeld],
			float64(counts[webhook.ResultValue]) / 1e6, float64(counts[webhook.ResultValueHeld]) / 1e6,
		},
	}
	for name, n := range counts {
		if reason, skipped := strings.CutPrefix(name, webhook.ResultSkipped); skipped {
			v.Skipped[reason] = n
		}
	}
	return v
}

func viewLift(counts map[string]int64) *liftView {
	sent := results.Group{Of: counts[webhook.ResultSent], Converted: counts[webhook.ResultConverted]}
	held := results.Group{Of: counts[webhook.ResultHeldOut], Converted: counts[webhook.ResultConvertedHeld]}
	l, ok := results.LiftOf(sent, held)
	if !ok {
		return nil
	}
	view := &liftView{
		RateSent: digits(sent.Rate()), RateHeldOut: digits(held.Rate()), Difference: digits(l.Difference),
		Interval: []float64{digits(l.Low), digits(l.High)},
	}
	if l.Relative != nil {
		relative := digits(l.Relative.Lift)
		view.Relative, view.RelativeTo = &relative, []float64{digits(l.Relative.Low), digits(l.Relative.High)}
	}
	return view
}

// digits keeps four digits behind the point, which is more than a sample tells.
func digits(x float64) float64 { return math.Round(x*1e4) / 1e4 }
