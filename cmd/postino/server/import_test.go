package server_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAnImportStoresTheRightHalfAndCanBeRepeated(t *testing.T) {
	a := start(t)
	sub := newSubscriber(t, status(200))
	export := func(second string) string {
		return `{"format":"csv","export":"id,url,types,secret\nfirst,` + sub.URL + `,a.b,it's a secret\nsecond,` + second + `,a.b,\n,` + sub.URL + `,a.b,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\nbad,` + sub.URL + `,a**b,\n"}`
	}
	results := func(got map[string]any) (list []any) {
		for _, row := range got["rows"].([]any) {
			list = append(list, row.(map[string]any)["result"])
		}
		return list
	}
	path := "/v1/tenants/acme/subscriptions/import"
	got := a.call("POST", path, 200, export("ftp://wrong.example"))
	if want := []any{"created", "refused", "created", "refused"}; !cmp.Equal(results(got), want) || got["created"] != float64(2) || got["refused"] != float64(2) {
		t.Fatalf("the first import: %v, want %v", got, want)
	}
	wrong := got["rows"].([]any)[1].(map[string]any)["errors"].([]any)[0].(map[string]any)
	if wrong["field"] != "url" {
		t.Errorf("the second row is refused for %v, want its url", wrong)
	}
	got = a.call("POST", path, 200, export(sub.URL))
	if want := []any{"exists", "created", "exists", "refused"}; !cmp.Equal(results(got), want) {
		t.Errorf("the second import, one row mended: %v, want %v", got, want)
	}
	if list := a.call("GET", "/v1/tenants/acme/subscriptions", 200, "")["data"].([]any); len(list) != 3 {
		t.Errorf("%d subscriptions, want three", len(list))
	}
	secret := a.call("GET", "/v1/tenants/acme/subscriptions/first/secret", 200, "")["secret"]
	if secret != "whsec_aXQncyBhIHNlY3JldA==" {
		t.Errorf("the first has the secret %v, want the one that it brought", secret)
	}
	a.publish(1)
	a.advance("1s")
	if sub.count() != 3 {
		t.Errorf("%d callbacks, want one for each of three", sub.count())
	}
}

func TestReceiversGoOnVerifyingAfterAnImport(t *testing.T) {
	a := start(t)
	sub := newSubscriber(t, status(200))
	for _, export := range []string{
		`{"format":"svix","export":{"data":[{"id":"ep_1","url":"` + sub.URL + `","secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}]}}`,
		`{"format":"outpost","export":[{"id":"des_1","type":"webhook","topics":"*","config":{"url":"` + sub.URL + `"},"credentials":{"secret":"plain secret"}}]}`,
		`{"format":"convoy","export":{"data":{"content":[{"uid":"c","endpoint_metadata":{"url":"` + sub.URL + `","secrets":[{"value":"convoy secret"}]},"filter_config":{"event_types":["*"]}}]}}}`,
	} {
		if got := a.call("POST", "/v1/tenants/acme/subscriptions/import", 200, export); got["created"] != float64(1) {
			t.Fatalf("%s: %v, want it created", export, got)
		}
	}
	a.publish(1)
	a.advance("1s")
	signed := map[string]bool{}
	for _, header := range sub.got {
		for _, name := range []string{"Svix-Signature", "X-Outpost-Signature", "X-Convoy-Signature"} {
			signed[name] = signed[name] || header.Get(name) != ""
		}
	}
	if want := map[string]bool{"Svix-Signature": true, "X-Outpost-Signature": true, "X-Convoy-Signature": true}; !cmp.Equal(signed, want) {
		t.Errorf("signatures %v, want each sender's", signed)
	}
}

func TestAnImportThatIsNoneIsRefusedByName(t *testing.T) {
	a := start(t)
	for _, tt := range []struct{ body, field string }{
		{`{}`, "format"}, {`{"format":"yaml"}`, "format"}, {`{"format":"csv"}`, "export"}, {`{"format":"csv","export":"url\n"}`, "export"},
		{`{"format":"svix","export":5}`, "export"}, {`{"format":"svix","exports":[]}`, "exports"}, {`[]`, "body"},
	} {
		got := a.call("POST", "/v1/tenants/acme/subscriptions/import", 422, tt.body)
		if field := got["errors"].([]any)[0].(map[string]any)["field"]; field != tt.field {
			t.Errorf("%s is refused for %v, want %s", tt.body, field, tt.field)
		}
	}
}
