package openapi_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/cmd/postino/server"
	"github.com/postino/postino/cmd/postino/server/servertest"
)

const adminKey = servertest.AdminKey

const clockPath = "/v1/clock"

// start runs a server whose clock stands still.
func start(t *testing.T) *server.Server {
	t.Helper()
	return servertest.Start(t, servertest.StandStill)
}

// recorder calls a server and holds each of its answers to the description.
type recorder struct {
	t    *testing.T
	d    *document
	s    *server.Server
	seen map[string]bool // "GET /healthz 200"
}

func record(t *testing.T) *recorder {
	return &recorder{t, open(t, true), start(t), map[string]bool{}}
}

// patient waits to be asked for a body, so that a refusal finds none on its way.
var patient = &http.Client{Transport: &http.Transport{ExpectContinueTimeout: 20 * time.Second}, Timeout: 60 * time.Second}

// call makes a request and returns the answer's fields. Headers are names and
// values in turn; an empty value takes one away.
func (r *recorder) call(want int, method, path, body string, headers ...string) object {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.s.URL()+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminKey)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		if req.Header.Del(headers[i]); headers[i+1] != "" {
			req.Header.Set(headers[i], headers[i+1])
		}
	}
	if len(body) > 1<<20 {
		req.Header.Set("Expect", "100-continue")
	}
	answer, err := patient.Do(req)
	if err != nil {
		r.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	if answer.StatusCode != want {
		r.t.Errorf("%s %s %.200s = %d %s, want %d", method, path, body, answer.StatusCode, text, want)
	}
	if path == clockPath {
		return nil // of local mode alone
	}
	return r.note(method, req.URL.EscapedPath(), answer, text)
}

// note judges an answer and remembers that there was one.
func (r *recorder) note(method, path string, answer *http.Response, text []byte) (fields object) {
	r.t.Helper()
	answer.Body = io.NopCloser(bytes.NewReader(text))
	r.d.check(r.t, method, path, answer)
	if op, ok := r.d.find(path)[method]; ok {
		r.seen[op.String()+" "+strconv.Itoa(answer.StatusCode)] = true
	}
	if strings.HasPrefix(answer.Header.Get("Content-Type"), "application/") && len(text) > 0 {
		if err := json.Unmarshal(text, &fields); err != nil {
			r.t.Errorf("%s %s: %v", method, path, err)
		}
	}
	return fields
}

// subscriber answers with a status.
func subscriber(t *testing.T, status int) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("x-answer", "yes")
		w.WriteHeader(status)
		io.WriteString(w, "an answer")
	}))
	t.Cleanup(s.Close)
	return s.URL
}
