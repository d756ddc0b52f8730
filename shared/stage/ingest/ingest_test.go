package ingest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

func TestEventReachesTheQueueAsPublished(t *testing.T) {
	var o outside
	data := "{ \"b\" : 1.10,\n\"a\":[\"\\u00e9<&>\" ] }"
	got := post(t, o.handler(), `{"type":"flight.booked","id":"b-1","source":"/crm","subject":"u1","time":"2026-03-01T11:00:00+02:00","data":`+data+` }`)
	if got.status != 202 || got.ID != "b-1" || string(got.body) != `{"id":"b-1"}` {
		t.Fatalf("answer %d %s", got.status, got.body)
	}
	events := o.events(t)
	if len(events) != 1 || events[0].Nonce == "" {
		t.Fatalf("queued %+v, want one event with a nonce", events)
	}
	events[0].Nonce = ""
	want := webhook.Event{
		Tenant: "acme", ID: "b-1", Source: "/crm", Type: "flight.booked", Subject: "u1",
		Time: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), Data: json.RawMessage(data),
		AcceptedAt: clock.Truncate(time.Millisecond), Order: webhook.OrderOf(clock, 0),
	}
	if diff := cmp.Diff(want, events[0]); diff != "" {
		t.Errorf("event differs (-want +got):\n%s", diff)
	}
	if o.messages[0].Group != "acme" {
		t.Errorf("group %q, want the tenant", o.messages[0].Group)
	}
}

func TestWhatThePublisherLeavesOutIsChosen(t *testing.T) {
	var o outside
	h := o.handler()
	first := post(t, h, `{"type":"a","data":null}`)
	second := post(t, h, `{"type":"a","data":1}`)
	events := o.events(t)
	if e := events[0]; e.Source != "/tenants/acme" || !e.Time.Equal(e.AcceptedAt) || string(e.Data) != "null" || e.ID != first.ID {
		t.Errorf("event %+v, answered %s", e, first.ID)
	}
	for _, id := range []string{first.ID, second.ID} {
		if len(id) != 30 || !strings.HasPrefix(id, "evt_") || id != strings.ToLower(id) {
			t.Errorf("id %q, want evt_ and a lower-case ULID", id)
		}
	}
	if first.ID == second.ID || events[0].Nonce == events[1].Nonce {
		t.Errorf("two events share id %q or nonce %q", first.ID, events[0].Nonce)
	}
	if !slices.Equal(o.tenants, []string{"acme"}) {
		t.Errorf("tenants ensured: %v, want acme once", o.tenants)
	}
}

func TestArrayIsAnsweredInOrder(t *testing.T) {
	var o outside
	var body []string
	for i := range webhook.MaxBatch {
		body = append(body, fmt.Sprintf(`{"type":"t","id":"e%d","data":%d}`, i, i))
	}
	got := post(t, o.handler(), "["+strings.Join(body, " , ")+"]")
	if got.status != 202 || len(got.IDs) != webhook.MaxBatch {
		t.Fatalf("answer %d with %d ids", got.status, len(got.IDs))
	}
	for i, e := range o.events(t) {
		if want := fmt.Sprintf("e%d", i); e.ID != want || got.IDs[i] != want || string(e.Data) != fmt.Sprint(i) {
			t.Fatalf("place %d holds %s with %s, answered %s", i, e.ID, e.Data, got.IDs[i])
		}
	}
	if len(o.messages) != 1 {
		t.Errorf("%d messages, want all 500 small events in one", len(o.messages))
	}
}

func TestLargeEventsArePackedApart(t *testing.T) {
	var o outside
	var body []string
	for i := range 15 {
		body = append(body, fmt.Sprintf(`{"type":"t","id":"e%d","data":"%s"}`, i, strings.Repeat("x", 250<<10)))
	}
	if got := post(t, o.handler(), "["+strings.Join(body, ",")+"]"); got.status != 202 {
		t.Fatalf("answer %d %.200s", got.status, got.body)
	}
	if len(o.messages) != 15 || len(o.events(t)) != 15 {
		t.Errorf("%d messages with %d events, want 15 of one", len(o.messages), len(o.events(t)))
	}
	for i, m := range o.messages {
		if len(m.Body) > queue.MaxBody {
			t.Errorf("message %d has %d bytes, the queue takes %d", i, len(m.Body), queue.MaxBody)
		}
	}
}

func TestWorstEnvelopeFitsTheQueue(t *testing.T) {
	var o outside
	escaped := strings.Repeat("<", 240)
	body := `{"specversion":"1.0","type":"` + strings.Repeat("<", 128) + `","source":"/` + strings.Repeat("é", 511) + `","id":"` + escaped + `"`
	for i := range 60 {
		body += fmt.Sprintf(`,"x%d":"%s"`, i, escaped)
	}
	body += `,"data":"`
	body += strings.Repeat("x", webhook.MaxEventSize-len(body)-2) + `"}`
	got := post(t, o.handler(), body, "Content-Type", "application/cloudevents+json")
	if got.status != 202 {
		t.Fatalf("answer %d %s", got.status, got.body)
	}
	if n := len(o.messages[0].Body); n > queue.MaxBody {
		t.Errorf("an event of %d bytes became a message of %d, the queue takes %d", len(body), n, queue.MaxBody)
	}
}

