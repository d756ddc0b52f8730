package manage_test

import (
	"strings"
	"testing"
)

func TestATypeThatNobodyRegisteredIsWarnedOf(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", "//v1/tenants/acme", "")
	warned := func(method, path, body, want string) {
		t.Helper()
		status := 200
		if method == "POST" {
			status = 201
		}
		got := string(w.must(t, status, method, path, body).body)
		if _, text, _ := strings.Cut(got, `"warnings":`); want == "" && text != "" || !strings.Contains(text, want) {
			t.Errorf("%s %s says %s, want a warning with %q", method, body, got, want)
		}
	}
	warned("POST", sub, `{"url":"https://a.example","types":["order.payed"]}`, "") // nothing is registered
	w.must(t, 201, "PUT", "/event-types/order.paid", `{}`)
	w.must(t, 201, "PUT", "/event-types/Order%20Completed", `{}`)
	warned("POST", sub, `{"id":"s","url":"https://a.example","types":["order.paid","order.payed"]}`,
		`[{"field":"types[1]","detail":"no registered event type is \"order.payed\"; did you mean \"order.paid\"?"}]`)
	warned("POST", sub, `{"url":"https://a.example","types":["order.paid","order.*","Order *","*","postino.*"]}`, "")
	warned("POST", sub, `{"url":"https://a.example"}`, "")
	warned("PATCH", sub+"/s", `{"types":["ordr.*"]}`, `"types[0]"`)
	warned("PATCH", sub+"/s", `{"name":"n"}`, "") // of what is not spoken of nothing is said
	warned("PUT", sub+"/s", `{"url":"https://a.example","types":["order.pad"]}`, `did you mean \"order.paid\"?`)
	warned("PUT", sub+"/s", `{"url":"https://a.example","types":["order.paid"],"warnings":[{"field":"x"}]}`, "")
	if got := w.must(t, 200, "GET", sub+"/s", ""); strings.Contains(string(got.body), "warnings") {
		t.Errorf("a read warns: %s", got.body)
	}
}
