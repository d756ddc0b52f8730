package ingest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
)

// FuzzPublish holds that every body is either taken whole, as valid messages
// that the queue can carry, or refused with nothing sent.
func FuzzPublish(f *testing.F) {
	for _, body := range []string{
		`{"type":"a","data":1}`, `[{"type":"a","id":"1","source":"/s","subject":"u","time":"2026-03-01T11:00:00Z","data":{"x":[1]}}]`,
		`[]`, `{"type":"postino.x","data":1}`, `{"type":"a","type":"b"}`, "{\"type\":\"\xff\"}", `[[[[`, `{"type":"a","data":`, `{"type":1,"extra":{}}`,
		`{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{},"ext":5}`, `[{"specversion":"1.0","id":"1","source":"/s","type":"t"}]`,
		`{"specversion":"1.0","id":"1","source":"/s","type":"t","data_base64":"AA=="}`,
	} {
		for mode := range 3 {
			f.Add(byte(mode), []byte(body))
		}
	}
	types := []string{"application/json", "application/cloudevents+json", "application/cloudevents-batch+json"}
	f.Fuzz(func(t *testing.T, mode byte, body []byte) {
		var o outside
		got := post(t, o.handler(), string(body), "Content-Type", types[int(mode)%len(types)])
		judge(t, &o, got)
	})
}

// judge holds what is true of every answer.
func judge(t *testing.T, o *outside, got answer) {
	t.Helper()
	switch got.status {
	case 202:
	case 400, 413, 415, 422:
		if len(o.messages) > 0 {
			t.Errorf("answer %d, but %d messages sent", got.status, len(o.messages))
		}
		return
	default:
		t.Fatalf("answer %d %s", got.status, got.body)
	}
	ids := got.IDs
	if got.ID != "" {
		ids = []string{got.ID}
	}
	events := o.events(t)
	if len(events) != len(ids) {
		t.Fatalf("%d events sent, %d ids answered", len(events), len(ids))
	}
	for i, e := range events {
		if e.ID != ids[i] || e.Type == "" || e.Source == "" || e.Nonce == "" || e.Tenant != "acme" {
			t.Errorf("event %d is %+v, answered %q", i, e, ids[i])
		}
		if e.Data != nil && !json.Valid(e.Data) || e.Extensions != nil && !json.Valid(e.Extensions) {
			t.Errorf("event %d carries what is not JSON: %q %q", i, e.Data, e.Extensions)
		}
	}
	for _, m := range o.messages {
		if p, err := message.DecodeAs[message.Pack](m.Body); err != nil || len(m.Body) > queue.MaxBody && len(p.Events) > 0 {
			t.Errorf("message of %d bytes: %v", len(m.Body), err)
		}
	}
}

// FuzzHeaders holds the same for CloudEvents in binary mode, and that what the
// SDK understands as the same event is the same for us.
func FuzzHeaders(f *testing.F) {
	f.Add("1", "/s", "t", "u 1", "2026-03-01T11:00:00Z", "myext", "value", []byte(`{"a":1}`))
	f.Add(`"q\"x"`, "%2Fs", "a%20b", "%ff", "x", "dataschema", "https://x.example/s", []byte(``))
	f.Add("%", "postino", "postino.x", "", "2099-01-01T00:00:00Z", "data", "50%", []byte(`{`))
	f.Add("é", "/é", "tü", "\x7f", "1969-01-01T00:00:00Z", "My-Ext", "%E2%82", []byte(`null`))
	f.Fuzz(func(t *testing.T, id, source, typ, subject, when, name, value string, body []byte) {
		r := httptest.NewRequest("POST", "/v1/tenants/acme/events", strings.NewReader(string(body)))
		r.Header = http.Header{
			"Authorization": {"Bearer " + adminKey}, "Content-Type": {"application/json"}, "Ce-Specversion": {"1.0"},
			"Ce-Id": {id}, "Ce-Source": {source}, "Ce-Type": {typ}, "Ce-Subject": {subject}, "Ce-Time": {when},
		}
		r.Header.Set("Ce-"+name, value)
		var o outside
		got := send(t, o.handler(), r)
		judge(t, &o, got)
		if got.status != 202 || strings.ContainsAny(id+source+typ+subject+value+when, `%"`) {
			return
		}
		again := httptest.NewRequest("POST", "/", strings.NewReader(string(body)))
		again.Header = r.Header
		theirs, err := cehttp.NewEventFromHTTPRequest(again)
		if err != nil {
			return // stricter than we, or than CloudEvents
		}
		ours := o.events(t)[0]
		if theirs.ID() != ours.ID || theirs.Type() != ours.Type || theirs.Source() != ours.Source || theirs.Subject() != ours.Subject {
			t.Errorf("the SDK reads %v, we %+v", theirs, ours)
		}
	})
}
