package console

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
)

// furnish gives a tenant one thing of each kind, with the names and the data that strangers would choose.
func (s *stage) furnish(t *testing.T) map[string]any {
	t.Helper()
	evil := func(where string) string { return string(httpapi.Encode(planted(where))) } // with its < as it is
	put := func(path, format string, values ...any) {
		t.Helper()
		s.call(t, http.MethodPut, path, fmt.Sprintf(format, values...), nil)
	}
	put("/subscriptions/orders", `{"name":"Orders to the shop","url":"%s/orders","types":["order.*"]}`, s.receiver)
	put("/subscriptions/broken", `{"name":%s,"description":%s,"url":"%s/broken","types":["order.paid"],"retry":{"schedule":["1s"]}}`, evil("name"), evil("description"), s.receiver)
	put("/subscriptions/fifth-flight", `{"name":"Ten points on the fifth flight","url":"%s/points","types":["flight.booked"],"trigger":{"key":"subject","at":5,"distinct":"data.booking"}}`, s.receiver)
	put("/subscriptions/rich", `{"name":"Only large orders","url":"%s/rich","types":["order.*"],"filter":{"data":{"amount":[{"numeric":[">",100]}]}}}`, s.receiver)
	put("/subscriptions/resting", `{"url":"%s/resting","types":["order.*"],"state":"paused"}`, s.receiver)
	put("/event-types/order.paid", `{"description":%s,"sample":{"amount":1}}`, evil("event type"))
	put("/secrets/loyalty", `{"value":"s3cr3t-token"}`)
	put("/segments/gold", `{"name":%s,"filter":{"profile":{"plan":["gold"]}}}`, evil("segment"))
	put("/campaigns/spring", `{"name":%s,"tags":["promo"],"state":"live","holdout":10,"cap":{"max":2,"per":"7d"},"audience":{"profile":{"plan":["gold"]}}}`, evil("campaign"))
	put("/subscriptions/postcard", `{"name":"Postcards","url":"%s/postcards","types":["postino.send"],"campaign":"spring"}`, s.receiver)
	put("/profiles/ada", `{"attributes":{"plan":"gold","note":%s}}`, evil("attribute"))
	s.call(t, http.MethodPost, "/keys", `{"role":"publish","name":"shop"}`, nil)
	for i := range 3 {
		s.call(t, http.MethodPost, "/events", fmt.Sprintf(`{"id":"order-%d","type":"order.paid","subject":"ada","data":{"amount":12.50,"note":%s}}`, i, evil("data")), nil)
	}
	s.call(t, http.MethodPost, "/events", fmt.Sprintf(`{"id":"odd","type":%s,"subject":%s,"data":null}`, evil("type"), evil("subject")), nil)
	s.call(t, http.MethodPost, "/events", `{"id":"flight-1","type":"flight.booked","subject":"ada","data":{"booking":"B1"}}`, nil)
	var failed, job struct{ ID string }
	failed.ID = s.awaitDelivery(t, "broken", "exhausted")
	s.awaitDelivery(t, "orders", "succeeded")
	s.call(t, http.MethodPost, "/subscriptions/broken/recover", `{"after":"2026-01-01T00:00:00Z","dry_run":true}`, &job)
	return map[string]any{"failed": failed.ID, "job": job.ID}
}

// awaitDelivery returns a delivery of a subscription with a status, once there is one.
func (s *stage) awaitDelivery(t *testing.T, subscription, status string) string {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		var list struct{ Data []struct{ ID string } }
		s.call(t, http.MethodGet, "/deliveries?subscription="+subscription+"&status="+status, "", &list)
		if len(list.Data) > 0 {
			return list.Data[0].ID
		}
	}
	t.Fatalf("no delivery of %s is %s after a minute", subscription, status)
	return ""
}

func TestEveryScreenIsAccessibleAndShowsStrangersTextAsText(t *testing.T) {
	s := play(t)
	known := s.furnish(t)
	if n := len(s.verified(t, "/orders", "orders")); n != 3 {
		t.Errorf("%d callbacks came to /orders, want 3", n)
	}
	s.browse(t, "screens", known)
}
