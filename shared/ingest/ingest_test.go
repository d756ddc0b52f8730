package ingest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/httpapi"
	"github.com/postino/postino/shared/ingest"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

const adminKey = "test-admin-key"

var clock = time.Date(2026, 3, 1, 12, 0, 0, 123_456_789, time.UTC)

// outside stands for storage and queue, and remembers what reached them.
type outside struct {
	mu       sync.Mutex
	tenants  []string
	messages []queue.Message

	refuse func([]queue.Message) error // what Send returns; nil takes all
	ensure error
}

func (o *outside) EnsureTenant(_ context.Context, tenant string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tenants = append(o.tenants, tenant)
	return o.ensure
}

func (o *outside) Send(_ context.Context, messages []queue.Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.messages = append(o.messages, messages...)
	if o.refuse != nil {
		return o.refuse(messages)
	}
	return nil
}

// events returns what the queued packs hold.
func (o *outside) events(t testing.TB) []webhook.Event {
	t.Helper()
	var events []webhook.Event
	for _, m := range o.messages {
		p, err := message.DecodePack(m.Body)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, p.Events...)
	}
	return events
}

func (o *outside) handler() *ingest.Handler {
	return &ingest.Handler{Tenants: o, Events: o, Auth: httpapi.NewAdminKey(adminKey), Now: func() time.Time { return clock }}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte

	ID       string   `json:"id"`
	IDs      []string `json:"ids"`
	Title    string   `json:"title"`
	Type     string   `json:"type"`
	Status   int      `json:"status"`
	Detail   string   `json:"detail"`
	Accepted []string `json:"accepted"`
	Errors   []httpapi.FieldError
}

func (a answer) fields() []string {
	var fields []string
	for _, e := range a.Errors {
		fields = append(fields, e.Field)
	}
	slices.Sort(fields)
	return fields
}

func post(t testing.TB, h http.Handler, body string, headers ...string) answer {
	t.Helper()
	return do(t, h, "POST", "/v1/tenants/acme/events", body, headers...)
}

// do sends a request; headers are names and values in turn, and an empty value
// removes one.
func do(t testing.TB, h http.Handler, method, path, body string, headers ...string) answer {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+adminKey)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		if r.Header.Del(headers[i]); headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	return send(t, h, r)
}

func send(t testing.TB, h http.Handler, r *http.Request) answer {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	a := answer{status: w.Code, header: w.Header(), body: w.Body.Bytes()}
	if len(a.body) > 0 {
		if err := json.Unmarshal(a.body, &a); err != nil {
			t.Fatalf("answer %d %q: %v", a.status, a.body, err)
		}
	}
	return a
}

func TestEventReachesTheQueueAsPublished(t *testing.T) {
	var o outside
	data := "{ \"b\" : 1.10,\n\"a\":[\"\\u00e9<&>\" ] }"
	got := post(t, o.handler(), `{"type":"flight.booked","id":"b-1","source":"/crm","subject":"u1","time":"2026-03-01T11:00:00+02:00","data":`+data+` }`)
	if got.status != 202 || got.ID != "b-1" || string(got.body) != `{"id":"b-1"}` {
		t.Fatalf("answer %d %s", got.status, got.body)
	}
	events := o.events(t)
	if len(events) != 1 || events[0].Nonce == "" {
		t.Fatalf("queued %+v, want one event with a nonce", events)
	}
	events[0].Nonce = ""
	want := webhook.Event{
		Tenant: "acme", ID: "b-1", Source: "/crm", Type: "flight.booked", Subject: "u1",
		Time: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), Data: json.RawMessage(data),
		AcceptedAt: clock.Truncate(time.Millisecond),
	}
	if diff := cmp.Diff(want, events[0]); diff != "" {
		t.Errorf("event differs (-want +got):\n%s", diff)
	}
	if o.messages[0].Group != "acme" {
		t.Errorf("group %q, want the tenant", o.messages[0].Group)
	}
}

