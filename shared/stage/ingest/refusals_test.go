package ingest_test

import (
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/postino/postino/shared/webhook"
)

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
		{"bad type", `{"type":"a ","data":1}`, nil, 422, []string{"type"}},
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
		{"structured, no ASCII type", `{"specversion":"1.0","id":"1","source":"/s","type":"t","datacontenttype":"é/json","data":1}`, ce, 422, []string{"datacontenttype"}},
		{"structured, bad attributes", `{"specversion":"1.0","id":"1","source":"/s","type":"postino.x","dataschema":"x","time":"x","subject":""}`, ce, 422, []string{"dataschema", "subject", "time", "type"}},
		{"structured, bad extensions", `{"specversion":"1.0","id":"1","source":"/s","type":"t","Abc":"x","a_b":1,"obj":{},"arr":[],"frac":1.5,"big":2147483648,"ctl":"a\nb"}`, ce, 422, []string{"Abc", "a_b", "arr", "big", "ctl", "frac", "obj"}},
		{"structured, large extensions", `{"specversion":"1.0","id":"1","source":"/s","type":"t","x":"` + strings.Repeat("x", 17<<10) + `"}`, ce, 422, []string{"x"}},
		{"batch, object", `{"specversion":"1.0","id":"1","source":"/s","type":"t"}`, batch, 422, []string{"body"}},
		{"batch, one bare", `[{"specversion":"1.0","id":"1","source":"/s","type":"t"},{}]`, batch, 422, []string{"[1].id", "[1].source", "[1].specversion", "[1].type"}},
		{"binary, bare", `{}`, []string{"ce-id", "1"}, 422, []string{"ce-source", "ce-specversion", "ce-type"}},
		{"binary, other version", `{}`, binary("ce-specversion", "2.0"), 422, []string{"ce-specversion"}},
		{"binary, text", `hello`, binary("Content-Type", "text/plain"), 415, nil},
		{"binary, malformed", `{"a":`, binary(), 400, nil},
		{"binary, duplicate key", `{"a":1,"a":2}`, binary(), 400, []string{"a"}},
		{"binary, not UTF-8", `{}`, binary("ce-subject", "%ff"), 422, []string{"ce-subject"}},
		{"binary, bad attributes", `{}`, binary("ce-time", "x", "ce-type", "a%20", "ce-my-ext", "1"), 422, []string{"ce-my-ext", "ce-time", "ce-type"}},
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
		!strings.HasSuffix(got.Type, "#"+got.Code) || got.Code == "" || got.Title == "" || got.Detail == "" {
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

func TestAStrictInstallationTakesOnlyTenantsThatWereMade(t *testing.T) {
	for _, tt := range []struct {
		strict       bool
		tenant, code string
		status       int
	}{
		{true, "acme", "", 202},
		{true, "acm", "tenant_not_made", 404},
		{false, "acm", "", 202},
	} {
		var o outside
		h := o.handler()
		h.Made, h.Strict, h.Types = tt.strict, tt.strict, &registered{schemas: map[string]string{"order": `true`}}
		for range 2 { // a refusal is not remembered as a tenant that is known
			got := do(t, h, "POST", "/v1/tenants/"+tt.tenant+"/events", `{"type":"order","data":1}`)
			if got.status != tt.status || got.Code != tt.code {
				t.Errorf("strict %v: an event of %s = %d %s, want %d %s", tt.strict, tt.tenant, got.status, got.body, tt.status, tt.code)
			}
		}
		if tt.code != "" && (len(o.tenants) > 0 || len(o.messages) > 0) {
			t.Errorf("strict: a refused event made %v and queued %d messages", o.tenants, len(o.messages))
		}
		if got := do(t, h, "POST", "/v1/tenants/"+tt.tenant+"/events", `{"type":"ordr","data":1}`); tt.code != "" && got.Code != tt.code {
			t.Errorf("what is wrong with the tenant comes before what is wrong with its events: %s", got.body)
		}
	}
}

func TestAStrictInstallationSaysWhyATenantCannotBeFound(t *testing.T) {
	for _, tt := range []struct {
		fault  error
		status int
	}{{webhook.ErrDeleting, 409}, {webhook.ErrBusy, 503}} {
		o := outside{ensure: tt.fault}
		h := o.handler()
		h.Made = true
		if got := post(t, h, `{"type":"a","data":1}`); got.status != tt.status {
			t.Errorf("%v: %d %s, want %d", tt.fault, got.status, got.body, tt.status)
		}
	}
}
