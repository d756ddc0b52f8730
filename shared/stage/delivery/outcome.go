package delivery

import (
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/webhook"
)

// origin says what an attempt was made for.
type origin struct {
	lifecycle.Made
	head webhook.Head // of the subscription, when it was made
}

// closed tells what a delivery waits for while its subscription stands like
// that; "" means that it is open, or gone.
func closed(h webhook.Head) webhook.Waiting {
	switch {
	case h.State == webhook.Paused:
		return webhook.WaitPaused
	case h.State == webhook.Disabled:
		return webhook.WaitDisabled
	case h.Health.Breaker.Open():
		return webhook.WaitBreaker
	}
	return ""
}

// gone reports whether the delivery's subscription was deleted; another with
// the same id, born later, is not its own.
func gone(h webhook.Head, version int64) bool { return h.Version == 0 || h.Born > version }
