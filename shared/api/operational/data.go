package operational

import (
	"strings"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// deliveryData is the data of postino.delivery.* events.
type deliveryData struct {
	Tenant       string            `json:"tenant"`
	Subscription subscriptionFacts `json:"subscription"`
	Event        eventData         `json:"event"`
	Delivery     deliveryFacts     `json:"delivery"`
	Attempt      *attemptFacts     `json:"attempt"` // the newest; null if there was none
}

// subscriptionData is the data of postino.subscription.* events.
type subscriptionData struct {
	Tenant       string            `json:"tenant"`
	Subscription subscriptionFacts `json:"subscription"`
	State        webhook.State     `json:"state"`
	Reason       *string           `json:"reason"` // why it was disabled; null once it is not any more
	DisabledAt   *string           `json:"disabled_at"`
}

type subscriptionFacts struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Host string `json:"host"` // and port, of its url; "" if the version is gone
}

type eventData struct {
	ID     string `json:"id"`
	Source string `json:"source"`
	Type   string `json:"type"` // "" if retention removed the event
}

type deliveryFacts struct {
	ID            string         `json:"id"`
	Status        webhook.Status `json:"status"`
	Reason        *string        `json:"reason"`
	Round         int            `json:"round"`
	Attempts      int            `json:"attempts"`
	CreatedAt     *string        `json:"created_at"`
	NextAttemptAt *string        `json:"next_attempt_at"`
}

// attemptFacts is an attempt without what was answered, and without words that
// came from outside.
type attemptFacts struct {
	Number     int     `json:"number"`
	Manual     bool    `json:"manual"`
	StartedAt  *string `json:"started_at"`
	DurationMS int64   `json:"duration_ms"`
	StatusCode int     `json:"status_code"`
	Error      *string `json:"error"`
}

func subscriptionOf(id string, s webhook.Subscription) subscriptionFacts {
	return subscriptionFacts{id, s.Name, host(s.URL)}
}

// host cuts host and port, which are always literal, out of a URL template: all
// else of it may hold data.
func host(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	if end := strings.IndexAny(rest, "/?#{"); end >= 0 {
		rest = rest[:end]
	}
	return rest
}

func attemptOf(a *webhook.Attempt) *attemptFacts {
	if a == nil {
		return nil
	}
	return &attemptFacts{a.Number, a.Manual, moment(a.StartedAt), a.DurationMS, a.StatusCode, orNull(string(a.Error))}
}

// moment is a time as the API shows it; nil, which is null, if it is zero.
func moment(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := webhook.FormatTime(t)
	return &text
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
