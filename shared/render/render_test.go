package render_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/render"
	"github.com/postino/postino/shared/webhook"
)

var event = webhook.Event{
	Tenant: "acme", ID: "evt_1", Source: "/tenants/acme", Type: "flight.booked", Subject: "u\"1\u2028<&>",
	Time: time.Date(2026, 3, 1, 12, 0, 0, 5e8, time.FixedZone("", 3600)),
	Data: json.RawMessage("{ \"amount\" : 1.10 }"), Extensions: json.RawMessage(`{"traceparent":"00-a"}`),
}

func TestBodiesCarryTheDataByteForByte(t *testing.T) {
	bare := event
	bare.Subject, bare.Data, bare.Extensions = "", nil, nil
	for _, tt := range []struct {
		name   string
		event  webhook.Event
		format string
		want   string
	}{
		{"standard", event, "", `{"id":"evt_1","type":"flight.booked","timestamp":"2026-03-01T11:00:00.5Z","subject":"u\"1` + "\u2028" + `<&>","data":{ "amount" : 1.10 }}`},
		{"standard, bare", bare, "standard", `{"id":"evt_1","type":"flight.booked","timestamp":"2026-03-01T11:00:00.5Z","data":null}`},
		{"cloudevents", event, "cloudevents", `{"specversion":"1.0","id":"evt_1","source":"/tenants/acme","type":"flight.booked","time":"2026-03-01T11:00:00.5Z","subject":"u\"1` + "\u2028" + `<&>","traceparent":"00-a","datacontenttype":"application/json","data":{ "amount" : 1.10 }}`},
		{"cloudevents, bare", bare, "cloudevents", `{"specversion":"1.0","id":"evt_1","source":"/tenants/acme","type":"flight.booked","time":"2026-03-01T11:00:00.5Z"}`},
	} {
		got := render.Content(tt.event, webhook.Subscription{Request: &webhook.RequestSpec{Format: tt.format}})
		if diff := cmp.Diff(tt.want, got.Body.Plain); diff != "" {
			t.Errorf("%s: body differs (-want +got):\n%s", tt.name, diff)
		}
		if !json.Valid([]byte(got.Body.Plain)) {
			t.Errorf("%s: %s is not JSON", tt.name, got.Body.Plain)
		}
	}
}