func TestWhatThePublisherLeavesOutIsChosen(t *testing.T) {
	var o outside
	h := o.handler()
	first := post(t, h, `{"type":"a","data":null}`)
	second := post(t, h, `{"type":"a","data":1}`)
	events := o.events(t)
	if e := events[0]; e.Source != "/tenants/acme" || !e.Time.Equal(e.AcceptedAt) || string(e.Data) != "null" || e.ID != first.ID {
		t.Errorf("event %+v, answered %s", e, first.ID)
	}
	for _, id := range []string{first.ID, second.ID} {
		if len(id) != 30 || !strings.HasPrefix(id, "evt_") || id != strings.ToLower(id) {
			t.Errorf("id %q, want evt_ and a lower-case ULID", id)
		}
	}
	if first.ID == second.ID || events[0].Nonce == events[1].Nonce {
		t.Errorf("two events share id %q or nonce %q", first.ID, events[0].Nonce)
	}
	if !slices.Equal(o.tenants, []string{"acme"}) {
		t.Errorf("tenants ensured: %v, want acme once", o.tenants)
	}
}

func TestArrayIsAnsweredInOrder(t *testing.T) {
	var o outside
	var body []string
	for i := range webhook.MaxBatch {
		body = append(body, fmt.Sprintf(`{"type":"t","id":"e%d","data":%d}`, i, i))
	}
	got := post(t, o.handler(), "["+strings.Join(body, " , ")+"]")
	if got.status != 202 || len(got.IDs) != webhook.MaxBatch {
		t.Fatalf("answer %d with %d ids", got.status, len(got.IDs))
	}
	for i, e := range o.events(t) {
		if want := fmt.Sprintf("e%d", i); e.ID != want || got.IDs[i] != want || string(e.Data) != fmt.Sprint(i) {
			t.Fatalf("place %d holds %s with %s, answered %s", i, e.ID, e.Data, got.IDs[i])
		}
	}
	if len(o.messages) != 1 {
		t.Errorf("%d messages, want all 500 small events in one", len(o.messages))
	}
}

func TestLargeEventsArePackedApart(t *testing.T) {
	var o outside
	var body []string
	for i := range 15 {
		body = append(body, fmt.Sprintf(`{"type":"t","id":"e%d","data":"%s"}`, i, strings.Repeat("x", 250<<10)))
	}
	if got := post(t, o.handler(), "["+strings.Join(body, ",")+"]"); got.status != 202 {
		t.Fatalf("answer %d %.200s", got.status, got.body)
	}
	if len(o.messages) != 15 || len(o.events(t)) != 15 {
		t.Errorf("%d messages with %d events, want 15 of one", len(o.messages), len(o.events(t)))
	}
	for i, m := range o.messages {
		if len(m.Body) > queue.MaxBody {
			t.Errorf("message %d has %d bytes, the queue takes %d", i, len(m.Body), queue.MaxBody)
		}
	}
}

func TestWorstEnvelopeFitsTheQueue(t *testing.T) {
	var o outside
	escaped := strings.Repeat("<", 240)
	body := `{"specversion":"1.0","type":"` + strings.Repeat("<", 128) + `","source":"/` + strings.Repeat("é", 511) + `","id":"` + escaped + `"`
	for i := range 60 {
		body += fmt.Sprintf(`,"x%d":"%s"`, i, escaped)
	}
	body += `,"data":"`
	body += strings.Repeat("x", webhook.MaxEventSize-len(body)-2) + `"}`
	got := post(t, o.handler(), body, "Content-Type", "application/cloudevents+json")
	if got.status != 202 {
		t.Fatalf("answer %d %s", got.status, got.body)
	}
	if n := len(o.messages[0].Body); n > queue.MaxBody {
		t.Errorf("an event of %d bytes became a message of %d, the queue takes %d", len(body), n, queue.MaxBody)
	}
}

