package delivery

import "github.com/postino/postino/shared/webhook"

// measure counts an attempt, and the delivery's end if it led to that.
func (d *Deliverer) measure(before, saved webhook.Delivery, r result) {
	d.Count("attempts", 1)
	if saved.Attempts > 1 {
		d.Count("retries", 1)
	}
	if class := r.attempt.Error; class != "" {
		d.Count("attempt_errors_"+string(class), 1)
	}
	if saved.Status == webhook.Succeeded && saved.Attempts == 1 {
		d.Observe("end_to_end", d.Now().Sub(saved.CreatedAt))
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
}
