package manage

import (
	"cmp"
	"fmt"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/webhook"
)

// inWords says what reasons mean.
var inWords = map[webhook.Reason]string{
	webhook.ReasonType:          "the subscription does not ask for events of this type",
	webhook.ReasonFilter:        "the filter does not match",
	webhook.ReasonFilterCost:    "the filter needed too many steps",
	webhook.ReasonProfile:       "the profile does not meet the filter any more",
	webhook.ReasonNoKey:         "the event has no value for the trigger's key, or no time for its delay",
	webhook.ReasonDuplicate:     "an event that came before counts for this one too",
	webhook.ReasonNotDue:        "the trigger does not fire on this event",
	webhook.ReasonCanceledBy:    "canceled by another event",
	webhook.ReasonStale:         "the event was older than max_age, or the time of its delay was past",
	webhook.ReasonMissingField:  "a required field is absent or empty",
	webhook.ReasonMissingSecret: "a secret does not exist",
	webhook.ReasonOnce:          "it was sent before",
	webhook.ReasonCap:           "the cap is used up",
	webhook.ReasonAudience:      words[webhook.ReasonAudience],
	webhook.ReasonNotStarted:    words[webhook.ReasonNotStarted],
	webhook.ReasonEnded:         words[webhook.ReasonEnded],
	webhook.ReasonHoldout:       words[webhook.ReasonHoldout],
	webhook.ReasonQuiet:         words[webhook.ReasonQuiet],
	webhook.ReasonAbort:         "the template aborted",
	webhook.ReasonRenderError:   "the template failed",
	webhook.ReasonTooLarge:      "the request was too large",
	webhook.ReasonManual:        "canceled by hand",
	webhook.ReasonDeleted:       "the subscription was deleted",
	webhook.ReasonExpired:       "what was to be sent is not kept any more",
	webhook.ReasonGone:          "the subscriber answered that it is gone",
	webhook.ReasonPermanent:     "the subscriber refused for good",
	webhook.ReasonHistory:       "an event of the past: it counts, and nothing is sent",
	webhook.ReasonEmitted:       "an event was made of it",
	webhook.ReasonDepth:         "no event was made of it: five have followed from each other",
	webhook.ReasonChanged:       "the subscription did not select it when it came, and would now",
}

// waits says what deliveries wait for.
var waits = map[webhook.Waiting]string{
	webhook.WaitTimer:     "waits for its delay",
	webhook.WaitRetry:     "waits for its next attempt",
	webhook.WaitPaused:    "waits: the subscription is paused",
	webhook.WaitDisabled:  "waits: the subscription is disabled",
	webhook.WaitBreaker:   "waits: the subscriber fails, and its circuit breaker is open",
	webhook.WaitRateLimit: "waits for its turn under the rate limit",
	webhook.WaitQuiet:     "waits until quiet hours are over",
	"":                    "is being sent",
}

// moment is a time as people write it.
func moment(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04:05 UTC") }

// skip tells of an event that led to no delivery.
func (v *outcomeView) skip(d trigger.Decision, spec *trigger.Spec) {
	v.Outcome, v.Reason = outcomeSkipped, reason(d.Reason)
	if d.Count > 0 {
		v.Count = &d.Count
	}
	if spec != nil {
		v.Text = spec.InWords(d)
	}
	v.Text = cmp.Or(v.Text, inWords[d.Reason], string(d.Reason))
	switch {
	case d.Until.IsZero():
	case d.Reason == webhook.ReasonCap:
		v.Text = "capped until " + moment(d.Until)
	default:
		v.Text += ", and again from " + moment(d.Until)
	}
}

// foretold tells in words what would become of an event.
func foretold(d trigger.Decision, spec *trigger.Spec) string {
	switch {
	case d.Reason != "":
		var v outcomeView
		v.skip(d, spec)
		return v.Text
	case d.Do == trigger.Wait && d.Quiet:
		return "would wait until quiet hours are over, " + moment(d.Due)
	case d.Do == trigger.Wait:
		return "would wait for its delay until " + moment(d.Due)
	case d.Count > 0:
		return "would be sent: " + spec.Place(d.Count)
	}
	return "would be sent"
}

// delivered tells of a delivery.
func (v *outcomeView) delivered(d webhook.Delivery) {
	if d.Rev > 0 {
		v.Delivery = &d.ID
	}
	if d.Count > 0 {
		v.Count = &d.Count
	}
	v.Reason = reason(d.Reason)
	answered := ""
	if d.Last != nil {
		answered = answer(*d.Last)
		v.StatusCode = orNull(d.Last.StatusCode)
	}
	switch d.Status {
	case webhook.Succeeded:
		v.Outcome, v.Text = outcomeSent, "sent"+at(d.EndedAt)+answered
	case webhook.Exhausted:
		v.Outcome, v.Text = outcomeFailed, fmt.Sprintf("failed after %d attempts%s", d.Attempts, answered)
	case webhook.Canceled:
		v.Outcome, v.Text = outcomeSkipped, cmp.Or(inWords[d.Reason], string(d.Reason))
		if d.Detail != "" {
			v.Text += ": " + d.Detail
		}
	default:
		v.Outcome, v.Text = outcomeWaiting, cmp.Or(waits[d.Waiting], string(d.Waiting))
		v.Waiting = orNull(string(d.Waiting))
		if !d.NextAt.IsZero() {
			until := httpapi.Time(d.NextAt)
			v.Until = &until
			v.Text += " until " + moment(d.NextAt)
		}
		v.Text += answered
	}
}

func at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " on " + moment(t)
}

// answer is how an attempt went.
func answer(a webhook.Attempt) string {
	if a.StatusCode != 0 {
		return fmt.Sprintf(", answered with %d", a.StatusCode)
	}
	return ", " + cmp.Or(a.Detail, string(a.Error))
}
