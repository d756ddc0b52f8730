package dynamostore_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/platform/aws/dynamostore"
	"github.com/postino/postino/shared/webhook"
)

// accepted is when the events of these tests were: now, since what is older
// than weeks costs more.
var accepted = time.Now().UTC().Truncate(time.Millisecond)

// booking is an event of usual size: n bytes of JSON data. It has no subject.
func booking(id string, n int) webhook.StoredEvent {
	var data []byte
	for i := 0; len(data) < n; i++ {
		data = fmt.Appendf(data, `"leg%d":{"from":"BKK","to":"HND","flight":"NH%d","cabin":"economy","fare":%d.50},`, i, 800+i*37, 12000+i*911)
	}
	return webhook.StoredEvent{
		Event: webhook.Event{
			Tenant: "acme-airlines", ID: id, Source: webhook.DefaultSource("acme-airlines"), Type: "flight.booked",
			Time: accepted.Add(-1234567), AcceptedAt: accepted, Nonce: "q1w2e3r4t5y6u7i8o9p0a1s2d3",
			Data: json.RawMessage(`{` + strings.TrimSuffix(string(data), ",") + `}`),
		},
		Plan: webhook.Plan{Entries: []webhook.PlanEntry{
			{Subscription: "sub_01jd8rzq5k3v9m2x7c4b6n8p0s", Version: 1234},
			{Subscription: "sub_01jd8rzq5k3v9m2x7c4b6n8p0t", Version: 77},
			{Subscription: "loyalty-points", Version: 4711},
		}, Total: 3},
	}
}

// of is another event, about somebody.
func of(e webhook.StoredEvent, subject string) webhook.StoredEvent {
	e.ID, e.Subject = e.ID[:len(e.ID)-1]+"s", subject
	return e
}

// succeeded is a delivery that the subscriber took at once, with an answer as
// long as is kept of one.
func succeeded(e webhook.StoredEvent) webhook.Delivery {
	sub := e.Plan.Entries[0]
	return webhook.Delivery{
		Tenant: e.Tenant, ID: webhook.DeliveryID(e.Tenant, e.Key(), e.AcceptedAt, sub.Subscription, ""),
		EventID: e.ID, EventSource: e.Source, Subscription: sub.Subscription, Version: sub.Version,
		Status: webhook.Succeeded, Step: 1, Attempts: 1, CreatedAt: e.AcceptedAt, EndedAt: accepted.Add(123456789),
		Digest: strings.Repeat("0123456789abcdef", 4),
		Last: &webhook.Attempt{Number: 1, StartedAt: accepted.Add(100456789), DurationMS: 23, StatusCode: 200, Response: &webhook.Response{
			Headers: map[string]string{
				"content-type": "application/json; charset=utf-8", "date": "Mon, 23 Nov 2026 15:00:00 GMT", "server": "nginx/1.27.3",
				"x-request-id": "7f9c2ba4-e88f-11ee-9c2f-0242ac120002", "strict-transport-security": "max-age=63072000; includeSubDomains",
				"cache-control": "no-store, no-cache, must-revalidate", "vary": "Accept-Encoding, Origin",
			},
			Body: `{"status":"ok","received":"2026-11-23T15:00:00.123Z","points":1250,"user":"user-8412345","tier":"gold","next":"platinum",` +
				`"transactions":[{"id":"txn_83c1","points":500,"reason":"flight"},{"id":"txn_83c2","points":750,"reason":"bonus"}],"expires":"2027-11-23"}`,
		}},
	}
}

// failed is a delivery after its first attempt got a 503.
func failed(e webhook.StoredEvent) webhook.Delivery {
	d := succeeded(e)
	last := *d.Last
	last.StatusCode, last.Error, last.Response = 503, webhook.ErrorStatus, nil
	d.Status, d.Waiting, d.NextAt, d.EndedAt, d.Last = webhook.Pending, webhook.WaitRetry, accepted.Add(5*time.Second), time.Time{}, &last
	return d
}

// metered returns a store and the meter of its calls.
func metered(t *testing.T) (*dynamostore.Store, *meter) {
	t.Helper()
	m := &meter{spent: units{}}
	return open(t, m.options), m
}

func wantUnits(t *testing.T, m *meter, what string, want units) {
	t.Helper()
	got, calls := m.take()
	t.Logf("%-50s %v in %d calls", what, got, calls)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s costs (-want +got):\n%s", what, diff)
	}
}

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestASuccessfulDeliveryCostsThreeWriteUnits(t *testing.T) {
	store, m := metered(t)
	m.take()
	for _, size := range []int{100, 500, 2000} {
		e := booking(fmt.Sprint("evt_01jd8rzq5k3v9m2x7c4b6n", size), size)
		_, _, err := store.CreateEvent(t.Context(), e)
		do(t, err)
		wantUnits(t, m, fmt.Sprintf("an event of %d bytes", size), units{"write table": 1, "write GSI1": 1})
		_, _, err = store.CreateEvent(t.Context(), of(e, "user-8412345"))
		do(t, err)
		wantUnits(t, m, fmt.Sprintf("an event of %d bytes that has a subject", size), units{"write table": 1, "write GSI1": 1, "write GSI2": 1})
		d := succeeded(e)
		_, err = store.Delivery(t.Context(), d.Tenant, d.ID)
		if err == nil {
			t.Fatal("a delivery before its first attempt")
		}
		wantUnits(t, m, "a delivery's read", units{"read table": 1})
		do(t, store.SaveDelivery(t.Context(), d, webhook.Parts{}))
		wantUnits(t, m, "a delivery that succeeded", units{"write table": 1})
	}
}
