package delivery

import (
	"context"
	"log/slog"
	"time"

	"github.com/postino/postino/shared/callback/courier"
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/webhook"
)

// Statistics counts by tenant and subscription; see stats.Recorder.
type Statistics interface {
	Attempt(sub webhook.SubscriptionRef, class webhook.ErrorClass, took time.Duration)
	Ended(d webhook.Delivery)
	Arrived(sub webhook.SubscriptionRef, after time.Duration)
}

// noStatistics counts nothing.
type noStatistics struct{}

func (noStatistics) Attempt(webhook.SubscriptionRef, webhook.ErrorClass, time.Duration) {}
func (noStatistics) Ended(webhook.Delivery)                                             {}
func (noStatistics) Arrived(webhook.SubscriptionRef, time.Duration)                     {}

// Results counts what campaigns lead to; see package results.
type Results interface {
	// Count: see fanout's Results.
	Count(tenant, campaign, subscription, subject, name string, n int64)
}

// ended counts an end for the campaign of a subscription, if it has one. Replays are
// not counted: nobody counted them as sent.
func (d *meter) ended(del webhook.Delivery, sub *courier.Subscriber, effects lifecycle.Effects) {
	if d.Results == nil || sub.Campaign == "" || del.Occasion != "" || effects&lifecycle.Count == 0 {
		return
	}
	if name := map[webhook.Status]string{webhook.Succeeded: webhook.ResultSucceeded, webhook.Exhausted: webhook.ResultExhausted}[del.Status]; name != "" {
		d.Results.Count(del.Tenant, sub.Campaign, sub.ID, "", name, 1)
	}
}

// meter counts and logs attempts.
type meter struct{ *Deliverer }

// measure counts an attempt that was recorded. That it ended its delivery was
// counted with that end.
func (d *meter) measure(saved webhook.Delivery, r courier.Answer) {
	d.Count("attempts", 1)
	d.Observe("attempt", r.Took)
	if saved.Attempts > 1 {
		d.Count("retries", 1)
	}
	class := r.Attempt.Error
	if class != "" {
		d.Count("attempt_errors_"+string(class), 1)
	}
	d.Stats.Attempt(ref(saved), class, r.Took)
	if saved.Status == webhook.Succeeded && saved.Attempts == 1 {
		d.Observe("end_to_end", d.Now().Sub(saved.CreatedAt))
		d.Stats.Arrived(ref(saved), d.Now().Sub(saved.CreatedAt))
	}
}

// report writes the attempt's one line.
func (d *meter) report(del webhook.Delivery, sub *courier.Subscriber, r courier.Answer) {
	if !d.Log.Enabled(context.Background(), slog.LevelInfo) {
		return // the line's values cost more than the rest of this
	}
	d.Log.Info("attempt", "tenant", del.Tenant, "subscription", sub.ID, "delivery", del.ID, "event", del.EventID,
		"number", del.Attempts, "manual", r.Attempt.Manual, "status_code", r.Attempt.StatusCode, "error", string(r.Attempt.Error),
		"duration_ms", r.Attempt.DurationMS, "status", string(del.Status), "next_at", del.NextAt)
}