func TestIdempotencyKeyMakesIdsRepeatable(t *testing.T) {
	var o outside
	h := o.handler()
	body := `[{"type":"a","data":1},{"type":"a","data":2},{"type":"a","id":"mine","data":2}]`
	first := post(t, h, body, "Idempotency-Key", "k-1")
	again := post(t, h, body, "Idempotency-Key", "k-1")
	other := post(t, h, body, "Idempotency-Key", "k-2")
	foreign := do(t, h, "POST", "/v1/tenants/other/events", body, "Idempotency-Key", "k-1")
	if !slices.Equal(first.IDs, again.IDs) || first.IDs[0] == first.IDs[1] || first.IDs[2] != "mine" {
		t.Errorf("ids %v, then %v", first.IDs, again.IDs)
	}
	if other.IDs[0] == first.IDs[0] || foreign.IDs[0] == first.IDs[0] {
		t.Errorf("another key or tenant gave the same id %v", first.IDs[0])
	}
	for _, bad := range []string{strings.Repeat("k", 257), "a\tb", "é"} {
		if got := post(t, h, body, "Idempotency-Key", bad); got.status != 422 || !slices.Equal(got.fields(), []string{"Idempotency-Key"}) {
			t.Errorf("key %.20q: %d %v", bad, got.status, got.fields())
		}
	}
}

func TestOneIdTwiceInAnArrayIsTwoPublications(t *testing.T) {
	var o outside
	got := post(t, o.handler(), `[{"type":"a","id":"1","data":1},{"type":"a","id":"1","data":1}]`)
	events := o.events(t)
	if got.status != 202 || len(events) != 2 || events[0].Nonce == events[1].Nonce {
		t.Errorf("answer %d, %d events; want both, with their own nonces", got.status, len(events))
	}
}

func TestHalfFailedSendListsWhatWasAccepted(t *testing.T) {
	var o outside
	o.refuse = func([]queue.Message) error {
		return fmt.Errorf("send: %w", &queue.Unsent{Indexes: []int{1}, Err: queue.ErrBusy})
	}
	big := strings.Repeat("x", 100<<10)
	var body []string
	for i := range 5 {
		body = append(body, fmt.Sprintf(`{"type":"t","id":"e%d","data":"%s"}`, i, big))
	}
	got := post(t, o.handler(), "["+strings.Join(body, ",")+"]")
	if len(o.messages) < 3 {
		t.Fatalf("%d messages, want several", len(o.messages))
	}
	lost, err := message.DecodePack(o.messages[1].Body)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"e0", "e1", "e2", "e3", "e4"}
	want = slices.DeleteFunc(want, func(id string) bool {
		return slices.ContainsFunc(lost.Events, func(e webhook.Event) bool { return e.ID == id })
	})
	if got.status != 503 || got.header.Get("Retry-After") == "" || !slices.Equal(got.Accepted, want) {
		t.Errorf("answer %d, Retry-After %q, accepted %v, want 503 with %v", got.status, got.header.Get("Retry-After"), got.Accepted, want)
	}
}

func TestFailedSendAcceptsNothing(t *testing.T) {
	for name, o := range map[string]*outside{
		"queue":  {refuse: func([]queue.Message) error { return errors.New("secret-endpoint: connection refused") }},
		"all":    {refuse: func([]queue.Message) error { return &queue.Unsent{Indexes: []int{0}, Err: queue.ErrBusy} }},
		"tenant": {ensure: errors.New("secret-table is gone")},
	} {
		got := post(t, o.handler(), `{"type":"a","data":1}`)
		if got.status != 503 || got.header.Get("Retry-After") == "" || got.Accepted == nil || len(got.Accepted) != 0 {
			t.Errorf("%s: answer %d %s", name, got.status, got.body)
		}
		if bytes.Contains(got.body, []byte("secret")) {
			t.Errorf("%s: the answer tells our internals: %s", name, got.body)
		}
	}
}

