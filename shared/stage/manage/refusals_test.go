package manage_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/postino/postino/shared/webhook"
)

func TestBadSubscriptionsAreRefusedAndNothingIsStored(t *testing.T) {
	list := func(n int, s string) string { return strings.TrimSuffix(strings.Repeat(s+",", n), ",") }
	for _, tt := range []struct {
		name, body string
		status     int
		fields     []string
	}{
		{"malformed", `{"url":`, 400, nil},
		{"duplicate key", `{"url":"https://a.example","url":"https://b.example"}`, 400, []string{"url"}},
		{"duplicate key within", `{"url":"https://a.example","retry":{"timeout":"5s","timeout":"6s"}}`, 400, []string{"retry.timeout"}},
		{"invalid UTF-8", "{\"url\":\"https://a.example/\xff\"}", 400, nil},
		{"array", `[]`, 422, []string{"body"}},
		{"no url", `{}`, 422, []string{"url"}},
		{"null url", `{"url":null}`, 422, []string{"url"}},
		{"empty url", `{"url":""}`, 422, []string{"url"}},
		{"everything wrong", `{"id":1,"name":2,"description":[],"metadata":"x","url":3,"types":"a","request":4,"signing":5,"retry":6,"state":7,"secret":8}`, 422,
			[]string{"description", "id", "metadata", "name", "request", "retry", "secret", "signing", "state", "types", "url"}},
		{"unknown fields", `{"url":"https://a.example","uri":"x","events":[],"Types":["a"]}`, 422, []string{"Types", "events", "uri"}},
		{"unknown fields within", `{"url":"https://a.example","request":{"verb":"POST"},"retry":{"steps":[]}}`, 422, []string{"request.verb", "retry.steps"}},
		{"fields that are ours, as no read shows them", `{"url":"https://a.example","created_at":"x","updated_at":5,"disabled_reason":7,"state":"disabled"}`, 422,
			[]string{"created_at", "disabled_reason", "state", "updated_at"}},
		{"bad id", `{"url":"https://a.example","id":"A"}`, 422, []string{"id"}},
		{"empty id", `{"url":"https://a.example","id":""}`, 422, []string{"id"}},
		{"long name", `{"url":"https://a.example","name":"` + strings.Repeat("é", 257) + `"}`, 422, []string{"name"}},
		{"name with line break", `{"url":"https://a.example","name":"a\nb"}`, 422, []string{"name"}},
		{"long description", `{"url":"https://a.example","description":"` + strings.Repeat("x", 2049) + `"}`, 422, []string{"description"}},
		{"large metadata", `{"url":"https://a.example","metadata":{"x":"` + strings.Repeat("x", 8<<10) + `"}}`, 422, []string{"metadata"}},
		{"long url", `{"url":"https://a.example/` + strings.Repeat("x", 2048) + `"}`, 422, []string{"url"}},
		{"relative url", `{"url":"/hook"}`, 422, []string{"url"}},
		{"http", `{"url":"http://a.example"}`, 422, []string{"url"}},
		{"other scheme", `{"url":"ftp://a.example"}`, 422, []string{"url"}},
		{"other port", `{"url":"https://a.example:8443"}`, 422, []string{"url"}},
		{"user info", `{"url":"https://u:p@a.example"}`, 422, []string{"url"}},
		{"fragment", `{"url":"https://a.example/#x"}`, 422, []string{"url"}},
		{"empty fragment", `{"url":"https://a.example/#"}`, 422, []string{"url"}},
		{"space in url", `{"url":"https://a.example/a b"}`, 422, []string{"url"}},
		{"line break in url", `{"url":"https://a.example/a\r\nHost: b"}`, 422, []string{"url"}},
		{"broken escape in url", `{"url":"https://a.example/%zz"}`, 422, []string{"url"}},
		{"loopback", `{"url":"https://127.0.0.1/"}`, 422, []string{"url"}},
		{"disguised loopback", `{"url":"https://2130706433/"}`, 422, []string{"url"}},
		{"metadata service", `{"url":"https://169.254.169.254/latest"}`, 422, []string{"url"}},
		{"localhost", `{"url":"https://localhost/"}`, 422, []string{"url"}},
		{"no types", `{"url":"https://a.example","types":[]}`, 422, []string{"types"}},
		{"101 types", `{"url":"https://a.example","types":[` + list(101, `"a"`) + `]}`, 422, []string{"types"}},
		{"bad types", `{"url":"https://a.example","types":["a","*b",5,""," a"]}`, 422, []string{"types[1]", "types[2]", "types[3]", "types[4]"}},
		{"other format", `{"url":"https://a.example","request":{"format":"xml"}}`, 422, []string{"request.format"}},
		{"other signing", `{"url":"https://a.example","signing":"v2"}`, 422, []string{"signing"}},
		{"other state", `{"url":"https://a.example","state":"disabled"}`, 422, []string{"state"}},
		{"bad schedule", `{"url":"https://a.example","retry":{"schedule":["5s","5m","x",7,"8d","1ms"]}}`, 422,
			[]string{"retry.schedule[2]", "retry.schedule[3]", "retry.schedule[4]", "retry.schedule[5]"}},
		{"21 steps", `{"url":"https://a.example","retry":{"schedule":[` + list(21, `"5s"`) + `]}}`, 422, []string{"retry.schedule"}},
		{"bad policy", `{"url":"https://a.example","retry":{"timeout":"26s","success":["6xx"],"permanent":["2xx",410],"jitter":1}}`, 422,
			[]string{"retry.jitter", "retry.permanent[1]", "retry.success[0]", "retry.timeout"}},
		{"no success", `{"url":"https://a.example","retry":{"success":[]}}`, 422, []string{"retry.success"}},
		{"short timeout", `{"url":"https://a.example","retry":{"timeout":"500ms"}}`, 422, []string{"retry.timeout"}},
		{"short secret", `{"url":"https://a.example","secret":"whsec_AAAA"}`, 422, []string{"secret"}},
		{"other secret", `{"url":"https://a.example","secret":"hunter2"}`, 422, []string{"secret"}},
		{"secret of the other scheme", `{"url":"https://a.example","signing":"v1","secret":"whsk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}`, 422, []string{"secret"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := open(t)
			got := w.do(t, "POST", sub, tt.body)
			if got.status != tt.status || !slices.Equal(got.fields(t), tt.fields) {
				t.Errorf("answer %d %s, want %d with %v", got.status, got.body, tt.status, tt.fields)
			}
			list := w.must(t, 200, "GET", sub, "")
			version, err := w.store.TenantVersion(t.Context(), "acme")
			if string(list.body) != `{"data":[],"next_cursor":null}` || version != 0 || err != nil || len(w.takeSent()) > 0 {
				t.Errorf("something was stored or sent: %s, version %d, %v", list.body, version, err)
			}
		})
	}
}

func TestLiteralAddressesAreTakenWhereEgressAllowsThem(t *testing.T) {
	w := open(t)
	w.allowLoopback()
	w.must(t, 201, "POST", sub, `{"url":"http://127.0.0.1:9000/hook"}`)
	w.must(t, 422, "POST", sub, `{"url":"http://10.0.0.1:9000/hook"}`)
}

func TestOtherContentIsRefused(t *testing.T) {
	w := open(t)
	for _, method := range []string{"POST " + sub, "PUT " + sub + "/a", "PATCH " + sub + "/a"} {
		method, path, _ := strings.Cut(method, " ")
		r := newRequest(method, path, `{"url":"https://a.example"}`)
		r.Header.Set("Content-Type", "text/plain")
		if got := w.send(r); got.status != 415 {
			t.Errorf("%s as text = %d", method, got.status)
		}
		r = newRequest(method, path, `{"url":"`+strings.Repeat("x", webhook.MaxRequestSize)+`"}`)
		if got := w.send(r); got.status != 413 {
			t.Errorf("%s of 4 MiB = %d", method, got.status)
		}
	}
}
