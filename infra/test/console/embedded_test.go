package console

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"testing"
)

// product is a page of others, with the portal in it.
func product(t *testing.T, postino string) string {
	t.Helper()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><link rel="icon" href="data:,"><h1>Our product</h1><script type="module" src="%s/portal/embed.js"></script><postino-portal link="%s" theme="dark"></postino-portal>`,
			postino, html.EscapeString(r.URL.Query().Get("link")))
	}))
	t.Cleanup(page.Close)
	return page.URL
}

func TestThePortalStandsInPagesOfListedOriginsOnly(t *testing.T) {
	s := play(t)
	s.call(t, http.MethodPut, "/subscriptions/orders", `{"name":"Orders to the shop","url":"`+s.receiver+`/orders"}`, nil)
	s.browse(t, "embedded", map[string]any{"listed": product(t, s.URL()), "stranger": product(t, s.URL())})
}
