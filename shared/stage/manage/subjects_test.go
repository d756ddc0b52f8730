package manage_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// TestEventsAndDeliveriesAreListedBySubject lists what was done for one person.
func TestEventsAndDeliveriesAreListedBySubject(t *testing.T) {
	w := open(t)
	for i, subject := range []string{"ada", "bob", "ada", "", "ada lovelace"} {
		e := publishAbout(t, w, subject, fmt.Sprint("e", i), "a", w.clock.Add(time.Duration(i)*time.Minute), "a", "b")
		for _, sub := range []string{"a", "b"} {
			owe(t, w, e, sub, webhook.Succeeded)
		}
	}
	for query, want := range map[string]string{
		"/events?subject=ada&limit=1":                    "e2 e0",
		"/events?subject=ada&order=asc":                  "e0 e2",
		"/events?subject=ada%20lovelace":                 "e4",
		"/events?subject=ada&type=b.*":                   "",
		"/events?subject=nobody":                         "",
		"/deliveries?subject=bob&subscription=a":         "e1",
		"/deliveries?subject=ada&limit=1":                "e2 e2 e0 e0",
		"/deliveries?subject=ada&subscription=b&limit=1": "e2 e0",
		"/deliveries?subject=ada&status=exhausted":       "",
		"/deliveries?subject=ada&order=asc&limit=3":      "e0 e0 e2 e2",
	} {
		field := map[bool]string{true: "id", false: "event"}[strings.HasPrefix(query, "/events")]
		if got, _ := walk(t, w, query, field); strings.Join(got, " ") != want {
			t.Errorf("%s lists %v, want %q", query, got, want)
		}
	}
	for _, query := range []string{"/events?subject=", "/deliveries?subject=", "/events?subject=a%0Ab", "/deliveries?subject=ada&event=e1"} {
		if got := w.must(t, 422, "GET", query, ""); !strings.Contains(string(got.body), `"field":"subject"`) {
			t.Errorf("%s answers %s, want a fault of subject", query, got.body)
		}
	}
}
