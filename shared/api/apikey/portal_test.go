package apikey_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/manage"
	"github.com/postino/postino/shared/webhook"
)

// portalBodies are requests of a customer that each route of a portal key
// serves: what a new route needs is said here, and in docs/portal.md.
var portalBodies = map[string]string{
	"POST /subscriptions":                    `{"url":"https://b.example/"}`,
	"GET /subscriptions":                     "",
	"GET /subscriptions/{id}":                "",
	"PUT /subscriptions/{id}":                `{"url":"https://b.example/"}`,
	"PATCH /subscriptions/{id}":              `{"url":"https://b.example/","state":"active"}`,
	"DELETE /subscriptions/{id}":             "",
	"POST /subscriptions/{id}/pause":         "",
	"POST /subscriptions/{id}/resume":        "",
	"GET /subscriptions/{id}/secret":         "",
	"POST /subscriptions/{id}/rotate-secret": "",
	"POST /preview":                          `{"subscription":{"url":"https://b.example/"},"event":{"type":"a","data":1}}`,
	"POST /subscriptions/{id}/preview":       `{"event":{"type":"a","data":1}}`,
	"POST /subscriptions/{id}/test":          `{"event":{"type":"a","data":1}}`,
	"POST /subscriptions/{id}/recover":       `{"after":"2026-01-01T00:00:00Z"}`,
	"GET /deliveries":                        "",
	"GET /deliveries/{id}":                   "",
	"POST /deliveries/{id}/retry":            "",
	"POST /deliveries/{id}/cancel":           "",
	"GET /jobs":                              "",
	"GET /jobs/{id}":                         "",
}

// documented reads what docs/portal.md says that a request to each route sets
// going.
func documented(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "portal.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "<!-- routes -->")
	table, _, _ = strings.Cut(table, "<!-- /routes -->")
	rows := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z]+ [^`]+)` \\|.*\\| ([a-z ]+) \\|$").FindAllStringSubmatch(table, -1) {
		rows[row[1]] = row[2]
	}
	return rows
}

// short is a route as the page writes it.
func short(route string) string { return strings.Replace(route, "/v1/tenants/{tenant}", "", 1) }

// effects counts what a request sets going.
type effects struct{ messages, requests int }

func (e *effects) Send(_ context.Context, messages []queue.Message) error {
	e.messages += len(messages)
	return nil
}

func (e *effects) Test(context.Context, webhook.Subscription, webhook.Trial) (webhook.Attempt, error) {
	e.requests++
	return webhook.Attempt{StatusCode: 204}, nil
}

// What the operator keeps from customers, in every place that takes it.
const (
	operatorsSecret = "operators-named-secret"
	operatorsToken  = "operators-own-token"
)

// customers is a world with an operator's subscription, delivery and job, all
// with the id that [world.call] puts into a route, and a key of a customer.
func customers(t *testing.T) (w *world, key string, set *effects) {
	t.Helper()
	w, set = open(t), &effects{}
	h := w.manage.(*manage.Handler)
	h.Resend, h.Events, h.Tester = set, set, set
	must := func(status int, route, body string) {
		t.Helper()
		if got := w.call(route, "acme", adminKey, body); got.Code != status {
			t.Fatalf("%s = %d %s, want %d", route, got.Code, got.Body, status)
		}
	}
	must(201, "PUT /v1/tenants/{tenant}/secrets/{name}", `{"value":"`+operatorsSecret+`"}`)
	must(201, "PUT /v1/tenants/{tenant}/subscriptions/{id}", `{"url":"https://a.example/","auth":{"type":"bearer","token":"`+operatorsToken+`"},
		"request":{"headers":{"X-Key":"{{ secrets.x }}"}}}`)
	key, _ = w.create(t, "acme", `{"role":"portal"}`)
	return w, key, set
}

func TestEveryRouteOfAPortalKeyIsClassified(t *testing.T) {
	rows := documented(t)
	for _, route := range manage.Routes() {
		if !strings.Contains(route, "{tenant}") || route == publishRoute || route == "GET /portal/{tenant}" { // which is a page
			continue
		}
		w, key, set := customers(t)
		if strings.Contains(route, "/resume") { // a breaker or a pause must be there to be ended
			w.call("POST /v1/tenants/{tenant}/subscriptions/{id}/pause", "acme", adminKey, "")
		}
		*set = effects{}
		body, known := portalBodies[short(route)]
		got := w.call(route, "acme", key, body)
		row, documented := rows[short(route)]
		if open := got.Code != http.StatusForbidden; open != known || open != documented {
			t.Errorf("%s with a portal key = %d; docs/portal.md has it: %t, this test knows it: %t. Both must, and only, if it is open", route, got.Code, documented, known)
			continue
		}
		if !known {
			continue
		}
		if !strings.Contains(route, "/deliveries/{id}") && !strings.Contains(route, "/jobs/{id}") && got.Code >= 300 {
			t.Errorf("%s = %d %s, want it done", route, got.Code, got.Body)
		}
		most := map[string]effects{"nothing": {}, "a message": {messages: 1}, "a request": {requests: 1}}
		allowed, ok := most[row]
		if !ok || set.messages > allowed.messages || set.requests > allowed.requests {
			t.Errorf("%s set %+v going, docs/portal.md says %q", route, *set, row)
		}
	}
	for route := range rows {
		if !slices.ContainsFunc(manage.Routes(), func(r string) bool { return short(r) == route }) {
			t.Errorf("docs/portal.md has %s, which is no route", route)
		}
	}
}

func TestNoRouteShowsAPortalKeyWhatOthersKeepSecret(t *testing.T) {
	for route, body := range portalBodies {
		w, key, _ := customers(t)
		got := w.call(strings.Replace(route, " ", " /v1/tenants/{tenant}", 1), "acme", key, body)
		for _, text := range []string{got.Body.String(), w.log.String()} {
			if strings.Contains(text, operatorsSecret) || strings.Contains(text, operatorsToken) {
				t.Errorf("%s shows a customer what the operator keeps secret: %s", route, text)
			}
		}
	}
}
