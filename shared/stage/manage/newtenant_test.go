package manage_test

import (
	"strings"
	"testing"
)

func TestWhateverMakesATenantSaysSo(t *testing.T) {
	for _, tt := range []struct{ method, path, body string }{
		{"POST", "/subscriptions", `{"url":"https://a.example/"}`},
		{"PUT", "/subscriptions/s", `{"url":"https://a.example/"}`},
		{"PUT", "/secrets/k", `{"value":"v"}`},
		{"PUT", "/event-types/a", `{}`},
		{"POST", "/keys", `{"role":"publish"}`},
	} {
		w := open(t)
		if got := w.must(t, 201, "PUT", "//v1/tenants/acme", ""); strings.Contains(string(got.body), "warnings") {
			t.Errorf("who makes a tenant is warned: %s", got.body)
		}
		got := w.do(t, tt.method, "//v1/tenants/acm"+tt.path, tt.body)
		const want = `,"warnings":[{"field":"tenant","detail":"there was no tenant acm: this request made it; did you mean \"acme\"?"}]}`
		if got.status != 201 || !strings.HasSuffix(string(got.body), want) {
			t.Errorf("%s %s in a new tenant = %d %s, want it to end in %s", tt.method, tt.path, got.status, got.body, want)
		}
		if got := w.do(t, tt.method, "//v1/tenants/acm"+tt.path, tt.body); strings.Contains(string(got.body), "warnings") {
			t.Errorf("%s %s again = %s, want no warning", tt.method, tt.path, got.body)
		}
	}
}

func TestAnswersWithSeveralWarningsHaveOneList(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", "//v1/tenants/acm/event-types/order.paid", `{}`)
	got := w.must(t, 201, "PUT", "//v1/tenants/acm/subscriptions/s", `{"url":"https://a.example/","types":["order.payed","order.pad"]}`)
	if list, _ := got.get(t, "warnings").([]any); len(list) != 2 || strings.Count(string(got.body), `"warnings"`) != 1 {
		t.Errorf("answer %s, want two warnings in one list", got.body)
	}
}
