package manage_test

import (
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
)

// framers are the pages that may show the portal of a tenant, as browsers are told.
func (w *world) framers(t *testing.T, path string) string {
	t.Helper()
	got := w.send(httptest.NewRequest("GET", path, nil))
	policy := got.header.Get("Content-Security-Policy")
	_, rest, _ := strings.Cut(policy, "frame-ancestors ")
	framers, _, _ := strings.Cut(rest, ";")
	if got.status != 200 || !strings.Contains(policy, "script-src 'self'") {
		t.Fatalf("GET %s = %d with the policy %s", path, got.status, policy)
	}
	return framers
}

func TestAPortalsPageNamesTheOriginsOfItsTenantOnly(t *testing.T) {
	w := open(t)
	w.must(t, 200, "PUT", "/origins", `{"origins":["https://App.example/","http://localhost:3000","https://app.example"]}`)
	for path, want := range map[string]string{
		"/portal/acme":  "https://app.example http://localhost:3000",
		"/portal/other": "'none'",
		"/portal":       "'none'",
		"/console":      "'none'",
	} {
		if got := w.framers(t, path); got != want {
			t.Errorf("%s may be shown by %s, want %s", path, got, want)
		}
	}
	w.must(t, 200, "PUT", "/origins", `{"origins":[]}`)
	if got := w.framers(t, "/portal/acme"); got != "'none'" {
		t.Errorf("with no origins it may be shown by %s", got)
	}
}

func TestAnOriginThatCouldSayMoreIsRefused(t *testing.T) {
	w := open(t)
	for _, bad := range []string{"", "*", "https://*.a.example", "https://a.example/x", "http://a.example", "https://a.example;", "https://a.example 'self'", "https://u@a.example",
		"https://a.example?x", "https://a.example#x", "data:", "https://", "'self'", "https://a.example\u0000", "https://é.example", "https://" + strings.Repeat("a", 300)} {
		got := w.do(t, "PUT", "/origins", `{"origins":["https://ok.example",`+string(httpapi.Encode(bad))+`]}`)
		if got.status != 422 || !reflect.DeepEqual(got.fields(t), []string{"origins[1]"}) {
			t.Errorf("%q = %d %s, want 422 for origins[1]", bad, got.status, got.body)
		}
	}
	for body, field := range map[string]string{`{}`: "origins", `{"origins":"a"}`: "origins", `{"origins":[],"x":1}`: "x", `{"origins":["https://a.example"` + strings.Repeat(`,"https://a.example"`, 5) + `]}`: ""} {
		got := w.do(t, "PUT", "/origins", body)
		if field == "" && got.status == 200 {
			continue
		}
		if got.status != 422 || !reflect.DeepEqual(got.fields(t), []string{field}) {
			t.Errorf("%s = %d %s, want %q", body, got.status, got.body, field)
		}
	}
}

func TestAPortalLinkHasAPortalKeyThatEndsSoon(t *testing.T) {
	w := open(t)
	made := w.must(t, 201, "POST", "/portal-links", `{"expires_in":"10m"}`)
	link, _ := made.get(t, "url").(string)
	key, found := strings.CutPrefix(link, "/portal/acme#key=pk_")
	if !found || !strings.HasSuffix(key, "_acme") {
		t.Errorf("the link is %s", link)
	}
	if got, want := made.get(t, "expires_at"), w.now().Add(10*time.Minute).UTC().Format("2006-01-02T15:04:05.000Z"); got != want {
		t.Errorf("it expires at %v, want %s", got, want)
	}
	var list struct {
		Data []struct{ ID, Role, Name string }
	}
	w.must(t, 200, "GET", "/keys", "").into(t, &list)
	if len(list.Data) != 1 || list.Data[0].Role != "portal" || list.Data[0].ID != made.get(t, "key_id") {
		t.Errorf("the keys are %+v, want the link's", list.Data)
	}
	for _, bad := range []string{`{"expires_in":"30s"}`, `{"expires_in":"25h"}`, `{"expires_in":1}`, `{"origin":"x"}`, `[]`} {
		w.must(t, 422, "POST", "/portal-links", bad)
	}
}
