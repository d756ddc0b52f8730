package manage_test

import (
	"strings"
	"testing"

	"github.com/postino/postino/shared/stage/manage"
)

func TestAStrictInstallationMakesNothingInATenantThatNobodyMade(t *testing.T) {
	w := open(t)
	w.Made = true
	fill := strings.NewReplacer("{tenant}", "acme", "{id}", "a", "{name}", "a", "{type}", "a", "{key}", "a")
	asked := 0
	for _, route := range manage.Routes() {
		method, path, _ := strings.Cut(route, " ")
		switch {
		case method == "GET", route == "POST /v1/tenants/{tenant}/events", path == "/v1/tenants/{tenant}":
			continue
		}
		asked++
		if got := w.do(t, method, "/"+fill.Replace(path), `{}`); got.status != 404 || got.get(t, "code") != "tenant_not_made" {
			t.Errorf("%s in a tenant that nobody made = %d %s, want 404 tenant_not_made", route, got.status, got.body)
		}
	}
	if asked < 20 {
		t.Errorf("%d routes were asked, want all that change something", asked)
	}
	if listed := w.must(t, 200, "GET", "//v1/tenants", ""); strings.Contains(string(listed.body), "acme") {
		t.Errorf("what was refused made a tenant: %s", listed.body)
	}
	const one = `{"url":"https://a.example/"}`
	w.must(t, 201, "PUT", "//v1/tenants/acme", "")
	w.must(t, 200, "PUT", "//v1/tenants/acme", "")
	w.must(t, 201, "PUT", sub+"/a", one)
	if got := w.must(t, 404, "PUT", "//v1/tenants/acm/subscriptions/a", one); !strings.Contains(string(got.body), `did you mean \"acme\"?`) {
		t.Errorf("a tenant that is mistyped: %s, want the one that was meant", got.body)
	}
	w.must(t, 201, "PUT", "//v1/tenants/postino/subscriptions/a", one) // ours needs nobody
	w.Made = false
	w.must(t, 201, "PUT", "//v1/tenants/acm/subscriptions/a", one)
}
