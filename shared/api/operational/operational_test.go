package operational_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/operational"
	"github.com/postino/postino/shared/language/attribute"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

// delivery returns one that has failed so often and goes on.
func delivery(failed int) webhook.Delivery {
	return webhook.Delivery{
		Tenant: "acme", ID: "dlv_1", EventID: "e1", EventSource: "/shop", Subscription: "s", Version: 7, Status: webhook.Pending,
		Waiting: webhook.WaitRetry, Round: 1, Step: failed, Attempts: failed + 1, CreatedAt: now, NextAt: now.Add(time.Minute),
		Last: &webhook.Attempt{
			Number: failed + 1, StartedAt: now, DurationMS: 12, StatusCode: 500, Error: webhook.ErrorStatus, Detail: "hidden",
			Response: &webhook.Response{Body: "hidden", Headers: map[string]string{"x": "hidden"}},
		},
	}
}

func ended(status webhook.Status, reason webhook.Reason) webhook.Delivery {
	d := delivery(9)
	d.Status, d.Reason, d.Waiting, d.NextAt, d.EndedAt = status, reason, "", time.Time{}, now
	return d
}

var subscription = webhook.Subscription{
	Tenant: "acme", ID: "s", Name: "fifth flight", URL: "https://loyalty.example:8443/users/{{ secrets.hidden }}?t=hidden", State: webhook.Disabled,
	DisabledReason: "410 Gone", DisabledAt: now, UpdatedAt: now.Add(time.Hour), Metadata: json.RawMessage(`{"a":"hidden"}`),
}

func events(t *testing.T, messages []queue.Message) (events []webhook.Event) {
	t.Helper()
	for _, m := range messages {
		p, err := message.DecodeAs[message.Pack](m.Body)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range p.Events {
			if m.Group != e.Tenant {
				t.Errorf("an event of %s goes in group %s", e.Tenant, m.Group)
			}
			events = append(events, e)
		}
	}
	return events
}

func TestOnlyWhatSomebodyMustMendIsTold(t *testing.T) {
	own := ended(webhook.Exhausted, "")
	own.EventSource = operational.Source
	parked := delivery(4)
	parked.Waiting = webhook.WaitPaused
	for _, tt := range []struct {
		delivery webhook.Delivery
		want     string
	}{
		{delivery(3), ""},
		{delivery(4), operational.DeliveryFailing},
		{delivery(5), ""},
		{parked, ""},
		{ended(webhook.Succeeded, ""), ""},
		{ended(webhook.Exhausted, ""), operational.DeliveryExhausted},
		{ended(webhook.Exhausted, webhook.ReasonExpired), operational.DeliveryExhausted},
		{ended(webhook.Canceled, webhook.ReasonRenderError), operational.DeliveryCanceled},
		{ended(webhook.Canceled, webhook.ReasonTooLarge), operational.DeliveryCanceled},
		{ended(webhook.Canceled, webhook.ReasonMissingSecret), operational.DeliveryCanceled},
		{ended(webhook.Canceled, webhook.ReasonMissingField), ""},
		{ended(webhook.Canceled, webhook.ReasonAbort), ""},
		{ended(webhook.Canceled, webhook.ReasonManual), ""},
		{ended(webhook.Canceled, webhook.ReasonDeleted), ""},
		{own, ""},
	} {
		if got := operational.OfDelivery(tt.delivery); got != tt.want {
			t.Errorf("%s for %q after %d failures = %q, want %q", tt.delivery.Status, tt.delivery.Reason, tt.delivery.Step, got, tt.want)
		}
	}
}

func TestAnEventIsPublishedInBothTenants(t *testing.T) {
	for _, got := range [][]webhook.Event{
		events(t, operational.Delivery(operational.DeliveryFailing, delivery(4), subscription, "order.paid", now)),
		events(t, operational.Subscription(operational.SubscriptionDisabled, subscription, now)),
	} {
		if len(got) != 2 || got[0].Tenant != "acme" || got[1].Tenant != operational.Tenant {
			t.Fatalf("published %+v, want one in acme and one in postino", got)
		}
		for _, e := range got {
			if e.Source != operational.Source || e.Subject != "s" || !e.AcceptedAt.Equal(now.Truncate(time.Millisecond)) || !e.Time.Equal(now) || e.Nonce == "" {
				t.Errorf("event %+v", e)
			}
			if attribute.ID(e.ID) != "" || attribute.TypePattern(e.Type) != "" {
				t.Errorf("id %q or type %q is none", e.ID, e.Type)
			}
		}
		if string(got[0].Data) != string(got[1].Data) || got[0].Nonce == got[1].Nonce {
			t.Errorf("the two differ in data or share a nonce: %+v", got)
		}
	}
	own := subscription
	own.Tenant = operational.Tenant
	if got := events(t, operational.Subscription(operational.SubscriptionRecovered, own, now)); len(got) != 1 {
		t.Errorf("an event of postino itself is published %d times, want once", len(got))
	}
	if operational.Tenant != httpapi.ReservedTenant {
		t.Errorf("the tenant is %q, the API reserves %q", operational.Tenant, httpapi.ReservedTenant)
	}
}

