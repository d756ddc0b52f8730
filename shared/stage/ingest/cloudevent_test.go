package ingest_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/client"
	ce "github.com/cloudevents/sdk-go/v2/event"
	"github.com/cloudevents/sdk-go/v2/protocol"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/webhook"
)

// sdkEvent is an event with all that an event can have.
func sdkEvent(t testing.TB, id string) ce.Event {
	e := ce.New("1.0")
	e.SetID(id)
	e.SetSource("https://crm.example/bookings?x=1")
	e.SetType("com.example.flight.booked")
	e.SetSubject("user 1")
	e.SetTime(time.Date(2026, 3, 1, 11, 0, 0, 123_000_000, time.UTC))
	e.SetDataSchema("https://crm.example/schema.json")
	e.SetExtension("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	e.SetExtension("count", 7)
	e.SetExtension("vip", true)
	if err := e.SetData("application/json", json.RawMessage(`{"legs":["CDG","JFK"],"price":410.50}`)); err != nil {
		t.Fatal(err)
	}
	return e
}

// stored is what we make of sdkEvent; headers turn extensions into strings.
func stored(id string, binary bool) webhook.Event {
	extensions := `{"dataschema":"https://crm.example/schema.json","count":7,"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","vip":true}`
	if binary {
		extensions = strings.NewReplacer(":7", `:"7"`, ":true", `:"true"`).Replace(extensions)
	}
	return webhook.Event{
		Tenant: "acme", ID: id, Source: "https://crm.example/bookings?x=1", Type: "com.example.flight.booked", Subject: "user 1",
		Time: time.Date(2026, 3, 1, 11, 0, 0, 123_000_000, time.UTC), Data: json.RawMessage(`{"legs":["CDG","JFK"],"price":410.50}`),
		Extensions: json.RawMessage(extensions), AcceptedAt: clock.Truncate(time.Millisecond),
	}
}

// sameJSON compares raw JSON by what it means.
var sameJSON = cmp.Transformer("JSON", func(raw json.RawMessage) (v any) {
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &v); err != nil {
			return err.Error()
		}
	}
	return v
})

func TestCloudEventsClientIsUnderstood(t *testing.T) {
	for name, encode := range map[string]func(*testing.T, client.Client) []webhook.Event{
		"binary": func(t *testing.T, c client.Client) []webhook.Event {
			checkSent(t, c.Send(binding.WithForceBinary(t.Context()), sdkEvent(t, "e1")))
			return []webhook.Event{stored("e1", true)}
		},
		"structured": func(t *testing.T, c client.Client) []webhook.Event {
			checkSent(t, c.Send(binding.WithForceStructured(t.Context()), sdkEvent(t, "e1")))
			return []webhook.Event{stored("e1", false)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			var o outside
			server := httptest.NewServer(o.handler())
			defer server.Close()
			c, err := client.NewHTTP(cehttp.WithTarget(server.URL+"/v1/tenants/acme/events"), cehttp.WithHeader("Authorization", "Bearer "+adminKey))
			if err != nil {
				t.Fatal(err)
			}
			compare(t, &o, encode(t, c))
		})
	}
}

func checkSent(t *testing.T, result protocol.Result) {
	t.Helper()
	if !protocol.IsACK(result) {
		t.Fatalf("the client was answered %v", result)
	}
}

func compare(t *testing.T, o *outside, want []webhook.Event) {
	t.Helper()
	got := o.events(t)
	for i := range got {
		got[i].Nonce = ""
		want[i].Order = webhook.OrderOf(clock, i)
	}
	if diff := cmp.Diff(want, got, sameJSON); diff != "" {
		t.Errorf("events differ (-want +got):\n%s", diff)
	}
}

func TestCloudEventsBatchIsUnderstood(t *testing.T) {
	var o outside
	r, err := cehttp.NewHTTPRequestFromEvents(t.Context(), "http://postino/v1/tenants/acme/events", []ce.Event{sdkEvent(t, "e1"), sdkEvent(t, "e2")})
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+adminKey)
	got := send(t, o.handler(), r)
	if got.status != 202 || string(got.body) != `{"ids":["e1","e2"]}` {
		t.Fatalf("answer %d %s", got.status, got.body)
	}
	compare(t, &o, []webhook.Event{stored("e1", false), stored("e2", false)})
}

func TestStructuredDataStaysByteForByte(t *testing.T) {
	var o outside
	data := "{ \"b\" : 1.10,\n\"a\":\"\\u00e9<\" }"
	got := post(t, o.handler(), `{"data": `+data+`, "specversion":"1.0","id":"1","source":"/s","type":"t","subject":null,"datacontenttype":"application/geo+json","x":"a<b"}`,
		"Content-Type", "application/cloudevents+json; charset=UTF-8")
	if got.status != 202 {
		t.Fatalf("answer %d %s", got.status, got.body)
	}
	e := o.events(t)[0]
	if string(e.Data) != data || e.Subject != "" {
		t.Errorf("data %q, subject %q", e.Data, e.Subject)
	}
	var extensions map[string]any
	if err := json.Unmarshal(e.Extensions, &extensions); err != nil || !cmp.Equal(extensions, map[string]any{"x": "a<b", "datacontenttype": "application/geo+json"}) {
		t.Errorf("extensions %s, want x and the type of the data", e.Extensions)
	}
}

