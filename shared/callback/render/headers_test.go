package render_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/webhook"
)

func TestHeadersThatServersTakeForOursAreRefused(t *testing.T) {
	for _, tt := range []struct{ name, about string }{
		{"webhook_id", "webhook-id, and it is part of the signature"},
		{"Webhook_Signature", "webhook-signature"},
		{"WEBHOOK-TIMESTAMP", "it is part of the signature"},
		{"webhook.id", "webhook-id"},
		{"postino_event_id", "postino-event-id, and Postino sets it"},
		{"Postino~Attempt", "postino-attempt"},
		{"content_type", "content-type, and use request.content_type"},
		{"Content_Length", "content-length"},
		{"transfer_encoding", "transfer-encoding"},
		{"user_agent", "user-agent"},
		{"idempotency_key", "idempotency-key: write it that way"},
		{"Content-Encoding", "the body is sent as it is"},
		{"content_encoding", "content-encoding"},
		{"Transfer-Encoding", "belongs to the connection"},
		{"Content-MD5", "the signature"},
		{"Digest", "the signature"},
		{"bad name", "the name is not a valid header name"},
	} {
		_, faults := render.Compile(withURL(withHeader(tt.name, "x")))
		if len(faults) != 1 || faults[0].Field != "request.headers."+tt.name || !strings.Contains(faults[0].Detail, tt.about) {
			t.Errorf("%s: faults = %v, want one about %q", tt.name, faults, tt.about)
		}
	}
	for _, name := range []string{"Idempotency-Key", "x_api_key", "X-Webhook-Id", "content-language", "webhooks"} {
		if _, faults := render.Compile(withURL(withHeader(name, "x"))); faults != nil {
			t.Errorf("%s: faults = %v, want none", name, faults)
		}
	}
}

func withURL(s webhook.Subscription) webhook.Subscription {
	s.URL = "https://a.example/"
	return s
}

func TestTwoHeadersThatServersTakeForOneAreRefused(t *testing.T) {
	s := withURL(webhook.Subscription{Request: &webhook.RequestSpec{Headers: map[string]string{"X-A": "1", "x_a": "2", "x.b": "3", "x-c": "4"}}})
	_, faults := render.Compile(s)
	if len(faults) != 1 || faults[0].Field != "request.headers.x_a" || !strings.Contains(faults[0].Detail, "looks like X-A") {
		t.Errorf("faults = %v, want one of x_a, that looks like X-A", faults)
	}
}

func TestWhatAHeaderPrintsByItselfIsJudgedWhenSaved(t *testing.T) {
	for _, tt := range []struct{ value, about string }{
		{"café", `write "é" as %C3%A9`},
		{"{{ data.x }} é", `line 1, column 14: want ASCII: write "é" as %C3%A9`},
		{"{% if data.x %}a\n{% endif %}", "control characters, such as U+000A"},
		{"{% raw %}\u0001{% endraw %}", "U+0001"},
		{"{% cycle 'a', 'é' %}", "%C3%A9"},
		{strings.Repeat("x", 4097) + "{{ data.x }}", "4096"},
	} {
		_, faults := render.Compile(withURL(withHeader("x-a", tt.value)))
		if len(faults) != 1 || faults[0].Field != "request.headers.x-a" || !strings.Contains(faults[0].Detail, tt.about) {
			t.Errorf("%q: faults = %v, want one about %q", tt.value, faults, tt.about)
		}
	}
}

func TestHeadersAreASCII(t *testing.T) {
	e := event
	e.Data = json.RawMessage(`{"x":"Zoë 100%20 \"a\"\t~"}`)
	target, _, err := rendered(t, e, withHeader("x-a", "{{ data.x }}|{{ secrets.s }}"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := render.Fill(target.Headers[0].Value, func(string) string { return "ß" }), "Zo%C3%AB 100%20 \"a\"\t~|ß"; got != want {
		t.Errorf("header = %q, want %q", got, want)
	}
}

func TestHeaderTextIsVisibleASCIIAndDecodes(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"evt_01m84md40pk894ye5z0t998pjc", "evt_01m84md40pk894ye5z0t998pjc"},
		{"ord/1?a=b&c+d#~", "ord/1?a=b&c+d#~"},
		{"bestellung-é", "bestellung-%C3%A9"},
		{"a b", "a%20b"}, {`a"b`, "a%22b"}, {"100%", "100%25"}, {"%41", "%2541"}, {"日😀", "%E6%97%A5%F0%9F%98%80"},
	} {
		got := render.HeaderText(tt.text)
		back, err := url.PathUnescape(got)
		if got != tt.want || back != tt.text || err != nil {
			t.Errorf("HeaderText(%q) = %q, which decodes to %q, %v, want %q", tt.text, got, back, err, tt.want)
		}
	}
}

func TestBodiesAreUTF8AndTheTypeSaysNothingElse(t *testing.T) {
	for _, tt := range []struct{ contentType, about string }{
		{"text/plain; charset=iso-8859-1", "bodies are sent in UTF-8, not in iso-8859-1"},
		{"application/json;charset=utf-16", "UTF-8"},
		{`text/xml; charset="windows-1252"`, "UTF-8"},
		{"application/x-www-form-urlencoded; charset=latin1", "UTF-8"},
		{"json", "media type"}, {"text/", "media type"}, {"", ""}, {"text/plain; charset=UTF-8", ""}, {`text/plain; charset="utf-8"`, ""},
		{"text/plain; a=é", "ASCII"}, {"text/plain; a=" + strings.Repeat("b", 255), "255"}, {"text/{{ data.x }}", "media type"},
	} {
		s := sub(`"x"`)
		s.Request.ContentType = tt.contentType
		if tt.contentType == "" {
			s.Request.Body = json.RawMessage(`{}`)
		}
		_, faults := render.Compile(withURL(s))
		if tt.about == "" && faults == nil {
			continue
		}
		if len(faults) != 1 || faults[0].Field != "request.content_type" || !strings.Contains(faults[0].Detail, tt.about) {
			t.Errorf("%q: faults = %v, want one of content_type about %q", tt.contentType, faults, tt.about)
		}
	}
}

func TestTypesThatAreJSONOrXMLEscapeAsSuch(t *testing.T) {
	for contentType, filter := range map[string]string{
		"text/json": "json", "application/json; charset=utf-8": "json", "application/vnd.acme+json": "json", "application/x-json": "json", "TEXT/JSON": "json",
		"text/xml": "escape", "application/soap+xml; action=a": "escape", "image/svg+xml": "escape", "application/x-www-form-urlencoded": "url_encode",
	} {
		s := sub(`"{{ data.x }}"`)
		s.Request.ContentType = contentType
		_, faults := render.Compile(withURL(s))
		if len(faults) != 1 || !strings.Contains(faults[0].Detail, "must end in | "+filter) {
			t.Errorf("%s: faults = %v, want one: must end in | %s", contentType, faults, filter)
		}
	}
}
