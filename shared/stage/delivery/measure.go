package delivery

import (
	"time"

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

// measure counts an attempt that was recorded. That it ended its delivery was
// counted with that end.
func (d *Deliverer) measure(saved webhook.Delivery, r result) {
	d.Count("attempts", 1)
	d.Observe("attempt", r.took)
	if saved.Attempts > 1 {
		d.Count("retries", 1)
	}
	class := r.Attempt.Error
	if class != "" {
		d.Count("attempt_errors_"+string(class), 1)
	}
	d.Stats.Attempt(ref(saved), class, r.took)
	if saved.Status == webhook.Succeeded && saved.Attempts == 1 {
		d.Observe("end_to_end", d.Now().Sub(saved.CreatedAt))
		d.Stats.Arrived(ref(saved), d.Now().Sub(saved.CreatedAt))
	}
}
