package manage_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	orderType   = "/event-types/order.placed"
	orderSchema = `{"type":"object","required":["total"],"properties":{"total":{"type":"number"}}}`
)

func TestEventTypesAreRegisteredReadAndForgotten(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", "//v1/tenants/acme", "")
	const full = `{"type":"order.placed","description":"an order","deprecated":true,"updated_at":"2026-03-01T12:00:00.000Z","schema":` + orderSchema + `,"sample":{"total":12.50}}`
	body := `{"description":"an order","schema":` + orderSchema + `,"sample":{"total":12.50},"deprecated":true}`
	created := w.must(t, 201, "PUT", orderType, body)
	if got := created.header.Get("Location"); string(created.body) != full || got != "/v1/tenants/acme"+orderType {
		t.Errorf("created %s at %s", created.body, got)
	}
	if got := w.must(t, 200, "PUT", orderType, body); string(got.body) != full {
		t.Errorf("put again %s", got.body)
	}
	if got := w.must(t, 200, "GET", orderType, ""); string(got.body) != full {
		t.Errorf("read %s, want %s", got.body, full)
	}
	w.must(t, 201, "PUT", "/event-types/a%2Fb", `{}`)
	if got := w.must(t, 200, "GET", "/event-types/a%2Fb", ""); got.get(t, "type") != "a/b" || got.get(t, "schema") != nil || got.get(t, "sample") != nil {
		t.Errorf("read %s", got.body)
	}
	const list = `{"data":[{"type":"a/b","description":"","deprecated":false,"updated_at":"2026-03-01T12:00:00.000Z"},` +
		`{"type":"order.placed","description":"an order","deprecated":true,"updated_at":"2026-03-01T12:00:00.000Z"}],"next_cursor":null}`
	if got := w.must(t, 200, "GET", "/event-types?order=asc", ""); string(got.body) != list {
		t.Errorf("list %s, want %s", got.body, list)
	}
	if got := w.must(t, 200, "GET", "//v1/tenants/other/event-types", ""); len(got.get(t, "data").([]any)) != 0 {
		t.Errorf("another tenant's list %s", got.body)
	}
	w.must(t, 400, "GET", "/event-types?cursor=x", "")
	w.must(t, 204, "DELETE", orderType, "")
	w.must(t, 404, "DELETE", orderType, "")
	w.must(t, 404, "GET", orderType, "")
}

func TestBadEventTypesAreRefused(t *testing.T) {
	w := open(t)
	for _, tt := range []struct {
		path, body string
		status     int
		fields     []string
	}{
		{orderType, `{`, 400, nil},
		{orderType, `[]`, 422, []string{"body"}},
		{orderType, `{"description":1,"deprecated":"yes","name":"x"}`, 422, []string{"deprecated", "description", "name"}},
		{orderType, `{"description":"` + strings.Repeat("é", 1001) + `"}`, 422, []string{"description"}},
		{orderType, `{"type":"other","updated_at":5}`, 422, []string{"type", "updated_at"}},
		{orderType, `{"schema":{"$ref":"file:///etc/passwd"}}`, 422, []string{"schema"}},
		{orderType, `{"schema":{"properties":{"a":{"type":"strnig"}}}}`, 422, []string{"schema.properties.a.type"}},
		{orderType, `{"schema":` + orderSchema + `,"sample":{"total":"x"}}`, 422, []string{"sample.total"}},
		{orderType, `{"schema":{"description":"` + strings.Repeat("x", 64<<10) + `"}}`, 422, []string{"schema"}},
		{orderType, `{"sample":"` + strings.Repeat("x", 64<<10) + `"}`, 422, []string{"sample"}},
		{"/event-types/postino.x", `{}`, 422, []string{"type"}},
		{"/event-types/a*", `{}`, 422, []string{"type"}},
		{"/event-types/" + strings.Repeat("x", 129), `{}`, 422, []string{"type"}},
		{"//v1/tenants/postino" + orderType, `{}`, 403, nil},
	} {
		got := w.must(t, tt.status, "PUT", tt.path, tt.body)
		if fields := got.fields(t); !slices.Equal(fields, tt.fields) {
			t.Errorf("PUT %s %.60s: fields %q, want %q", tt.path, tt.body, fields, tt.fields)
		}
	}
	if got := w.must(t, 200, "GET", "/event-types", ""); len(got.get(t, "data").([]any)) != 0 {
		t.Errorf("something was stored: %s", got.body)
	}
}

