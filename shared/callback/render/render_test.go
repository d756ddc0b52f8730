package render_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/webhook"
)

var event = webhook.Event{
	Tenant: "acme", ID: "evt_1", Source: "/tenants/acme", Type: "flight.booked", Subject: "u\"1\u2028<&>",
	Time: time.Date(2026, 3, 1, 12, 0, 0, 5e8, time.FixedZone("", 3600)), AcceptedAt: time.Date(2026, 3, 1, 12, 0, 1, 0, time.UTC),
	Data: json.RawMessage("{ \"amount\" : 1.10, \"n\": 12345678901234567890, \"legs\": [ 1, \"b\" ], \"plan\": \"gold\", \"empty\": \"\" }"),
}

// compile compiles a subscription that has no faults.
func compile(t *testing.T, s webhook.Subscription) *render.Request {
	t.Helper()
	if s.URL == "" {
		s.URL = "https://a.example/"
	}
	r, faults := render.Compile(s)
	if len(faults) > 0 {
		t.Fatalf("faults: %v", faults)
	}
	return r
}

func rendered(t *testing.T, e webhook.Event, s webhook.Subscription) (webhook.Target, webhook.Content, error) {
	t.Helper()
	return compile(t, s).Render(render.NewEvent(e), s, render.Occasion{Delivery: "dlv_1", Count: 5})
}

