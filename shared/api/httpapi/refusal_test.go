package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAKeyThatIsRefusedIsCountedAndLoggedWithoutIt(t *testing.T) {
	for _, tt := range []struct {
		key, tenant, code string
		status            int
	}{
		{"", "acme", "key_missing", 401},
		{"wrong-key-of-a-stranger", "acme", "key_unknown", 401},
		{"publish", "acme", "role_not_allowed", 403},
		{"manage", "other", "tenant_not_found", 404},
		{"manage", "acme", "", 204},
		{"admin", "not a tenant", "", 422},
	} {
		var log bytes.Buffer
		router := NewRouter(answering(func(*Request) (Response, error) { return NoContent(), nil }), keys{}, slog.New(slog.NewJSONHandler(&log, nil)))
		refused := 0
		router.Refused = func() { refused++ }
		r := httptest.NewRequest("GET", "/v1/tenants/"+strings.ReplaceAll(tt.tenant, " ", "%20")+"/x", nil)
		r.RemoteAddr = "192.0.2.7:1234"
		if tt.key != "" {
			r.Header.Set("Authorization", "Bearer "+tt.key)
		}
		w := httptest.NewRecorder()
		router.ServeHTTP(w, r)
		want := 0
		if tt.code != "" {
			want = 1
		}
		lines := strings.Count(log.String(), "\n")
		if w.Code != tt.status || refused != want || lines != want {
			t.Errorf("key %q of %s = %d, counted %d, %d lines; want %d, %d of each", tt.key, tt.tenant, w.Code, refused, lines, tt.status, want)
		}
		if want == 0 {
			continue
		}
		var line struct{ Msg, Code, From, Route string }
		if err := json.Unmarshal(log.Bytes(), &line); err != nil || line.Code != tt.code || line.From != "192.0.2.7" || line.Route != "GET /v1/tenants/{tenant}/x" {
			t.Errorf("logged %s, %v, want code %s from 192.0.2.7", log.String(), err, tt.code)
		}
		if tt.key != "" && strings.Contains(log.String(), tt.key+`"`) {
			t.Errorf("the line holds the key: %s", log.String())
		}
	}
}

func TestWhoeverTriesKeysDoesNotFillTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		router := NewRouter(answering(func(*Request) (Response, error) { return NoContent(), nil }), keys{}, slog.New(slog.NewJSONHandler(&log, nil)))
		refused := 0
		router.Refused = func() { refused++ }
		try := func(n int) {
			for range n {
				router.ServeHTTP(httptest.NewRecorder(), get())
			}
		}
		try(1000)
		if lines := strings.Count(log.String(), "\n"); lines != maxRefusalLines || refused != 1000 {
			t.Errorf("1000 refusals in a second: %d lines, counted %d; want %d and all", lines, refused, maxRefusalLines)
		}
		time.Sleep(time.Second)
		log.Reset()
		try(1)
		if !strings.Contains(log.String(), `"skipped":990`) {
			t.Errorf("the next second's line %s, want that 990 were skipped", log.String())
		}
	})
}

// A refusal for overload is no fault, and must not take a deployment back.
func TestFaultsAreToldAndRefusalsForOverloadAreNot(t *testing.T) {
	for _, tt := range []struct {
		about  string
		handle func(*Request) (Response, error)
		want   int
	}{
		{"an answer", func(*Request) (Response, error) { return NoContent(), nil }, 0},
		{"overload", func(*Request) (Response, error) { return Response{}, Overloaded.Problem("full") }, 0},
		{"an error that nobody knows", func(*Request) (Response, error) { return Response{}, errors.New("oh") }, 1},
		{"a panic", func(*Request) (Response, error) { panic("oh") }, 1},
	} {
		router := NewRouter(answering(tt.handle), keys{}, slog.New(slog.DiscardHandler))
		failed := 0
		router.Failed = func() { failed++ }
		r := httptest.NewRequest("GET", "/v1/tenants/acme/x", nil)
		r.Header.Set("Authorization", "Bearer manage")
		router.ServeHTTP(httptest.NewRecorder(), r)
		if failed != tt.want {
			t.Errorf("%s: told of %d faults, want %d", tt.about, failed, tt.want)
		}
	}
}