func TestPartsOfALargeArraySayWhichTheyAre(t *testing.T) {
	var o outside
	element := `{"type":"a","data":"` + strings.Repeat("x", 100<<10) + `"}`
	if got := post(t, o.handler(), "["+strings.Repeat(element+",", 4)+element+"]"); got.status != 202 {
		t.Fatalf("answer %d", got.status)
	}
	if len(o.messages) < 3 {
		t.Fatalf("%d messages, want several", len(o.messages))
	}
	name, place := "", 0
	for i, m := range o.messages {
		p, err := message.DecodeAs[message.Pack](m.Body)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			name = p.Events[0].Nonce
		}
		if p.Request != name || p.First != place || p.Last != (i == len(o.messages)-1) {
			t.Errorf("message %d is part %q from %d, last: %v; want %q from %d", i, p.Request, p.First, p.Last, name, place)
		}
		place += len(p.Events)
	}
}

func TestIdempotencyKeyMakesIdsRepeatable(t *testing.T) {
	var o outside
	h := o.handler()
	body := `[{"type":"a","data":1},{"type":"a","data":2},{"type":"a","id":"mine","data":2}]`
	first := post(t, h, body, "Idempotency-Key", "k-1")
	again := post(t, h, body, "Idempotency-Key", "k-1")
	other := post(t, h, body, "Idempotency-Key", "k-2")
	foreign := do(t, h, "POST", "/v1/tenants/other/events", body, "Idempotency-Key", "k-1")
	if !slices.Equal(first.IDs, again.IDs) || first.IDs[0] == first.IDs[1] || first.IDs[2] != "mine" {
		t.Errorf("ids %v, then %v", first.IDs, again.IDs)
	}
	if other.IDs[0] == first.IDs[0] || foreign.IDs[0] == first.IDs[0] {
		t.Errorf("another key or tenant gave the same id %v", first.IDs[0])
	}
	for _, bad := range []string{strings.Repeat("k", 257), "a\tb", "é"} {
		if got := post(t, h, body, "Idempotency-Key", bad); got.status != 422 || !slices.Equal(got.fields(), []string{"Idempotency-Key"}) {
			t.Errorf("key %.20q: %d %v", bad, got.status, got.fields())
		}
	}
}

func TestHalfFailedSendListsWhatWasAccepted(t *testing.T) {
	var o outside
	o.refuse = func([]queue.Message) error {
		return fmt.Errorf("send: %w", &queue.Unsent{Indexes: []int{1}, Err: queue.ErrBusy})
	}
	big := strings.Repeat("x", 100<<10)
	var body []string
	for i := range 5 {
		body = append(body, fmt.Sprintf(`{"type":"t","id":"e%d","data":"%s"}`, i, big))
	}
	got := post(t, o.handler(), "["+strings.Join(body, ",")+"]")
	if len(o.messages) < 3 {
		t.Fatalf("%d messages, want several", len(o.messages))
	}
	lost, err := message.DecodeAs[message.Pack](o.messages[1].Body)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"e0", "e1", "e2", "e3", "e4"}
	want = slices.DeleteFunc(want, func(id string) bool {
		return slices.ContainsFunc(lost.Events, func(e webhook.Event) bool { return e.ID == id })
	})
	if got.status != 503 || got.header.Get("Retry-After") == "" || !slices.Equal(got.Accepted, want) {
		t.Errorf("answer %d, Retry-After %q, accepted %v, want 503 with %v", got.status, got.header.Get("Retry-After"), got.Accepted, want)
	}
}

func TestFailedSendAcceptsNothing(t *testing.T) {
	for name, o := range map[string]*outside{
		"queue":  {refuse: func([]queue.Message) error { return errors.New("secret-endpoint: connection refused") }},
		"all":    {refuse: func([]queue.Message) error { return &queue.Unsent{Indexes: []int{0}, Err: queue.ErrBusy} }},
		"tenant": {ensure: errors.New("secret-table is gone")},
	} {
		got := post(t, o.handler(), `{"type":"a","data":1}`)
		if got.status != 503 || got.header.Get("Retry-After") == "" || got.Accepted == nil || len(got.Accepted) != 0 {
			t.Errorf("%s: answer %d %s", name, got.status, got.body)
		}
		if bytes.Contains(got.body, []byte("secret")) {
			t.Errorf("%s: the answer tells our internals: %s", name, got.body)
		}
	}
}

func TestTenantThatCouldNotBeEnsuredIsTriedAgain(t *testing.T) {
	o := outside{ensure: errors.New("down")}
	h := o.handler()
	post(t, h, `{"type":"a","data":1}`)
	o.ensure = nil
	if got := post(t, h, `{"type":"a","data":1}`); got.status != 202 || len(o.tenants) != 2 {
		t.Errorf("answer %d after %d tries", got.status, len(o.tenants))
	}
}