func TestARepeatHasTheSameIdAndAnotherOccasionAnother(t *testing.T) {
	seen := map[string]string{}
	try := func(what string, messages []queue.Message) {
		id := events(t, messages)[0].ID
		if other, taken := seen[id]; taken {
			t.Errorf("%s has the id of %s", what, other)
		}
		seen[id] = what
	}
	type change func(*webhook.Delivery)
	for what, alter := range map[string]change{
		"delivery": func(*webhook.Delivery) {}, "round": func(d *webhook.Delivery) { d.Round++ },
		"other delivery": func(d *webhook.Delivery) { d.ID = "dlv_2" }, "tenant": func(d *webhook.Delivery) { d.Tenant = "acme2" },
	} {
		for _, typ := range []string{operational.DeliveryFailing, operational.DeliveryExhausted, operational.DeliveryCanceled} {
			d := delivery(4)
			alter(&d)
			first := operational.Delivery(typ, d, subscription, "t", now)
			try(what+" "+typ, first)
			d.Attempts, d.NextAt = d.Attempts+1, d.NextAt.Add(time.Hour)
			again := operational.Delivery(typ, d, webhook.Subscription{}, "", now.Add(time.Hour))
			if a, b := events(t, first)[0].ID, events(t, again)[0].ID; a != b {
				t.Errorf("%s %s is repeated as %s, was %s", what, typ, b, a)
			}
		}
	}
	for _, typ := range []string{operational.SubscriptionDisabled, operational.SubscriptionRecovered} {
		s := subscription
		try(typ, operational.Subscription(typ, s, now))
		s.DisabledAt = s.DisabledAt.Add(time.Second)
		try("later "+typ, operational.Subscription(typ, s, now))
		s.ID = "s2"
		try("other "+typ, operational.Subscription(typ, s, now))
	}
}

func TestDataTellsNoSecrets(t *testing.T) {
	e := events(t, operational.Delivery(operational.DeliveryFailing, delivery(4), subscription, "order.paid", now))[0]
	want := `{"tenant":"acme","subscription":{"id":"s","name":"fifth flight","host":"loyalty.example:8443"},` +
		`"event":{"id":"e1","source":"/shop","type":"order.paid"},` +
		`"delivery":{"id":"dlv_1","status":"pending","reason":null,"round":1,"attempts":5,"created_at":"2026-03-01T12:00:00.123Z","next_attempt_at":"2026-03-01T12:01:00.123Z"},` +
		`"attempt":{"number":5,"manual":false,"started_at":"2026-03-01T12:00:00.123Z","duration_ms":12,"status_code":500,"error":"status"}}`
	if diff := cmp.Diff(want, string(e.Data)); diff != "" {
		t.Errorf("data of a delivery (-want +got):\n%s", diff)
	}
	e = events(t, operational.Subscription(operational.SubscriptionDisabled, subscription, now))[0]
	want = `{"tenant":"acme","subscription":{"id":"s","name":"fifth flight","host":"loyalty.example:8443"},` +
		`"state":"disabled","reason":"410 Gone","disabled_at":"2026-03-01T12:00:00.123Z"}`
	if diff := cmp.Diff(want, string(e.Data)); diff != "" {
		t.Errorf("data of a subscription (-want +got):\n%s", diff)
	}
	for _, url := range []string{"", "nothing", "https://", "https://h.example", "https://h.example?q={{ secrets.hidden }}", "https://h.example{{ x }}"} {
		s := subscription
		s.URL = url
		data := string(events(t, operational.Subscription(operational.SubscriptionDisabled, s, now))[0].Data)
		if strings.Contains(data, "hidden") || strings.Contains(data, "{{") || strings.Contains(url, "h.example") != strings.Contains(data, `"h.example"`) {
			t.Errorf("of %q is told %s", url, data)
		}
	}
}