func TestBodiesWithoutTemplateCarryTheDataByteForByte(t *testing.T) {
	withExtension, typed, bare := event, event, event
	typed.Extensions = json.RawMessage(`{"datacontenttype":"application/vnd.acme+json","x":"\"datacontenttype\":"}`)
	withExtension.Extensions = json.RawMessage(`{"traceparent":"00-a"}`)
	bare.Subject, bare.Data = "", nil
	for _, tt := range []struct {
		name   string
		event  webhook.Event
		format string
		want   string
	}{
		{"standard", event, "", `{"id":"evt_1","type":"flight.booked","timestamp":"2026-03-01T11:00:00.500Z","subject":"u\"1` + "\u2028" + `<&>","data":` + string(event.Data) + `}`},
		{"standard, bare", bare, "standard", `{"id":"evt_1","type":"flight.booked","timestamp":"2026-03-01T11:00:00.500Z","data":null}`},
		{"cloudevents", withExtension, "cloudevents", `{"specversion":"1.0","id":"evt_1","source":"/tenants/acme","type":"flight.booked","time":"2026-03-01T11:00:00.500Z","subject":"u\"1` + "\u2028" + `<&>","traceparent":"00-a","datacontenttype":"application/json","data":` + string(event.Data) + `}`},
		{"cloudevents of a type of its own", typed, "cloudevents", `{"specversion":"1.0","id":"evt_1","source":"/tenants/acme","type":"flight.booked","time":"2026-03-01T11:00:00.500Z","subject":"u\"1` + "\u2028" + `<&>","datacontenttype":"application/vnd.acme+json","x":"\"datacontenttype\":","data":` + string(event.Data) + `}`},
		{"cloudevents, bare", bare, "cloudevents", `{"specversion":"1.0","id":"evt_1","source":"/tenants/acme","type":"flight.booked","time":"2026-03-01T11:00:00.500Z"}`},
	} {
		_, got, err := rendered(t, tt.event, webhook.Subscription{Request: &webhook.RequestSpec{Format: tt.format}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, got.Body.Plain); diff != "" {
			t.Errorf("%s: body differs (-want +got):\n%s", tt.name, diff)
		}
		if !json.Valid([]byte(got.Body.Plain)) {
			t.Errorf("%s: %s is not JSON", tt.name, got.Body.Plain)
		}
	}
}

func TestBodiesOfTheOwner(t *testing.T) {
	for _, tt := range []struct{ name, contentType, body, want string }{
		{"lone outputs keep their type", "", `{"n":"{{ data.n }}","legs":"{{ data.legs }}","amount":"{{ data.amount }}","none":"{{ data.x }}","c":"{{ occasion.count }}"}`,
			`{"n":12345678901234567890,"legs":[ 1, "b" ],"amount":1.10,"none":null,"c":5}`},
		{"mixed text is a string", "", `{"text":"plan {{ data.plan }}!","subject":"{{ subject }}"}`, `{"text":"plan gold!","subject":"u\"1` + "\u2028" + `<&>"}`},
		{"keys are templates", "", `{"{{ data.plan }}_at":1,"a":[true,null,{"b":"{{ data.plan | upcase }}"}]}`, `{"gold_at":1,"a":[true,null,{"b":"GOLD"}]}`},
		{"raw JSON", "", `"{\"plan\": {{ data.plan | json }}, \"at\": {{ now | json }} }"`, `{"plan": "gold", "at": "2026-03-01T12:00:01.000Z" }`},
		{"a form", "application/x-www-form-urlencoded", `{"To":"{{ subject }}","Legs":"x{{ data.plan }} y","List":[1,"b&c"],"None":null}`,
			"To=u%221%E2%80%A8%3C%26%3E&Legs=xgold+y&List=1&List=b%26c"},
		{"raw form", "application/x-www-form-urlencoded", `"a={{ subject | url_encode }}"`, "a=u%221%E2%80%A8%3C%26%3E"},
		{"XML", "application/xml", `"<a>{{ subject | escape }}</a>"`, "<a>u&quot;1\u2028&lt;&amp;&gt;</a>"},
		{"text", "text/plain", `"{{ subject }}"`, event.Subject},
		{"metadata", "", `{"team":"{{ subscription.metadata.team }}","delivery":"{{ delivery.uuid }}"}`, `{"team":"red","delivery":"` + uuidOf("dlv_1") + `"}`},
	} {
		_, got, err := rendered(t, event, webhook.Subscription{
			Metadata: json.RawMessage(`{"team":"red"}`),
			Request:  &webhook.RequestSpec{ContentType: tt.contentType, Body: json.RawMessage(tt.body)},
		})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if diff := cmp.Diff(tt.want, got.Body.Plain); diff != "" {
			t.Errorf("%s: body differs (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestTemplatesAreJudgedWhenSaved(t *testing.T) {
	for _, tt := range []struct {
		name         string
		sub          webhook.Subscription
		field, about string
	}{
		{"host", webhook.Subscription{URL: "https://{{ data.host }}/x"}, "url", "scheme, host and port"},
		{"scheme", webhook.Subscription{URL: "{{ data.s }}://a.example/"}, "url", "scheme, host and port"},
		{"port", webhook.Subscription{URL: "https://a.example:{{ data.p }}/"}, "url", "scheme, host and port"},
		{"host's tail", webhook.Subscription{URL: "https://a.example{{ data.p }}"}, "url", "scheme, host and port"},
		{"leftover", webhook.Subscription{URL: "https://a.example/ }}"}, "url", "column"},
		{"unknown filter", sub(`{"a":"{{ data.x | nope }}"}`), "request.body.a", "nope"},
		{"unknown variable", sub(`{"a":{"b":["{{ env.HOME }}"]}}`), "request.body.a.b[0]", "env"},
		{"json text without json", sub(`"{\"a\":{{ data.a }}}"`), "request.body", "| json"},
		{"a secret with a filter", sub(`{"a":"{{ secrets.x | upcase }}"}`), "request.body.a", "secret"},
		{"host header", withHeader("Host", "x"), "request.headers.Host", "url"},
		{"our header", withHeader("Webhook-Id", "x"), "request.headers.Webhook-Id", "signature"},
		{"line break", withHeader("x-a", "a\r\nb"), "request.headers.x-a", "control"},
		{"require", webhook.Subscription{Request: &webhook.RequestSpec{Require: []string{"line_id"}}}, "request.require[0]", "data"},
		{"method", webhook.Subscription{Request: &webhook.RequestSpec{Method: "GET"}}, "request.method", "POST"},
		{"nested form", webhook.Subscription{Request: &webhook.RequestSpec{ContentType: "application/x-www-form-urlencoded", Body: json.RawMessage(`{"a":{"b":1}}`)}}, "request.body.a", "nested"},
		{"nested list in a form", webhook.Subscription{Request: &webhook.RequestSpec{ContentType: "application/x-www-form-urlencoded", Body: json.RawMessage(`{"a":[[1]]}`)}}, "request.body.a[0]", "nested"},
	} {
		if tt.sub.URL == "" {
			tt.sub.URL = "https://a.example/"
		}
		_, faults := render.Compile(tt.sub)
		if len(faults) != 1 || faults[0].Field != tt.field || !strings.Contains(faults[0].Detail, tt.about) {
			t.Errorf("%s: faults = %v, want one of %s about %q", tt.name, faults, tt.field, tt.about)
		}
	}
}

func sub(body string) webhook.Subscription {
	return webhook.Subscription{Request: &webhook.RequestSpec{Body: json.RawMessage(body)}}
}

func withHeader(name, value string) webhook.Subscription {
	return webhook.Subscription{Request: &webhook.RequestSpec{Headers: map[string]string{name: value}}}
}

// nasty is what event data must not do anything with.
var nasty = []string{"../../../admin", "..", "a/b?x=1#f", `"quoted'`, "a\r\nx-evil: 1", "{{ secrets.token }}", "***", "%2e%2e", "a&b=c+d e", "<b>", "\u2028", "ü"}

func TestNothingEscapesItsPlace(t *testing.T) {
	s := webhook.Subscription{
		URL: "https://a.example/users/{{ data.v }}/x?q={{ data.v }}&t={{ secrets.token }}",
		Request: &webhook.RequestSpec{
			Headers: map[string]string{"x-v": "{{ data.v | strip_newlines }}"},
			Body:    json.RawMessage(`{"lone":"{{ data.v }}","mixed":"a{{ data.v }}","{{ data.v }}":1,"s":"x{{ secrets.token }}"}`),
		},
	}
	for _, v := range nasty {
		e := event
		data, _ := json.Marshal(map[string]string{"v": v})
		e.Data = data
		target, content, err := rendered(t, e, s)
		var skip *render.Skip
		if v == ".." {
			if !errors.As(err, &skip) || skip.Reason != webhook.ReasonRenderError {
				t.Errorf("%q in the path: %v, want a skip", v, err)
			}
			continue
		}
		if strings.ContainsAny(v, "\r") {
			s.Request.Headers = nil // shown below
			target, content, err = rendered(t, e, s)
		}
		if err != nil {
			t.Errorf("%q: %v", v, err)
			continue
		}
		checkPlaces(t, v, target, content)
	}
}

func checkPlaces(t *testing.T, v string, target webhook.Target, content webhook.Content) {
	t.Helper()
	fill := func(string) string { return "s&/?#\"" }
	u, err := url.Parse(render.Fill(target.URL, fill))
	if err != nil {
		t.Errorf("%q: %v", v, err)
		return
	}
	if segments := strings.Split(u.EscapedPath(), "/"); len(segments) != 4 || u.Path != "/users/"+v+"/x" || u.Fragment != "" {
		t.Errorf("%q: path %s, fragment %q", v, u.EscapedPath(), u.Fragment)
	}
	if q := u.Query(); len(q) != 2 || q.Get("q") != v || q.Get("t") != fill("") {
		t.Errorf("%q: query %v", v, q)
	}
	if len(target.URL.Inserts) != 1 || len(content.Body.Inserts) != 1 {
		t.Errorf("%q: %d secrets in the url, %d in the body, want 1 and 1", v, len(target.URL.Inserts), len(content.Body.Inserts))
	}
	var body map[string]any
	if err := json.Unmarshal([]byte(render.Fill(content.Body, fill)), &body); err != nil {
		t.Errorf("%q: %v in %s", v, err, content.Body.Plain)
		return
	}
	want := map[string]any{"lone": v, "mixed": "a" + v, v: 1.0, "s": "x" + fill("")}
	if diff := cmp.Diff(want, body); diff != "" {
		t.Errorf("%q: body differs (-want +got):\n%s", v, diff)
	}
}

func TestEventsThatMakeNoCallbackSayWhy(t *testing.T) {
	long := strings.Repeat("x", webhook.MaxBodySize)
	for _, tt := range []struct {
		name   string
		sub    webhook.Subscription
		data   string
		reason webhook.Reason
	}{
		{"empty in the path", webhook.Subscription{URL: "https://a.example/{{ data.x }}/y"}, `{}`, webhook.ReasonMissingField},
		{"a missing field", webhook.Subscription{Request: &webhook.RequestSpec{Require: []string{"data.line_id"}}}, `{"line_id":""}`, webhook.ReasonMissingField},
		{"an attribute that the profile lacks", webhook.Subscription{Request: &webhook.RequestSpec{Require: []string{"profile.address.zip"}}}, `{"line_id":"1"}`, webhook.ReasonMissingField},
		{"abort", sub(`{"a":"{% if data.x %}{% abort 'enough' %}{% endif %}"}`), `{"x":1}`, webhook.ReasonAbort},
		{"a line break in a header", withHeader("x-a", "{{ data.x }}"), `{"x":"a\r\nb"}`, webhook.ReasonRenderError},
		{"a failing filter", sub(`{"a":"{{ data.x | divided_by: 0 }}"}`), `{"x":1}`, webhook.ReasonRenderError},
		{"too much", sub(`{"a":"{{ data.x }}","b":"{{ data.x }}"}`), `{"x":"` + long + `"}`, webhook.ReasonTooLarge},
		{"no JSON", sub(`"{{ data.x | json }}{% if data.x %} {{ data.x | json }}{% endif %}"`), `{"x":1}`, webhook.ReasonRenderError},
		{"bytes that are no text", written("text/plain", "{{ data.x | base64_decode }}"), `{"x":"/w=="}`, webhook.ReasonRenderError},
		{"keys that become one", sub(`{"{{ data.x }}":1,"a":2}`), `{"x":"a"}`, webhook.ReasonRenderError},
	} {
		e := event
		e.Data = json.RawMessage(tt.data)
		_, _, err := rendered(t, e, tt.sub)
		var skip *render.Skip
		if !errors.As(err, &skip) || skip.Reason != tt.reason {
			t.Errorf("%s: %v, want a skip for %s", tt.name, err, tt.reason)
		}
	}
}

func TestWhatIsKeptOfASkipHoldsNothingOfTheEvent(t *testing.T) {
	for _, tt := range []struct {
		name string
		sub  webhook.Subscription
		kept string
	}{
		{"abort in words of its own", sub(`{"a":"{% abort 'no address' %}"}`), "body: line 1, column 1: no address"},
		{"abort in words of the event", sub(`{"a":"{% abort data.x %}"}`), "body: line 1, column 1"},
		{"abort in words of both", sub(`{"a":"no {% abort 'no ' | append: data.x %}"}`), "body: line 1, column 4"},
		{"abort without a word", sub(`{"a":"{% abort %}"}`), "body: line 1, column 1"},
		{"a failing filter in the url", webhook.Subscription{URL: "https://a.example/?n={{ 1 | divided_by: data.zero }}"}, "url: line 1, column 29: divided by 0"},
		{"a failing filter in a header", withHeader("x-a", "n {{ 1 | divided_by: data.zero }}"), "header x-a: line 1, column 10: divided by 0"},
		{"a property by the event", sub(`{"a":"{{ data.list | map: data.x }}"}`), "body: line 1, column 16: cannot select a property of a number"},
		{"nothing in the path", webhook.Subscription{URL: "https://a.example/{{ data.none }}/y"}, "url: line 1, column 19: nothing to print in the path"},
		{"keys that become one", sub(`{"{{ data.x }}":1,"s3cr3t":2}`), "body: two keys render alike"},
		{"no JSON", sub(`"{{ data.x | json }}{% if data.x %} {{ data.x | json }}{% endif %}"`), "body: what was rendered is not JSON"},
		{"no XML", written("application/xml", "<a>{{ data.tag | escape }}</a>"), "body: what was rendered is not XML in UTF-8"},
		{"a line break in a header", withHeader("x-a", "{{ data.lines }}"), "header x-a: want no control characters, and at most 4096 bytes"},
	} {
		e := event
		e.Data = json.RawMessage(`{"x":"s3cr3t","zero":0,"list":[5],"tag":"\u0001s3cr3t","lines":"s3cr3t\r\n"}`)
		_, _, err := rendered(t, e, tt.sub)
		var skip *render.Skip
		if !errors.As(err, &skip) || skip.Kept() != tt.kept {
			t.Errorf("%s: keeps %q of %v, want %q", tt.name, keptOf(skip), err, tt.kept)
		}
	}
}

func keptOf(s *render.Skip) string {
	if s == nil {
		return ""
	}
	return s.Kept()
}

func TestRedactedTextsShowStars(t *testing.T) {
	target, _, err := rendered(t, event, webhook.Subscription{URL: "https://a.example/{{ secrets.path }}?t={{ secrets.token }}"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := render.Redact(target.URL), "https://a.example/***?t=***"; got != want {
		t.Errorf("redacted = %s, want %s", got, want)
	}
	if got, want := render.Fill(target.URL, func(n string) string { return n + "/ä" }), "https://a.example/path%2F%C3%A4?t=token%2F%C3%A4"; got != want {
		t.Errorf("filled = %s, want %s", got, want)
	}
}

func uuidOf(id string) string {
	s := sub(`"{{ delivery.uuid | json }}"`)
	s.URL = "https://a.example/"
	r, _ := render.Compile(s)
	_, c, err := r.Render(render.NewEvent(webhook.Event{}), s, render.Occasion{Delivery: id})
	if err != nil {
		panic(fmt.Sprint(err))
	}
	var text string
	json.Unmarshal([]byte(c.Body.Plain), &text)
	return text
}
