package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/cmd/postino/server"
)

const key = "admin-key-of-the-test"

// start runs a server whose clock stands still.
func start(t *testing.T) *api {
	t.Helper()
	return open(t, func(c *server.Config) { c.TestClock, c.Log = true, logs(t, slog.LevelInfo) })
}

// logs goes to the output of the test.
func logs(t *testing.T, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: level}))
}

type api struct {
	t testing.TB
	s *server.Server
}

// call makes a request and returns the answer's fields.
func (a *api) call(method, path string, want int, body string) map[string]any {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.s.URL()+path, bytes.NewReader([]byte(body)))
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	if resp.StatusCode != want {
		a.t.Fatalf("%s %s = %d %s, want %d", method, path, resp.StatusCode, text, want)
	}
	var fields map[string]any
	if len(text) > 0 {
		if err := json.Unmarshal(text, &fields); err != nil {
			a.t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
	return fields
}

func (a *api) advance(by string) {
	a.t.Helper()
	a.call("POST", "/v1/clock", 200, `{"advance":"`+by+`"}`)
}

// deliveries lists a tenant's deliveries, oldest first.
func (a *api) deliveries(query string) (list []map[string]any) {
	a.t.Helper()
	for _, d := range a.call("GET", "/v1/tenants/acme/deliveries?order=asc&"+query, 200, "")["data"].([]any) {
		list = append(list, d.(map[string]any))
	}
	return list
}

// subscriber answers as told and keeps what it got.
type subscriber struct {
	*httptest.Server
	mu     sync.Mutex
	answer func(n int, w http.ResponseWriter) // n counts from 1
	got    []http.Header
	bodies []string
}

func newSubscriber(t *testing.T, answer func(n int, w http.ResponseWriter)) *subscriber {
	s := &subscriber{answer: answer}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.got, s.bodies = append(s.got, r.Header.Clone()), append(s.bodies, string(body))
		n, answer := len(s.got), s.answer
		s.mu.Unlock()
		answer(n, w)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *subscriber) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.got)
}

