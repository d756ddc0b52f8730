package server_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// portal makes a portal key of acme and returns what calls with it.
func (a *api) portal() func(method, path, body string) int {
	customer := a.call("POST", "/v1/tenants/acme/keys", 201, `{"role":"portal"}`)["key"].(string)
	return func(method, path, body string) int { return a.with(customer, method, "/v1/tenants/acme"+path, body) }
}

// all is everything that a subscriber got.
func (s *subscriber) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprint(s.got, s.bodies)
}

// What waits was rendered when the subscription was the operator's, and is sent
// to where the customer has moved it: by the schedule, by hand, by a recover, by
// a replay and by a test. None of it may carry what the customer has no right to.
func TestACustomerWhoMovesASubscriptionGetsNoSecretOfTheOperator(t *testing.T) {
	a := start(t)
	theirs, customers := newSubscriber(t, status(500)), newSubscriber(t, status(200))
	const secret = "operators-secret-value"
	a.call("PUT", "/v1/tenants/acme/secrets/op", 201, `{"value":"`+secret+`"}`)
	a.call("PUT", "/v1/tenants/acme/secrets/own", 201, `{"value":"customers-value","portal":true}`)
	const rest = `","auth":{"type":"bearer","token":"{{ secrets.op }}"},"retry":{"schedule":["1m"]},
		"request":{"headers":{"X-Key":"{{ secrets.op }}"},"body":{"op":"{{ secrets.op }}","own":"{{ secrets.own }}"}}}`
	for _, id := range []string{"waits", "ended", "plain"} {
		body := `{"url":"` + theirs.URL + rest
		if id == "plain" { // nothing of the operator's in its body
			body = strings.Replace(body, `"op":"{{ secrets.op }}",`, "", 1)
		}
		a.call("PUT", "/v1/tenants/acme/subscriptions/"+id, 201, body)
	}
	a.call("POST", "/v1/tenants/acme/events", 202, `{"id":"e1","type":"a","data":1}`)
	a.advance("10s")
	if n := theirs.count(); n != 3 || !strings.Contains(theirs.all(), secret) {
		t.Fatalf("%d attempts at the operator's receiver, with its secret: %t; want 3 with it", n, strings.Contains(theirs.all(), secret))
	}
	ask := a.portal()
	for _, id := range []string{"waits", "plain"} {
		if got := ask("PATCH", "/subscriptions/"+id, `{"url":"`+customers.URL+`"}`); got != 200 {
			t.Fatalf("move %s = %d", id, got)
		}
	}
	a.advance("2m") // by the schedule; ended is exhausted at the operator's
	ends := []any{a.deliveries("subscription=waits")[0]["reason"], a.deliveries("subscription=plain")[0]["status"]}
	if !slices.Equal(ends, []any{"missing_secret", "succeeded"}) {
		t.Errorf("what waited with the operator's secret in its body, and without: %v, want missing_secret, succeeded", ends)
	}
	if got := ask("PATCH", "/subscriptions/ended", `{"url":"`+customers.URL+`"}`); got != 200 {
		t.Fatalf("move ended = %d", got)
	}
	for _, id := range []string{"waits", "ended", "plain"} {
		d := a.deliveries("subscription=" + id)[0]["id"].(string)
		ask("POST", "/deliveries/"+d+"/retry", "")
		ask("POST", "/subscriptions/"+id+"/recover", `{"after":"2020-01-01T00:00:00Z"}`)
		ask("POST", "/subscriptions/"+id+"/recover", `{"after":"2020-01-01T00:00:00Z","status":"canceled"}`)
		ask("POST", "/subscriptions/"+id+"/test", `{"event":{"type":"a","data":1}}`)
		a.advance("5m")
	}
	a.call("POST", "/v1/tenants/acme/events/e1/replay", 202, "")
	a.advance("5m")
	got := customers.all()
	if strings.Contains(got, secret) {
		t.Errorf("the customer's receiver got the operator's secret: %s", got)
	}
	if !strings.Contains(got, "customers-value") || !strings.Contains(got, `"data":1`) {
		t.Errorf("want what waits with what is made for portal keys, and new events: %s", got)
	}
}

// A customer tests a receiver that never answers, again and again.
func TestACustomersTestsStandInNobodysWay(t *testing.T) {
	a := start(t)
	hangs, end := make(chan struct{}), make(chan struct{})
	silent := newSubscriber(t, func(int, http.ResponseWriter) {
		select {
		case hangs <- struct{}{}:
		default:
		}
		<-end
	})
	defer close(end)
	a.call("PUT", "/v1/tenants/acme/subscriptions/s", 201, `{"url":"`+silent.URL+`","retry":{"timeout":"20s"}}`)
	healthy := newSubscriber(t, status(204))
	a.call("PUT", "/v1/tenants/other/subscriptions/s", 201, `{"url":"`+healthy.URL+`"}`)
	ask := a.portal()
	var refused atomic.Int32
	var tests sync.WaitGroup
	for range 200 {
		tests.Go(func() {
			if ask("POST", "/subscriptions/s/test", `{"event":{"type":"a","data":1}}`) == 429 {
				refused.Add(1)
			}
		})
	}
	<-hangs
	const events = 50
	for i := range events {
		a.call("POST", "/v1/tenants/other/events", 202, fmt.Sprintf(`{"id":"e%d","type":"a","data":1}`, i))
	}
	a.advance("1s")
	if n := healthy.count(); n != events {
		t.Errorf("another tenant's subscriber got %d callbacks, want %d", n, events)
	}
	const places = 8
	for end := time.Now().Add(time.Minute); refused.Load() < 200-places && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	if n, wrong := silent.count(), 200-refused.Load(); n > places || wrong > places {
		t.Errorf("%d tests reached the receiver, %d were not refused; want %d at most", n, wrong, places)
	}
	silent.CloseClientConnections()
	tests.Wait()
}
