package server_test

import (
	"net/http"
	"strings"
	"testing"
)

// with makes a request with another key and returns the status.
func (a *api) with(key, method, path, body string) int {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.s.URL()+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func TestTenantsKeysAndSchemasHoldInTheWholeServer(t *testing.T) {
	a := start(t)
	const events, event = "/v1/tenants/acme/events", `{"type":"order","data":{"total":1}}`
	made := a.call("POST", "/v1/tenants/acme/keys", 201, `{"role":"publish","expires_in":"1h"}`)
	shop := made["key"].(string)
	again := a.call("POST", "/v1/tenants/acme/keys", 201, `{"role":"publish"}`)
	a.call("PUT", "/v1/tenants/acme/event-types/order", 201, `{"schema":{"properties":{"total":{"type":"number"}}}}`)
	for _, tt := range []struct {
		what, method, path, body string
		status                   int
	}{
		{"publishing", "POST", events, event, 202},
		{"data that does not fit", "POST", events, `{"type":"order","data":{"total":"1"}}`, 422},
		{"another route", "GET", events, "", 403},
		{"another tenant", "POST", "/v1/tenants/other/events", event, 404},
		{"making keys", "POST", "/v1/tenants/acme/keys", `{"role":"manage"}`, 403},
		{"the clock", "POST", "/v1/clock", `{"advance":"1s"}`, 403},
	} {
		if got := a.with(shop, tt.method, tt.path, tt.body); got != tt.status {
			t.Errorf("%s with a publish key = %d, want %d", tt.what, got, tt.status)
		}
	}
	a.call("DELETE", "/v1/tenants/acme/keys/"+again["id"].(string), 204, "")
	if got := a.with(again["key"].(string), "POST", events, event); got != 401 {
		t.Errorf("publishing with a revoked key = %d, want 401", got)
	}
	a.advance("1h")
	if got := a.with(shop, "POST", events, event); got != 401 {
		t.Errorf("publishing with an expired key = %d, want 401", got)
	}
}