func TestTenantThatCouldNotBeEnsuredIsTriedAgain(t *testing.T) {
	o := outside{ensure: errors.New("down")}
	h := o.handler()
	post(t, h, `{"type":"a","data":1}`)
	o.ensure = nil
	if got := post(t, h, `{"type":"a","data":1}`); got.status != 202 || len(o.tenants) != 2 {
		t.Errorf("answer %d after %d tries", got.status, len(o.tenants))
	}
}

func TestBadInputIsRefusedAndNothingIsSent(t *testing.T) {
	good := `{"type":"a","data":1}`
	over := `{"type":"a","data":"` + strings.Repeat("x", webhook.MaxEventSize) + `"}`
	key := []string{"Authorization", ""}
	ce := []string{"Content-Type", "application/cloudevents+json"}
	batch := []string{"Content-Type", "application/cloudevents-batch+json"}
	binary := func(more ...string) []string {
		return append([]string{"ce-specversion", "1.0", "ce-id", "1", "ce-source", "/s", "ce-type", "t"}, more...)
	}
	for _, tt := range []struct {
		name, body string
		headers    []string
		status     int
		fields     []string
	}{
		{"nothing", ``, nil, 400, nil},
		{"malformed", `{"type":`, nil, 400, nil},
		{"malformed within", `[` + good + `,{"type":"a","data":}]`, nil, 400, []string{"[1].data"}},
		{"trailing bytes", good + good, nil, 400, nil},
		{"duplicate key", `{"type":"a","type":"b","data":1}`, nil, 400, []string{"type"}},
		{"duplicate key, escaped", `{"type":"a","ty\u0070e":"b","data":1}`, nil, 400, []string{"type"}},
		{"duplicate key in data", `[` + good + `,{"type":"a","data":{"x":[{"y":1,"y":2}]}}]`, nil, 400, []string{"[1].data.x[0].y"}},
		{"invalid UTF-8", "{\"type\":\"a\xff\",\"data\":1}", nil, 400, nil},
		{"lone surrogate", `{"type":"a\ud800","data":1}`, nil, 400, []string{"type"}},
		{"nested too deep", `{"type":"a","data":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`, nil, 400, nil},
		{"unknown field", `{"type":"a","data":1,"payload":2}`, nil, 422, []string{"payload"}},
		{"wrong case", `{"Type":"a","data":1}`, nil, 422, []string{"Type", "type"}},
		{"wrong types", `{"type":1,"id":{},"source":[],"subject":true,"time":5,"data":1}`, nil, 422, []string{"id", "source", "subject", "time", "type"}},
		{"null", `{"type":"a","id":null,"data":1}`, nil, 422, []string{"id"}},
		{"no type, no data", `{}`, nil, 422, []string{"data", "type"}},
		{"scalar", `"a"`, nil, 422, []string{"body"}},
		{"null body", `null`, nil, 422, []string{"body"}},
		{"bad type", `{"type":"a b","data":1}`, nil, 422, []string{"type"}},
		{"empty type", `{"type":"","data":1}`, nil, 422, []string{"type"}},
		{"long type", `{"type":"` + strings.Repeat("t", 129) + `","data":1}`, nil, 422, []string{"type"}},
		{"our type", `{"type":"postino.delivery.exhausted","data":1}`, nil, 422, []string{"type"}},
		{"our source", `{"type":"a","source":"postino","data":1}`, nil, 422, []string{"source"}},
		{"bad id", `{"type":"a","id":"","data":1}`, nil, 422, []string{"id"}},
		{"long id", `{"type":"a","id":"` + strings.Repeat("i", 257) + `","data":1}`, nil, 422, []string{"id"}},
		{"control character in id", `{"type":"a","id":"a\u0000","data":1}`, nil, 422, []string{"id"}},
		{"bad time", `{"type":"a","time":"yesterday","data":1}`, nil, 422, []string{"time"}},
		{"time ahead", `{"type":"a","time":"2026-03-01T12:05:01Z","data":1}`, nil, 422, []string{"time"}},
		{"one bad element", `[` + good + `,` + good + `,` + good + `,{"type":5,"data":1}]`, nil, 422, []string{"[3].type"}},
		{"two bad elements", `[{"data":1},` + good + `,7]`, nil, 422, []string{"[0].type", "[2]"}},
		{"empty array", `[]`, nil, 422, []string{"body"}},
		{"501 events", `[` + strings.Repeat(good+",", 500) + good + `]`, nil, 422, []string{"body"}},
		{"large event", over, nil, 413, []string{"body"}},
		{"large element", `[` + good + `,` + over + `]`, nil, 413, []string{"[1]"}},
		{"large request", `[` + strings.Repeat(good+",", 200_000) + good + `]`, nil, 413, nil},
		{"no content type", good, []string{"Content-Type", ""}, 415, nil},
		{"form", good, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, nil},
		{"text", good, []string{"Content-Type", "text/plain"}, 415, nil},
		{"broken content type", good, []string{"Content-Type", "application/json; charset"}, 415, nil},
		{"other charset", good, []string{"Content-Type", "application/json; charset=latin1"}, 415, nil},
		{"compressed", good, []string{"Content-Encoding", "gzip"}, 415, nil},
		{"no key", good, key, 401, nil},
		{"wrong key", good, []string{"Authorization", "Bearer test-admin-kex"}, 401, nil},
		{"other scheme", good, []string{"Authorization", "Basic " + adminKey}, 401, nil},

		{"structured, bare", `{}`, ce, 422, []string{"id", "source", "specversion", "type"}},
		{"structured, null attributes", `{"specversion":"1.0","id":null,"source":"/s","type":null}`, ce, 422, []string{"id", "type"}},
		{"structured, other version", `{"specversion":"0.3","id":"1","source":"/s","type":"t"}`, ce, 422, []string{"specversion"}},
		{"structured, array", `[{"specversion":"1.0","id":"1","source":"/s","type":"t"}]`, ce, 422, []string{"body"}},
		{"structured, binary data", `{"specversion":"1.0","id":"1","source":"/s","type":"t","data_base64":"AA=="}`, ce, 422, []string{"data_base64"}},
		{"structured, XML data", `{"specversion":"1.0","id":"1","source":"/s","type":"t","datacontenttype":"text/xml","data":"<a/>"}`, ce, 422, []string{"datacontenttype"}},
		{"structured, bad attributes", `{"specversion":"1.0","id":"1","source":"/s","type":"postino.x","dataschema":"x","time":"x","subject":""}`, ce, 422, []string{"dataschema", "subject", "time", "type"}},
		{"structured, bad extensions", `{"specversion":"1.0","id":"1","source":"/s","type":"t","Abc":"x","a_b":1,"obj":{},"arr":[],"frac":1.5,"big":2147483648,"ctl":"a\nb"}`, ce, 422, []string{"Abc", "a_b", "arr", "big", "ctl", "frac", "obj"}},
		{"structured, large extensions", `{"specversion":"1.0","id":"1","source":"/s","type":"t","x":"` + strings.Repeat("x", 17<<10) + `"}`, ce, 422, []string{"x"}},
		{"batch, object", `{"specversion":"1.0","id":"1","source":"/s","type":"t"}`, batch, 422, []string{"body"}},
		{"batch, empty", `[]`, batch, 422, []string{"body"}},
		{"batch, one bare", `[{"specversion":"1.0","id":"1","source":"/s","type":"t"},{}]`, batch, 422, []string{"[1].id", "[1].source", "[1].specversion", "[1].type"}},
		{"binary, bare", `{}`, []string{"ce-id", "1"}, 422, []string{"ce-source", "ce-specversion", "ce-type"}},
		{"binary, other version", `{}`, binary("ce-specversion", "2.0"), 422, []string{"ce-specversion"}},
		{"binary, text", `hello`, binary("Content-Type", "text/plain"), 415, nil},
		{"binary, malformed", `{"a":`, binary(), 400, nil},
		{"binary, duplicate key", `{"a":1,"a":2}`, binary(), 400, []string{"a"}},
		{"binary, not UTF-8", `{}`, binary("ce-subject", "%ff"), 422, []string{"ce-subject"}},
		{"binary, bad attributes", `{}`, binary("ce-time", "x", "ce-type", "a%20b", "ce-my-ext", "1"), 422, []string{"ce-my-ext", "ce-time", "ce-type"}},
		{"binary, misplaced", `{}`, binary("ce-data", "x", "ce-datacontenttype", "application/json"), 422, []string{"ce-data", "ce-datacontenttype"}},
		{"binary, large", `"` + strings.Repeat("x", webhook.MaxEventSize) + `"`, binary(), 413, []string{"body"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var o outside
			got := post(t, o.handler(), tt.body, tt.headers...)
			if got.status != tt.status || !slices.Equal(got.fields(), tt.fields) {
				t.Errorf("answer %d %q with %v, want %d with %v", got.status, got.Detail, got.Errors, tt.status, tt.fields)
			}
			checkProblem(t, got)
			if len(o.messages)+len(o.tenants) > 0 {
				t.Errorf("%d messages sent, tenants %v stored", len(o.messages), o.tenants)
			}
		})
	}
}

