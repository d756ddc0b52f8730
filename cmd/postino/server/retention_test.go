package server_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/cmd/postino/server"
	"github.com/postino/postino/shared/webhook"
)

func startKeeping(t *testing.T, keep webhook.Retention) *api {
	t.Helper()
	return open(t, func(c *server.Config) { c.TestClock, c.Retention, c.Log = true, keep, logs(t, slog.LevelWarn) })
}

const day = 24 * time.Hour

func TestMetadataOutlivesPayloadsAndThenGoes(t *testing.T) {
	a := startKeeping(t, webhook.Retention{All: 20 * day, Payload: 3 * day, Once: 400 * day})
	well := newSubscriber(t, func(_ int, w http.ResponseWriter) { w.Write([]byte("thank you")) })
	failing := newSubscriber(t, status(500))
	a.subscribe("well", `"url":"`+well.URL+`"`)
	a.subscribe("failing", `"url":"`+failing.URL+`","retry":{"schedule":["5s"]}`)
	a.subscribe("paused", `"url":"`+well.URL+`/paused","state":"paused","types":["b"]`)
	a.call("POST", "/v1/tenants/acme/events", 202, `[{"type":"a","id":"e1","data":{"n":1}},{"type":"b","id":"e2","data":{"n":2}}]`)
	a.advance("1h")
	ids := map[string]string{}
	for _, d := range a.deliveries("event=e1") {
		ids[d["subscription"].(string)] = d["id"].(string)
	}
	response := func(id string) any {
		attempts := a.call("GET", "/v1/tenants/acme/deliveries/"+ids[id], 200, "")["attempts"].([]any)
		return attempts[0].(map[string]any)["response"]
	}
	if e := a.call("GET", "/v1/tenants/acme/events/e1", 200, ""); e["data"] == nil || response("well") == nil || response("failing") == nil {
		t.Errorf("at first: event %v, answers %v and %v", e, response("well"), response("failing"))
	}
	a.advance("3d")
	if e := a.call("GET", "/v1/tenants/acme/events/e1", 200, ""); e["data"] != nil || e["subject"] != nil || e["expunged"] != false {
		t.Errorf("after three days: %v, want no data", e)
	}
	if response("well") != nil || response("failing") != nil {
		t.Errorf("after three days: answers %v and %v", response("well"), response("failing"))
	}
	for _, id := range ids {
		a.call("POST", "/v1/tenants/acme/deliveries/"+id+"/retry", 409, "")
	}
	a.call("POST", "/v1/tenants/acme/events/e1/replay", 409, "")
	a.advance("17d")
	a.call("GET", "/v1/tenants/acme/events/e1", 404, "")
	for _, id := range ids {
		a.call("GET", "/v1/tenants/acme/deliveries/"+id, 404, "")
	}
	a.call("POST", "/v1/tenants/acme/subscriptions/paused/resume", 200, "")
	a.advance("1m")
	if got := well.bodies[len(well.bodies)-1]; !strings.Contains(got, `{"n":2}`) {
		t.Errorf("what waited for three weeks was posted as %s", got)
	}
	a.call("GET", "/v1/tenants/acme/events/e2", 200, "")
}

func TestATimerKeepsItsEventsData(t *testing.T) {
	a := startKeeping(t, webhook.Retention{All: 15 * day, Payload: day, Once: 45 * day})
	sub := newSubscriber(t, status(200))
	a.subscribe("s", `"url":"`+sub.URL+`","trigger":{"delay":"40d"}`)
	a.call("POST", "/v1/tenants/acme/events", 202, `{"type":"a","id":"e1","subject":"u","data":{"n":1}}`)
	for range 41 {
		a.advance("1d")
	}
	if sub.count() != 1 || !strings.Contains(sub.bodies[0], `{"n":1}`) {
		t.Errorf("%d callbacks %q, want the event's data after 40 days", sub.count(), sub.bodies)
	}
}

func TestOnceIsForgottenAfterItsRetention(t *testing.T) {
	a := startKeeping(t, webhook.Retention{All: 15 * day, Payload: day, Once: 45 * day})
	sub := newSubscriber(t, status(200))
	a.subscribe("s", `"url":"`+sub.URL+`","trigger":{"once":true}`)
	for i, tt := range []struct {
		after string
		want  int
	}{{"1m", 1}, {"44d", 1}, {"46d", 2}} {
		a.advance(tt.after)
		a.call("POST", "/v1/tenants/acme/events", 202, `{"type":"a","id":"e`+string(rune('0'+i))+`","subject":"u","data":{}}`)
		a.advance("1s")
		if sub.count() != tt.want {
			t.Errorf("after %s more: %d callbacks, want %d", tt.after, sub.count(), tt.want)
		}
	}
}

func TestARetentionOutOfBoundsIsRefused(t *testing.T) {
	for _, keep := range []webhook.Retention{
		{All: 14 * day, Payload: day, Once: 400 * day}, {All: 366 * day, Payload: day, Once: 400 * day},
		{All: 30 * day, Payload: time.Hour, Once: 400 * day}, {All: 30 * day, Payload: 31 * day, Once: 400 * day}, {All: 30 * day, Payload: day, Once: 44 * day},
	} {
		if s, err := server.Start(t.Context(), server.Config{Addr: "127.0.0.1:0", Data: t.TempDir(), Retention: keep}); err == nil {
			s.Close(t.Context())
			t.Errorf("a server starts with %+v", keep)
		}
	}
}
