package storetest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// start is a recent full hour: near enough to now that no retention applies.
var start = time.Now().UTC().Truncate(time.Hour)

// nano is a moment that only a clock of nanoseconds can tell from others.
var nano = start.Add(123456789 * time.Nanosecond)

// subscription returns one with every field set.
func subscription(tenant, id string) webhook.Subscription {
	return webhook.Subscription{
		Tenant: tenant, ID: id, Name: "name of " + id, Description: "ünï <b>&amp;</b>\n\"quoted\"",
		Metadata: json.RawMessage(`{"plan":"gold","n":12345678901234567890.5,"z":null}`),
		URL:      "https://example.com/{{ subject }}?a=b#c", Portal: true,
		Auth:      &webhook.SealedAuth{Sealed: []byte{0, 255}, Shown: json.RawMessage(`{"type":"x"}`), Header: "x-y", TLS: true, Secrets: []string{"a"}, Reach: "token https://a:443", Portal: true},
		Signature: &webhook.SealedSignature{Sealed: []byte{1, 254}, Shown: json.RawMessage(`[{"preset":"x"}]`), Headers: []string{"x-z"}, Form: true, Secrets: []string{"b"}, Portal: true},
		Types:     []string{"flight.booked", "hotel.*"},
		Filter:    json.RawMessage(`{"data":{"amount":[{"numeric":[">=",1e400]}]}}`),
		Request:   &webhook.RequestSpec{Format: "cloudevents"},
		Trigger: json.RawMessage(`{"key":["subject","data.x"],"every":5,"within":"1d","delay":"1h",` +
			`"cancel":[{"types":["a.*"],"filter":{"data":{"n":[{"numeric":["<",1e400]}]}}},{"types":["b"],"key":"data.y"}]}`),
		TriggerEpoch: 1 << 41, MaxAge: "7d",
		Signing: "v1",
		Retry: webhook.RetrySpec{
			Schedule: []string{"5s", "5m"}, Timeout: "15s", Success: []string{"2xx", "409"}, Permanent: []string{"400"},
		},
		RateLimit: &webhook.RateLimit{PerSecond: 50},
		State:     webhook.Disabled, DisabledReason: "gone", DisabledAt: nano.Add(-time.Hour),
		Secrets: []webhook.SigningSecret{
			{Scheme: "v1", Sealed: []byte{0, 1, 255, '\n'}, Created: nano},
			{Scheme: "v1a", Sealed: []byte("old"), Public: "whpk_abc", Created: nano, Expires: nano.Add(time.Hour)},
		},
		CreatedAt: nano, UpdatedAt: nano.Add(time.Second),
	}
}

// event returns one with every field set but its plan.
func event(tenant, id string, accepted time.Time) webhook.StoredEvent {
	return webhook.StoredEvent{Event: webhook.Event{
		Tenant: tenant, ID: id, Source: webhook.DefaultSource(tenant), Type: "flight.booked", Subject: "user/ü",
		Time: accepted.Add(-123456789 * time.Nanosecond), AcceptedAt: accepted, Nonce: "nonce of " + id, History: webhook.HistoryCounts, Depth: 3,
		Data:       json.RawMessage(" { \"a\" : 1e400, \"id\": \"" + strings.ReplaceAll(id, `"`, "") + "\" }\n"),
		Extensions: json.RawMessage(`{"traceparent":"00-1","n":12345678901234567890}`),
	}}
}

// planned adds a plan that names the subscriptions, each in its version i+1.
func planned(e webhook.StoredEvent, subscriptions ...string) webhook.StoredEvent {
	e.Plan = webhook.Plan{Total: len(subscriptions)}
	for i, s := range subscriptions {
		e.Plan.Entries = append(e.Plan.Entries, webhook.PlanEntry{Subscription: s, Version: int64(i + 1)})
	}
	return e
}

// owed returns a fresh delivery of e to a subscription, not stored yet.
func owed(e webhook.StoredEvent, subscription string, status webhook.Status) webhook.Delivery {
	d := webhook.Delivery{
		Tenant: e.Tenant, ID: webhook.DeliveryID(e.Tenant, e.Key(), e.AcceptedAt, subscription, ""),
		EventID: e.ID, EventSource: e.Source, EventType: e.Type, Subscription: subscription, Version: 1,
		Status: status, CreatedAt: e.AcceptedAt,
	}
	switch status {
	case webhook.Pending:
		d.Waiting, d.NextAt = webhook.WaitRetry, e.AcceptedAt.Add(time.Minute)
	case webhook.Succeeded:
		d.EndedAt, d.Attempts, d.Last = e.AcceptedAt.Add(time.Second), 1, attempt(1)
	default:
		d.Reason, d.Detail, d.EndedAt = webhook.ReasonManual, "said \"so\", ü", e.AcceptedAt.Add(time.Second)
	}
	return d
}

// full returns a delivery with every field set.
func full(e webhook.StoredEvent, subscription string) webhook.Delivery {
	d := owed(e, subscription, webhook.Pending)
	d.Version, d.Occasion, d.Count, d.Reason = 1<<40, "occasion #1|ü", 7, webhook.ReasonExpired
	d.ID = webhook.DeliveryID(e.Tenant, e.Key(), e.AcceptedAt, subscription, d.Occasion)
	d.Round, d.Step, d.Attempts, d.Digest = 2, 3, 14, "0a1b"
	d.NextAt, d.EndedAt, d.WaitingSince = nano.Add(time.Hour), nano.Add(2*time.Hour), nano.Add(3*time.Hour)
	d.Last = attempt(14)
	d.Claim = webhook.Claim{Token: "worker 7", Until: nano.Add(4 * time.Hour)}
	return d
}

// attempt returns one with every field set.
func attempt(number int) *webhook.Attempt {
	return &webhook.Attempt{
		Number: number, Manual: number%2 == 0, StartedAt: nano.Add(time.Duration(number) * time.Second), DurationMS: 1234,
		StatusCode: 503, Error: webhook.ErrorStatus, Detail: "answered <503>",
		Response: &webhook.Response{
			Headers: map[string]string{"retry-after": "5", "x-ü": "a\tb"},
			Body:    strings.Repeat("\x00\u2028<é\"\\", 100),
		},
	}
}

// numbered returns n names that sort as they count.
func numbered(prefix string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s%04d", prefix, i)
	}
	return names
}

// text returns a JSON string of n bytes that no compression makes small.
func text(n int) json.RawMessage {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-"
	random := rand.New(rand.NewPCG(1, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[random.IntN(len(letters))]
	}
	b[0], b[n-1] = '"', '"'
	return b
}
