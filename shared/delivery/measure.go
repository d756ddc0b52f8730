package delivery

import (
	"time"

	"github.com/postino/postino/shared/webhook"
)

// Statistics counts by tenant and subscription; see stats.Recorder.
type Statistics interface {
	Attempt(sub webhook.SubscriptionRef, class webhook.ErrorClass, took time.Duration)
	Ended(sub webhook.SubscriptionRef, status webhook.Status)
	Arrived(sub webhook.SubscriptionRef, after time.Duration)
}

// noStatistics counts nothing.
type noStatistics struct{}

func (noStatistics) Attempt(webhook.SubscriptionRef, webhook.ErrorClass, time.Duration) {}
func (noStatistics) Ended(webhook.SubscriptionRef, webhook.Status)                      {}
func (noStatistics) Arrived(webhook.SubscriptionRef, time.Duration)                     {}

// measure counts an attempt, and the delivery's end if it led to that.
func (d *Deliverer) measure(before, saved webhook.Delivery, r result) {
	d.Count("attempts", 1)
	if saved.Attempts > 1 {
		d.Count("retries", 1)
	}
	class := r.attempt.Error
	if class != "" {
		d.Count("attempt_errors_"+string(class), 1)
	}
	d.Stats.Attempt(ref(saved), class, r.took)
	if saved.Status == webhook.Succeeded && saved.Attempts == 1 {
		d.Observe("end_to_end", d.Now().Sub(saved.CreatedAt))
		d.Stats.Arrived(ref(saved), d.Now().Sub(saved.CreatedAt))
	}
	if saved.Status != before.Status {
		d.measureEnd(saved)
	}
}

// measureEnd counts a delivery that has ended.
func (d *Deliverer) measureEnd(del webhook.Delivery) {
	switch del.Status {
	case webhook.Succeeded:
		d.Count("deliveries_succeeded", 1)
	case webhook.Exhausted:
		d.Count("deliveries_exhausted", 1)
	case webhook.Canceled:
		d.Count("deliveries_canceled", 1)
	}
	d.Stats.Ended(ref(del), del.Status)
}
