package manage_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/postino/postino/shared/webhook"
)

// long is a filter of n prefixes.
func long(n int) string {
	values := make([]string, n)
	for i := range values {
		values[i] = fmt.Sprintf(`{"prefix":"%d-"}`, i)
	}
	return `{"data":{"a":[` + strings.Join(values, ",") + `]}}`
}

func TestATenantIsRefusedMoreThanItsQuota(t *testing.T) {
	w := open(t)
	w.Quota = webhook.Quota{Subscriptions: 2, Filters: 800 << 10}
	w.must(t, 201, "PUT", sub+"/a", `{"url":"https://a.example/","filter":`+long(2000)+`}`)
	if got := w.must(t, 409, "PUT", sub+"/b", `{"url":"https://a.example/","filter":`+long(3000)+`}`); got.get(t, "code") != "filters_full" {
		t.Errorf("filters beyond the quota: %s, want filters_full", got.body)
	}
	w.must(t, 201, "PUT", sub+"/b", `{"url":"https://a.example/"}`)
	for _, path := range []string{sub + "/c", sub} {
		method := map[bool]string{true: "POST", false: "PUT"}[path == sub]
		if got := w.must(t, 409, method, path, `{"url":"https://a.example/"}`); got.get(t, "code") != "subscriptions_full" {
			t.Errorf("%s %s beyond the quota: %s, want subscriptions_full", method, path, got.body)
		}
	}
	if got := w.must(t, 409, "PATCH", sub+"/b", `{"filter":`+long(3000)+`}`); got.get(t, "code") != "filters_full" {
		t.Errorf("a change beyond the quota: %s, want filters_full", got.body)
	}
	w.must(t, 200, "PATCH", sub+"/a", `{"name":"no heavier than it was"}`)
	w.must(t, 200, "PATCH", sub+"/a", `{"filter":null}`)
	w.must(t, 200, "PATCH", sub+"/b", `{"filter":`+long(3000)+`}`)
}