func checkProblem(t *testing.T, got answer) {
	t.Helper()
	if got.header.Get("Content-Type") != "application/problem+json" || got.Status != got.status ||
		got.Type != "about:blank" || got.Title == "" || got.Detail == "" {
		t.Errorf("not a problem document: %s %s", got.header.Get("Content-Type"), got.body)
	}
	if got.status == 401 && got.header.Get("WWW-Authenticate") == "" {
		t.Error("401 without WWW-Authenticate")
	}
	if len(got.body) > 8<<10 {
		t.Errorf("the problem has %d bytes", len(got.body))
	}
}

func TestPathsAndMethods(t *testing.T) {
	for _, tt := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"PUT", "/v1/tenants/acme/events", 405, "GET, HEAD, OPTIONS, POST"},
		{"OPTIONS", "/v1/tenants/acme/events", 204, "GET, HEAD, OPTIONS, POST"},
		{"POST", "/v1/tenants/acme/event", 404, ""},
		{"POST", "/v1/tenants/acme/events/", 404, ""},
		{"POST", "/v1/tenants//events", 404, ""},
		{"POST", "/v1/tenants/../tenants/acme/events", 404, ""},
		{"POST", "/v1/tenants/Acme/events", 422, ""},
		{"POST", "/v1/tenants/a%2Fb/events", 422, ""},
		{"POST", "/v1/tenants/" + strings.Repeat("a", 65) + "/events", 422, ""},
		{"POST", "/v1/tenants/postino/events", 403, ""},
		{"POST", "/v1/tenants/acme/events?dry_run=1", 422, ""},
	} {
		var o outside
		got := do(t, o.handler(), tt.method, tt.path, `{"type":"a","data":1}`)
		if got.status != tt.status || got.header.Get("Allow") != tt.allow {
			t.Errorf("%s %s = %d, Allow %q, want %d, %q", tt.method, tt.path, got.status, got.header.Get("Allow"), tt.status, tt.allow)
		}
		if got.status >= 400 {
			checkProblem(t, got)
		}
		if len(o.messages)+len(o.tenants) > 0 {
			t.Errorf("%s %s stored or sent something", tt.method, tt.path)
		}
	}
}

func TestBodyOfUnknownLengthIsBoundedToo(t *testing.T) {
	var o outside
	r := httptest.NewRequest("POST", "/v1/tenants/acme/events", io.MultiReader(strings.NewReader(`{"type":"a","data":"`), endless('x')))
	r.Header.Set("Authorization", "bearer "+adminKey)
	r.Header.Set("Content-Type", "application/json")
	if got := send(t, o.handler(), r); got.status != 413 {
		t.Errorf("answer %d", got.status)
	}
}

type endless byte

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}