func TestTheTypeOfDataIsKeptUnlessItSaysNothing(t *testing.T) {
	structured := func(media string) []string {
		return []string{`{"specversion":"1.0","id":"1","source":"/s","type":"t","datacontenttype":"` + media + `","data":1}`, "Content-Type", "application/cloudevents+json"}
	}
	binary := func(media string) []string {
		return []string{"1", "Content-Type", media, "ce-specversion", "1.0", "ce-id", "1", "ce-source", "/s", "ce-type", "t"}
	}
	batch := structured("application/vnd.acme+json")
	batch = []string{"[" + batch[0] + "]", "Content-Type", "application/cloudevents-batch+json"}
	for _, tt := range []struct {
		name       string
		publish    []string
		extensions string
	}{
		{"structured", structured("application/vnd.acme+json"), `{"datacontenttype":"application/vnd.acme+json"}`},
		{"batch", batch, `{"datacontenttype":"application/vnd.acme+json"}`},
		{"binary", binary("application/vnd.acme+json"), `{"datacontenttype":"application/vnd.acme+json"}`},
		{"binary with a parameter", binary("text/json; charset=utf-8"), `{"datacontenttype":"text/json; charset=utf-8"}`},
		{"structured, plain", structured("application/json"), ""},
		{"binary, plain", binary("application/json"), ""},
	} {
		var o outside
		if got := post(t, o.handler(), tt.publish[0], tt.publish[1:]...); got.status != 202 {
			t.Fatalf("%s: answer %d %s", tt.name, got.status, got.body)
		}
		if got := string(o.events(t)[0].Extensions); got != tt.extensions {
			t.Errorf("%s: extensions %s, want %s", tt.name, got, tt.extensions)
		}
	}
}

func TestHeaderValuesAreDecoded(t *testing.T) {
	for value, want := range map[string]string{
		"Euro%20%E2%82%AC%20%F0%9F%98%80": "Euro € 😀",
		"plain value":                     "plain value",
		`"quoted \"value\" 50%25"`:        `quoted "value" 50%`,
		"50%":                             "50%",
		"100%zz":                          "100%zz",
		"%2":                              "%2",
		"%e2%82%ac":                       "€",
		"a%2525":                          "a%25",
	} {
		var o outside
		got := post(t, o.handler(), ` { "a":1 } `, "ce-specversion", "1.0", "ce-id", "1", "ce-source", "/s", "ce-type", "t", "ce-subject", value)
		if got.status != 202 {
			t.Errorf("%q: answer %d %s", value, got.status, got.body)
			continue
		}
		if e := o.events(t)[0]; e.Subject != want || string(e.Data) != ` { "a":1 } ` {
			t.Errorf("%q: subject %q, data %q, want %q and the body as it was", value, e.Subject, e.Data, want)
		}
	}
}

func TestCloudEventWithoutDataHasNone(t *testing.T) {
	var o outside
	h := o.handler()
	post(t, h, ``, "ce-specversion", "1.0", "ce-id", "1", "ce-source", "/s", "ce-type", "t", "Content-Type", "")
	post(t, h, `{"specversion":"1.0","id":"2","source":"/s","type":"t"}`, "Content-Type", "application/cloudevents+json")
	post(t, h, `{"specversion":"1.0","id":"3","source":"/s","type":"t","data":null}`, "Content-Type", "application/cloudevents+json")
	events := o.events(t)
	if len(events) != 3 || events[0].Data != nil || events[1].Data != nil || string(events[2].Data) != "null" {
		t.Errorf("events %+v, want two without data and one with null", events)
	}
}

func TestAnEmptyBatchIsTakenAndHoldsNothing(t *testing.T) {
	var o outside
	got := post(t, o.handler(), `[]`, "content-type", "application/cloudevents-batch+json")
	if got.status != 202 || string(got.body) != `{"ids":[]}` || len(o.messages)+len(o.tenants) > 0 {
		t.Errorf("answer %d %s with %d messages and tenants %v, want 202 with no ids and nothing done", got.status, got.body, len(o.messages), o.tenants)
	}
}

func TestTheHandshakeOfCloudEventsWebhooksIsAnswered(t *testing.T) {
	var o outside
	for origin, want := range map[string]string{"eventemitter.example.com": "*", "": ""} {
		r := httptest.NewRequest("OPTIONS", "/v1/tenants/acme/events", nil)
		if origin != "" {
			r.Header.Set("WebHook-Request-Origin", origin)
			r.Header.Set("WebHook-Request-Rate", "120")
		}
		w := httptest.NewRecorder()
		o.handler().ServeHTTP(w, r)
		if w.Code != 204 || w.Header().Get("WebHook-Allowed-Origin") != want || w.Header().Get("WebHook-Allowed-Rate") != want || w.Header().Get("Allow") == "" {
			t.Errorf("OPTIONS from %q = %d %v, want 204 that allows %q", origin, w.Code, w.Header(), want)
		}
	}
}