func TestTheSampleOfItsOneTypeStandsForTheEventOfAPreview(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", orderType, `{"sample":{"total":12.50}}`)
	w.must(t, 201, "PUT", "/event-types/bare", `{}`)
	w.must(t, 201, "POST", sub, `{"id":"s1","url":"https://a.example","types":["order.placed"],"request":{"body":{"sum":"{{ data.total }}"}}}`)
	for _, path := range []string{sub + "/s1/preview", "/preview"} {
		body := `{}`
		if path == "/preview" {
			body = `{"subscription":{"url":"https://a.example","types":["order.placed"],"request":{"body":{"sum":"{{ data.total }}"}}}}`
		}
		got := w.must(t, http.StatusOK, "POST", path, body)
		if got.get(t, "matched") != true || got.get(t, "request", "body") != `{"sum":12.50}` {
			t.Errorf("POST %s = %s", path, got.body)
		}
	}
	for _, types := range []string{`["bare"]`, `["unknown"]`, `["order.*"]`, `["order.placed","bare"]`, `null`} {
		got := w.must(t, 422, "POST", "/preview", `{"subscription":{"url":"https://a.example","types":`+types+`}}`)
		if diff := cmp.Diff([]string{"event"}, got.fields(t)); diff != "" {
			t.Errorf("types %s: %s", types, got.body)
		}
	}
	got := w.must(t, 422, "POST", "/preview", `{}`)
	if diff := cmp.Diff([]string{"event", "subscription"}, got.fields(t)); diff != "" {
		t.Errorf("nothing given: %s", got.body)
	}
}

func TestAnEventOfATrialMayLeaveItsDataToTheSampleOfItsType(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", orderType, `{"sample":{"total":12.50}}`)
	w.must(t, 201, "PUT", "/event-types/bare", `{}`)
	w.must(t, 201, "POST", sub, `{"id":"s1","url":"https://a.example","types":["order.*"],"request":{"body":{"sum":"{{ data.total }}","of":"{{ subject }}"}}}`)
	got := w.must(t, 200, "POST", sub+"/s1/preview", `{"event":{"type":"order.placed","subject":"u1"}}`)
	if want := `{"sum":12.50,"of":"u1"}`; got.get(t, "request", "body") != want {
		t.Errorf("previewed %s, want the body %s", got.body, want)
	}
	for body, want := range map[string]string{
		`{"event":{"type":"bare"}}`:                 "event.data",
		`{"event":{"type":"unknown"}}`:              "event.data",
		`{"event":{"type":"a*"}}`:                   "event.data",
		`{"event":{"typ":"order.placed","data":1}}`: "event.typ event.type",
		`{"event":5}`:                               "event",
	} {
		if got := w.must(t, 422, "POST", sub+"/s1/preview", body); strings.Join(got.fields(t), " ") != want {
			t.Errorf("%s: %s, want faults in %s", body, got.body, want)
		}
	}
}

func TestFaultsOfADraftAreNamedWithinIt(t *testing.T) {
	w := open(t)
	for draft, want := range map[string]string{
		`5`:                                      "subscription",
		`{"url":"https://a.example","colour":1}`: "subscription.colour",
		`{"url":"https://a.example","body":1}`:   "subscription.body",
		`{"url":"https://a.example","auth":{"type":"bearer","token":"{{ secrets.none }}"}}`: "subscription.auth",
		`{"url":"https://a.example","request":{"headers":{"x-a":"{{ secrets.none }}"}}}`:    "subscription.request.headers.x-a",
	} {
		got := w.must(t, 422, "POST", "/preview", `{"subscription":`+draft+`,"event":{"type":"a","data":1}}`)
		if strings.Join(got.fields(t), " ") != want {
			t.Errorf("%s: %s, want a fault in %s", draft, got.body, want)
		}
	}
}