func (s *subscriber) answers(answer func(n int, w http.ResponseWriter)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func status(code int) func(int, http.ResponseWriter) {
	return func(_ int, w http.ResponseWriter) { w.WriteHeader(code) }
}

func (a *api) subscribe(id, fields string) {
	a.t.Helper()
	a.call("PUT", "/v1/tenants/acme/subscriptions/"+id, 201, "{"+fields+"}")
}

func (a *api) publish(n int) {
	a.t.Helper()
	for i := range n {
		a.call("POST", "/v1/tenants/acme/events", 202, fmt.Sprintf(`{"type":"a.b","id":"e%d","data":{"n":%d}}`, i, i))
	}
}

func TestAThreeDayScheduleRunsInASecondAndKeepsIdAndBytes(t *testing.T) {
	a := start(t)
	sub := newSubscriber(t, status(503))
	a.subscribe("s", `"url":"`+sub.URL+`/hook"`)
	a.publish(1)
	a.advance("4d")
	if got := sub.count(); got != 10 {
		t.Fatalf("%d attempts in 4 days, want 10", got)
	}
	for i := range sub.got {
		if sub.got[i].Get("webhook-id") != sub.got[0].Get("webhook-id") || sub.bodies[i] != sub.bodies[0] {
			t.Errorf("attempt %d has id %s and body %s, want those of the first", i+1, sub.got[i].Get("webhook-id"), sub.bodies[i])
		}
		if got, want := sub.got[i].Get("postino-attempt"), fmt.Sprint(i+1); got != want {
			t.Errorf("attempt %d calls itself %s", i+1, got)
		}
	}
	d := a.deliveries("")[0]
	if d["status"] != "exhausted" || d["next_attempt_at"] != nil {
		t.Errorf("delivery = %v, want exhausted", d)
	}
	one := a.call("GET", "/v1/tenants/acme/deliveries/"+d["id"].(string), 200, "")
	if n := len(one["attempts"].([]any)); n != 10 {
		t.Errorf("%d attempts listed, want 10", n)
	}
}

func TestExhaustedDeliveriesComeBackByAMessageMove(t *testing.T) {
	a := start(t)
	sub := newSubscriber(t, status(500))
	a.subscribe("s", `"url":"`+sub.URL+`","retry":{"schedule":["1s"]}`)
	a.publish(3)
	a.advance("10s")
	if got := a.deliveries("status=exhausted"); len(got) != 3 || sub.count() != 6 {
		t.Fatalf("%d exhausted after %d attempts, want 3 after 6", len(got), sub.count())
	}
	sub.answers(status(200))
	for range 2 { // the second finds nothing to do
		if _, err := a.s.Redrive(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
		a.advance("10s")
	}
	if got := a.deliveries("status=succeeded"); len(got) != 3 || sub.count() != 9 {
		t.Errorf("%d succeeded after %d attempts, want 3 after 9", len(got), sub.count())
	}
}

func TestAPausedSubscriptionCollectsALineAndDrainsAtResume(t *testing.T) {
	a := start(t)
	sub := newSubscriber(t, status(200))
	a.subscribe("s", `"url":"`+sub.URL+`"`)
	a.call("POST", "/v1/tenants/acme/subscriptions/s/pause", 200, "")
	a.publish(25)
	a.advance("2h")
	if got := a.deliveries("status=pending"); len(got) != 25 || got[0]["waiting"] != "paused" || sub.count() != 0 {
		t.Fatalf("%d pending, first %v, after %d attempts, want 25 paused after none", len(got), got[0], sub.count())
	}
	a.call("POST", "/v1/tenants/acme/subscriptions/s/resume", 200, "")
	a.advance("2s")
	if got := a.deliveries("status=succeeded"); len(got) != 25 || sub.count() != 25 {
		t.Errorf("%d succeeded after %d attempts, want 25 after 25", len(got), sub.count())
	}
}

func TestWhatWaitsThirtyDaysExpires(t *testing.T) {
	a := start(t)
	sub := newSubscriber(t, status(200))
	a.subscribe("s", `"url":"`+sub.URL+`","state":"paused"`)
	a.publish(2)
	a.advance("29d")
	if got := a.deliveries("status=pending"); len(got) != 2 {
		t.Fatalf("%d pending after 29 days, want 2", len(got))
	}
	a.advance("2d")
	got := a.deliveries("status=exhausted")
	if len(got) != 2 || got[0]["reason"] != "expired" {
		t.Errorf("after 31 days: %v, want 2 exhausted, expired", got)
	}
}

func TestGoneDisablesAndWaits(t *testing.T) {
	a := start(t)
	sub := newSubscriber(t, status(410))
	a.subscribe("s", `"url":"`+sub.URL+`"`)
	a.publish(2)
	a.advance("1s")
	if got := a.call("GET", "/v1/tenants/acme/subscriptions/s", 200, "")["state"]; got != "disabled" {
		t.Fatalf("state = %v, want disabled", got)
	}
	for _, d := range a.deliveries("status=pending") {
		if d["waiting"] != "disabled" {
			t.Errorf("delivery waits for %v, want disabled", d["waiting"])
		}
	}
	sub.answers(status(204))
	a.call("POST", "/v1/tenants/acme/subscriptions/s/resume", 200, "")
	a.advance("1s")
	if got := a.deliveries("status=succeeded"); len(got) != 2 {
		t.Errorf("%d succeeded, want 2", len(got))
	}
}

func TestAMovedURLMendsWhatWaits(t *testing.T) {
	a := start(t)
	old, fresh := newSubscriber(t, status(500)), newSubscriber(t, status(200))
	a.subscribe("s", `"url":"`+old.URL+`"`)
	a.publish(1)
	a.advance("1s")
	a.call("PATCH", "/v1/tenants/acme/subscriptions/s", 200, `{"url":"`+fresh.URL+`","request":{"format":"cloudevents"}}`)
	a.advance("1m")
	if old.count() != 1 || fresh.count() != 1 {
		t.Fatalf("old got %d, new %d, want 1 and 1", old.count(), fresh.count())
	}
	if diff := cmp.Diff(old.bodies, fresh.bodies); diff != "" {
		t.Errorf("the body changed with the subscription:\n%s", diff)
	}
}

func TestADeletedSubscriptionCancelsWhatWaits(t *testing.T) {
	a := start(t)
	sub := newSubscriber(t, status(500))
	a.subscribe("failing", `"url":"`+sub.URL+`"`)
	a.subscribe("paused", `"url":"`+sub.URL+`","state":"paused"`)
	a.publish(2)
	a.advance("1s")
	for _, id := range []string{"failing", "paused"} {
		a.call("DELETE", "/v1/tenants/acme/subscriptions/"+id, 204, "")
	}
	a.advance("1h")
	var reasons []any
	for _, d := range a.deliveries("status=canceled") {
		reasons = append(reasons, d["reason"])
	}
	if want := slices.Repeat([]any{"subscription_deleted"}, 4); !cmp.Equal(reasons, want) {
		t.Errorf("reasons = %v, want %v", reasons, want)
	}
	if sub.count() != 2 {
		t.Errorf("%d attempts, want 2: none after the deletion", sub.count())
	}
}

func TestAManualRetryLeavesTheScheduleAloneUnlessItSucceeds(t *testing.T) {
	a := start(t)
	sub := newSubscriber(t, status(500))
	a.subscribe("s", `"url":"`+sub.URL+`","retry":{"schedule":["10m","10m"]}`)
	a.publish(1)
	a.advance("1s")
	before := a.deliveries("")[0]
	path := "/v1/tenants/acme/deliveries/" + before["id"].(string)
	a.call("POST", path+"/retry", 202, "")
	a.advance("1s")
	if after := a.deliveries("")[0]; after["next_attempt_at"] != before["next_attempt_at"] || sub.count() != 2 {
		t.Errorf("after a failed manual retry: %v with %d attempts, want next_attempt_at %v and 2", after, sub.count(), before["next_attempt_at"])
	}
	sub.answers(status(200))
	a.call("POST", path+"/retry", 202, "")
	a.advance("1d")
	one := a.call("GET", path, 200, "")
	if one["status"] != "succeeded" || sub.count() != 3 {
		t.Errorf("after a successful one: %v with %d attempts, want succeeded and 3", one["status"], sub.count())
	}
	var manual []any
	for _, attempt := range one["attempts"].([]any) {
		manual = append(manual, attempt.(map[string]any)["manual"])
	}
	if !cmp.Equal(manual, []any{false, true, true}) {
		t.Errorf("manual = %v, want false, true, true", manual)
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	a := start(t)
	sub := newSubscriber(t, func(n int, w http.ResponseWriter) {
		if n == 1 {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(429)
		}
	})
	a.subscribe("s", `"url":"`+sub.URL+`"`)
	a.publish(1)
	a.advance("59m")
	if sub.count() != 1 {
		t.Fatalf("%d attempts in 59 minutes, want 1", sub.count())
	}
	a.advance("2m")
	if sub.count() != 2 {
		t.Errorf("%d attempts in 61 minutes, want 2", sub.count())
	}
}

func TestPreviewAndTestShowWhatWouldBeSentAndKeepNothing(t *testing.T) {
	a := start(t)
	sub := newSubscriber(t, status(201))
	a.call("PUT", "/v1/tenants/acme/secrets/token", 201, `{"value":"s3cr3t"}`)
	a.subscribe("s", `"url":"`+sub.URL+`/u/{{ subject }}?t={{ secrets.token }}","types":["a.*"],"filter":{"data":{"n":[{"numeric":[">",1]}]}},
		"trigger":{"once":true},"auth":{"type":"bearer","token":"{{ secrets.token }}"},
		"request":{"headers":{"x-n":"{{ data.n }}"},"body":{"n":"{{ data.n }}","t":"x{{ secrets.token }}"}}`)
	preview := func(event string) map[string]any {
		t.Helper()
		return a.call("POST", "/v1/tenants/acme/subscriptions/s/preview", 200, `{"event":`+event+`}`)
	}
	got := preview(`{"type":"a.b","subject":"u/1","data":{"n":2}}`)
	want := map[string]any{
		"matched": true, "reason": nil, "text": "would be sent",
		"request": map[string]any{
			"method": "POST", "url": sub.URL + "/u/u%2F1?t=***", "content_type": "application/json",
			"headers": map[string]any{"x-n": "2", "authorization": "***"}, "body": `{"n":2,"t":"x***"}`,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("preview differs (-want +got):\n%s", diff)
	}
	for event, reason := range map[string]string{
		`{"type":"b","subject":"u","data":{"n":2}}`:   "type",
		`{"type":"a.b","subject":"u","data":{"n":1}}`: "filter",
		`{"type":"a.b","data":{"n":2}}`:               "no_key",
	} {
		if got := preview(event); got["matched"] != false || got["reason"] != reason {
			t.Errorf("preview of %s = %v, want not matched for %s", event, got, reason)
		}
	}
	tested := a.call("POST", "/v1/tenants/acme/subscriptions/s/test", 200, `{"event":{"type":"b","subject":"u","data":{"n":0}}}`)
	if tested["matched"] != false || tested["attempt"].(map[string]any)["status_code"] != 201.0 {
		t.Errorf("test = %v, want not matched and an attempt answered 201", tested)
	}
	if sub.count() != 1 || sub.got[0].Get("postino-test") != "true" || sub.got[0].Get("authorization") != "Bearer s3cr3t" || sub.bodies[0] != `{"n":0,"t":"xs3cr3t"}` {
		t.Errorf("the test sent %v with %q", sub.got, sub.bodies)
	}
	if got := a.deliveries(""); len(got) != 0 {
		t.Errorf("deliveries = %v, want none", got)
	}
	if got := a.call("GET", "/v1/tenants/acme/events", 200, "")["data"].([]any); len(got) != 0 {
		t.Errorf("events = %v, want none", got)
	}
}

func TestSecretsAreCheckedWhenSavedAndMissedWhenSent(t *testing.T) {
	a := start(t)
	sub := newSubscriber(t, status(200))
	body := `{"url":"` + sub.URL + `","auth":{"type":"bearer","token":"{{ secrets.token }}"}}`
	problem := a.call("PUT", "/v1/tenants/acme/subscriptions/s", 422, body)
	if field := problem["errors"].([]any)[0].(map[string]any)["field"]; field != "auth" {
		t.Errorf("field = %v, want auth", field)
	}
	a.call("PUT", "/v1/tenants/acme/secrets/token", 201, `{"value":"one"}`)
	a.call("PUT", "/v1/tenants/acme/subscriptions/s", 201, body)
	a.publish(1)
	a.advance("1s")
	a.call("PUT", "/v1/tenants/acme/secrets/token", 200, `{"value":"two"}`)
	a.call("POST", "/v1/tenants/acme/events", 202, `{"type":"a.b","id":"second","data":1}`)
	a.advance("1s")
	if got := []string{sub.got[0].Get("authorization"), sub.got[1].Get("authorization")}; !cmp.Equal(got, []string{"Bearer one", "Bearer two"}) {
		t.Errorf("authorization = %v, want the value of the time", got)
	}
	a.call("DELETE", "/v1/tenants/acme/secrets/token", 204, "")
	a.call("POST", "/v1/tenants/acme/events", 202, `{"type":"a.b","id":"third","data":1}`)
	a.advance("1s")
	if got := a.deliveries("status=canceled"); len(got) != 1 || got[0]["reason"] != "missing_secret" {
		t.Errorf("canceled = %v, want one for missing_secret", got)
	}
}

func TestIfThisThenThat(t *testing.T) {
	a := start(t)
	sub := newSubscriber(t, status(200))
	a.subscribe("fifth", `"url":"`+sub.URL+`","types":["flight.booked"],"filter":{"data":{"cabin":[{"anything-but":"award"}]}},
		"trigger":{"at":5,"distinct":"data.booking"},"request":{"body":{"points":10,"user":"{{ subject }}","count":"{{ occasion.count }}"}}`)
	for i := range 8 {
		cabin := "economy"
		if i == 2 {
			cabin = "award"
		}
		for range 2 { // each booking is told twice
			a.call("POST", "/v1/tenants/acme/events", 202, fmt.Sprintf(`{"type":"flight.booked","subject":"u1","data":{"booking":%d,"cabin":"%s"}}`, i, cabin))
		}
		a.advance("1s")
	}
	a.call("POST", "/v1/tenants/acme/events", 202, `{"type":"flight.booked","id":"last","subject":"u1","data":{"booking":9,"cabin":"economy"}}`)
	a.advance("1s")
	one := a.call("GET", "/v1/tenants/acme/events/last", 200, "")
	if diff := cmp.Diff([]any{map[string]any{"subscription": "fifth", "reason": "not_due"}}, one["skipped"]); diff != "" || len(one["deliveries"].([]any)) != 0 {
		t.Errorf("event = %v, want no delivery and its reason (-want +got):\n%s", one, diff)
	}
	if got := a.call("GET", "/v1/tenants/acme/subscriptions/fifth/state/u1", 200, "")["count"]; got != 8.0 {
		t.Errorf("state counts %v, want 8", got)
	}
	if !cmp.Equal(sub.bodies, []string{`{"points":10,"user":"u1","count":5}`}) {
		t.Errorf("bodies = %q, want one for the fifth flight", sub.bodies)
	}
}

func TestAnAbandonedCartIsRemindedUnlessOrdered(t *testing.T) {
	a := start(t)
	sub := newSubscriber(t, status(200))
	a.subscribe("cart", `"url":"`+sub.URL+`","types":["cart.updated"],
		"trigger":{"delay":"1h","cancel":[{"types":["order.placed"]}]},"request":{"body":{"user":"{{ subject }}","items":"{{ data.items }}"}}`)
	publish := func(typ, user, data string) {
		a.call("POST", "/v1/tenants/acme/events", 202, `{"type":"`+typ+`","subject":"`+user+`","time":"`+a.s.Now().UTC().Format(time.RFC3339Nano)+`","data":`+data+`}`)
	}
	publish("cart.updated", "leaves", `{"items":1}`)
	publish("cart.updated", "orders", `{"items":1}`)
	a.advance("30m")
	publish("cart.updated", "leaves", `{"items":2}`)
	a.advance("1ms") // until all of it has been handled
	waiting := a.call("GET", "/v1/tenants/acme/events", 200, "")["data"].([]any)[0].(map[string]any)["id"].(string)
	first := a.call("GET", "/v1/tenants/acme/events/"+waiting, 200, "")["deliveries"].([]any)[0].(map[string]any)
	if first["status"] != "pending" || first["waiting"] != "timer" {
		t.Errorf("delivery = %v, want pending for its timer", first)
	}
	publish("order.placed", "orders", `{}`)
	a.advance("59m")
	if sub.count() != 0 {
		t.Fatalf("%d reminders before the hour, want none: %q", sub.count(), sub.bodies)
	}
	a.advance("2m")
	a.advance("30d")
	if !cmp.Equal(sub.bodies, []string{`{"user":"leaves","items":2}`}) {
		t.Errorf("bodies = %q, want one reminder", sub.bodies)
	}
}

func TestARenderThatFailsTouchesNoOther(t *testing.T) {
	a := start(t)
	sub := newSubscriber(t, status(200))
	a.subscribe("divides", `"url":"`+sub.URL+`","request":{"body":{"a":"{{ data.a | divided_by: data.b }}"}}`)
	a.subscribe("aborts", `"url":"`+sub.URL+`","request":{"body":{"a":"{% abort 'not now' %}"}}`)
	a.subscribe("needs", `"url":"`+sub.URL+`/{{ data.line_id }}/push"`)
	a.subscribe("plain", `"url":"`+sub.URL+`"`)
	a.call("POST", "/v1/tenants/acme/events", 202, `[{"type":"a","id":"bad","data":{"a":1,"b":0}},{"type":"a","id":"good","data":{"a":4,"b":2,"line_id":"L"}}]`)
	a.advance("1s")
	type why struct{ reason, detail any }
	reasons := map[string]why{}
	for _, d := range a.deliveries("event=bad") {
		reasons[d["subscription"].(string)] = why{d["reason"], d["detail"]}
	}
	want := map[string]why{
		"divides": {"render_error", "body: line 1, column 13: divided by 0"}, "aborts": {"abort", "body: line 1, column 1: not now"},
		"needs": {"missing_field", "url: line 1, column 24: nothing to print in the path"}, "plain": {nil, nil},
	}
	for sub, want := range want {
		if reasons[sub] != want {
			t.Errorf("%s is canceled by %v, want %v", sub, reasons[sub], want)
		}
	}
	if got := a.deliveries("status=succeeded"); len(got) != 4 || sub.count() != 4 {
		t.Errorf("%d succeeded with %d attempts, want 4 and 4", len(got), sub.count())
	}
}

func TestAnEventSaysUntilWhenOncePerIsTaken(t *testing.T) {
	a := start(t)
	sub := newSubscriber(t, status(200))
	a.subscribe("s", `"url":"`+sub.URL+`","trigger":{"key":"subject","once_per":"1h"}`)
	for _, id := range []string{"first", "second"} {
		a.call("POST", "/v1/tenants/acme/events", 202, `{"type":"a","id":"`+id+`","subject":"u1","data":1}`)
		a.advance("1s")
	}
	skipped := func() map[string]any {
		list := a.call("GET", "/v1/tenants/acme/events/second", 200, "")["skipped"].([]any)
		if len(list) != 1 {
			t.Fatalf("skipped = %v, want one", list)
		}
		return list[0].(map[string]any)
	}
	until, err := time.Parse(time.RFC3339, fmt.Sprint(skipped()["until"]))
	if err != nil || skipped()["reason"] != "once" {
		t.Fatalf("skipped = %v (%v), want once and until when", skipped(), err)
	}
	a.advance("1h")
	if got := skipped(); got["until"] != nil {
		t.Errorf("after the hour: %v, want no until", got)
	}
	a.call("POST", "/v1/tenants/acme/events", 202, `{"type":"a","id":"third","subject":"u1","data":1}`)
	a.advance("1s")
	if sub.count() != 2 {
		t.Errorf("%d callbacks once %v has come, want 2", sub.count(), until)
	}
}

func TestWhatWaitsKeepsItsBodyAndTakesTheNewURL(t *testing.T) {
	a := start(t)
	old, fresh := newSubscriber(t, status(500)), newSubscriber(t, status(200))
	a.subscribe("s", `"url":"`+old.URL+`/{{ subject }}","request":{"headers":{"x-v":"1"},"body":{"old":"{{ data.n }}"}}`)
	publish := func(id string) {
		a.call("POST", "/v1/tenants/acme/events", 202, `{"type":"a","id":"`+id+`","subject":"u 1","data":{"n":"`+id+`"}}`)
		a.advance("1s")
	}
	publish("first")
	a.call("PATCH", "/v1/tenants/acme/subscriptions/s", 200,
		`{"url":"`+fresh.URL+`/{{ subject }}/new","request":{"headers":{"x-v":"2 {{ data.n }}"},"body":{"new":"{{ data.n }}"}}`+`}`)
	a.advance("1m")
	publish("second")
	if !cmp.Equal(old.bodies, []string{`{"old":"first"}`}) || !cmp.Equal(fresh.bodies, []string{`{"old":"first"}`, `{"new":"second"}`}) {
		t.Errorf("old got %q, new %q", old.bodies, fresh.bodies)
	}
	if got := []string{fresh.got[0].Get("x-v"), fresh.got[1].Get("x-v")}; !cmp.Equal(got, []string{"2 first", "2 second"}) {
		t.Errorf("x-v = %q, want those of the new headers", got)
	}
}

func TestStatusesThatTheOwnerNames(t *testing.T) {
	a := start(t)
	line, lob := newSubscriber(t, status(409)), newSubscriber(t, status(422))
	a.subscribe("line", `"url":"`+line.URL+`","retry":{"success":["2xx","409"]}`)
	a.subscribe("lob", `"url":"`+lob.URL+`","retry":{"permanent":["422"]}`)
	a.publish(1)
	a.advance("2d")
	got := map[string]any{}
	for _, d := range a.deliveries("") {
		got[d["subscription"].(string)] = fmt.Sprint(d["status"], " ", d["reason"], " ", d["attempt_count"])
	}
	want := map[string]any{"line": "succeeded <nil> 1", "lob": "exhausted permanent 1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("deliveries differ (-want +got):\n%s", diff)
	}
}
