package openapi_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// check holds an answer to the description.
func (d *document) check(t testing.TB, method, path string, answer *http.Response) {
	t.Helper()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Errorf("%s %s: %v", method, path, err)
	}
	if err := d.answer(method, path, answer, body); err != nil {
		t.Errorf("%s %s: %d %s %.2000s: %v", method, path, answer.StatusCode, answer.Header.Get("Content-Type"), body, err)
	}
}

// answer returns what the description does not say of an answer.
func (d *document) answer(method, path string, answer *http.Response, body []byte) error {
	is, err := d.described(method, path, answer.StatusCode)
	if err != nil {
		return err
	}
	if cache := answer.Header.Get("Cache-Control"); cache != "no-store" && !strings.HasPrefix(path, "/console") && !strings.HasPrefix(path, "/portal") {
		return fmt.Errorf("Cache-Control is %q", cache)
	}
	if err := d.headers(is, answer.Header); err != nil {
		return err
	}
	content, _ := is["content"].(object)
	if len(content) == 0 || method == http.MethodHead {
		if len(body) > 0 {
			return fmt.Errorf("no body is described")
		}
		return nil
	}
	media, ok := content[answer.Header.Get("Content-Type")].(object)
	if !ok {
		return fmt.Errorf("this content type is not described")
	}
	if isFile(answer.Header.Get("Content-Type")) {
		return nil
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return d.judge(media["schema"], value)
}

// isFile reports whether a content type is that of a page or of a file that a page loads.
func isFile(media string) bool { return !strings.Contains(media, "json") }

// described finds what the description says of a status: by the operation, or,
// of what it has none for, in general.
func (d *document) described(method, path string, status int) (object, error) {
	methods := d.find(path)
	op, ok := methods[method]
	if get, has := methods[http.MethodGet]; has && method == http.MethodHead {
		op, ok = get, true
	}
	switch {
	case ok:
		is := op.is["responses"].(object)[strconv.Itoa(status)]
		if is == nil {
			return nil, fmt.Errorf("this status is not described")
		}
		return d.resolve(is), nil
	case methods == nil && status == http.StatusNotFound:
		return d.at("#/components/responses/NotFound").(object), nil
	case methods != nil && status == http.StatusMethodNotAllowed:
		return d.at("#/components/responses/MethodNotAllowed").(object), nil
	case methods != nil && method == http.MethodOptions && status == http.StatusNoContent:
		return object{"headers": object{"Allow": d.at("#/components/headers/Allow")}}, nil
	}
	return nil, fmt.Errorf("nothing is described here")
}

// ours are the headers that mean something in this API: a description must
// tell of each.
var ours = []string{"Location", "Retry-After", "Allow", "WWW-Authenticate"}

func (d *document) headers(is object, got http.Header) error {
	described, _ := is["headers"].(object)
	for name, header := range described {
		h := d.resolve(header)
		text := got.Get(name)
		if text == "" {
			return fmt.Errorf("the header %s is missing", name)
		}
		var value any = text
		if n, err := strconv.Atoi(text); err == nil && h["schema"].(object)["type"] == "integer" {
			value = n
		}
		if err := d.judge(h["schema"], value); err != nil {
			return fmt.Errorf("header %s: %w", name, err)
		}
	}
	for _, name := range ours {
		if _, ok := described[name]; !ok && got.Get(name) != "" {
			return fmt.Errorf("the header %s is not described", name)
		}
	}
	return nil
}

func TestWhatIsNotDescribedIsSeen(t *testing.T) {
	d := open(t, true)
	json := http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"no-store"}}
	with := func(name, value string) http.Header {
		h := json.Clone()
		h.Set(name, value)
		return h
	}
	for _, tt := range []struct {
		about, method, path string
		status              int
		header              http.Header
		body                string
		well                bool
	}{
		{"as described", "PUT", "/v1/tenants/acme", 200, json, `{"id":"acme"}`, true},
		{"field", "PUT", "/v1/tenants/acme", 200, json, `{"id":"acme","colour":1}`, false},
		{"missing field", "PUT", "/v1/tenants/acme", 200, json, `{}`, false},
		{"status", "PUT", "/v1/tenants/acme", 202, json, `{"id":"acme"}`, false},
		{"content type", "PUT", "/v1/tenants/acme", 200, with("Content-Type", "text/plain"), `{"id":"acme"}`, false},
		{"caching", "PUT", "/v1/tenants/acme", 200, with("Cache-Control", ""), `{"id":"acme"}`, false},
		{"header", "PUT", "/v1/tenants/acme", 200, with("Location", "/v1/x"), `{"id":"acme"}`, false},
		{"missing header", "PUT", "/v1/tenants/acme/secrets/a", 201, json, `{"name":"a","portal":false,"updated_at":"2026-03-01T12:00:00.000Z"}`, false},
		{"wrong header", "PUT", "/v1/tenants/acme/secrets/a", 201, with("Location", "a"), `{"name":"a","portal":false,"updated_at":"2026-03-01T12:00:00.000Z"}`, false},
		{"right header", "PUT", "/v1/tenants/acme/secrets/a", 201, with("Location", "/v1/a"), `{"name":"a","portal":false,"updated_at":"2026-03-01T12:00:00.000Z"}`, true},
		{"format", "PUT", "/v1/tenants/acme/secrets/a", 200, json, `{"name":"a","portal":false,"updated_at":"today"}`, false},
		{"body of an answer without", "DELETE", "/v1/tenants/acme/secrets/a", 204, json, `{}`, false},
	} {
		err := d.answer(tt.method, tt.path, &http.Response{StatusCode: tt.status, Header: tt.header}, []byte(tt.body))
		if (err == nil) != tt.well {
			t.Errorf("%s: %v, want well = %v", tt.about, err, tt.well)
		}
	}
}
