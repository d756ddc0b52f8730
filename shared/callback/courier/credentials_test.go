package courier

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/postino/postino/shared/callback/auth"
	"github.com/postino/postino/shared/callback/signature"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// authorized is a subscription with this auth.
func authorized(t *testing.T, url, source string) webhook.Subscription {
	t.Helper()
	a, faults := auth.Read(strictjson.Value(source))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	secret, err := signature.Generate(signature.V1a)
	if err != nil {
		t.Fatal(err)
	}
	return webhook.Subscription{
		Tenant: "acme", ID: "s", URL: url, Retry: webhook.RetrySpec{Timeout: "5s"}, Auth: &webhook.SealedAuth{Sealed: a.Encode()},
		Secrets: []webhook.SigningSecret{{Scheme: "v1a", Sealed: []byte(secret)}},
	}
}

func trial(t *testing.T, d *Courier, s webhook.Subscription) webhook.Attempt {
	t.Helper()
	a, err := d.Test(t.Context(), s, webhook.Trial{
		Delivery: "dlv_1", Event: "evt_1", Target: webhook.Target{URL: webhook.Text{Plain: s.URL}},
		Content: webhook.Content{Method: "POST", ContentType: "application/json", Body: webhook.Text{Plain: `{}`}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestTheGuardHoldsForTokenEndpointsToo(t *testing.T) {
	reached := false
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer s.Close()
	a := trial(t, poster(t), authorized(t, "https://a.example", `{"type":"oauth2","token_url":"`+s.URL+`","client_id":"a","client_secret":"b"}`))
	if a.Error != webhook.ErrorAuth || !strings.Contains(a.Detail, "refused_address") || reached {
		t.Errorf("attempt %+v, reached %v, want error auth about a refused address", a, reached)
	}
}

func TestAnEndpointThatRedirectsGetsNoCredentialsElsewhere(t *testing.T) {
	reached := false
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer thief.Close()
	s := httptest.NewServer(http.RedirectHandler(thief.URL, http.StatusTemporaryRedirect))
	defer s.Close()
	a := trial(t, poster(t, "127.0.0.0/8"), authorized(t, s.URL, `{"type":"oauth2","token_url":"`+s.URL+`","client_id":"a","client_secret":"b"}`))
	if a.Error != webhook.ErrorAuth || a.Detail != "the token endpoint answered 307" || reached {
		t.Errorf("attempt %+v, reached %v, want error auth with 307", a, reached)
	}
}

func TestAnswersThatRepeatCredentialsAreKeptWithStars(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		w.Header().Set("Location", "https://a.example/?p="+r.URL.Query().Get("x")+"&h="+r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusFound)
		w.Write([]byte(`{"user":"` + user + `","password":"` + strings.ReplaceAll(password, `"`, `\"`) + `","all":"` + r.Header.Get("Authorization") + `"}`))
	}))
	defer s.Close()
	a := trial(t, poster(t, "127.0.0.0/8"), authorized(t, s.URL, `{"type":"basic","username":"username","password":"pass \"word"}`))
	if want := `{"user":"***","password":"***","all":"Basic ***"}`; a.Response.Body != want || a.Response.Headers["location"] != "https://a.example/?p=&h=Basic ***" {
		t.Errorf("kept %s and location %s, want %s", a.Response.Body, a.Response.Headers["location"], want)
	}
}

// A gateway logs what it got as JSON, puts that into JSON of its own, and
// answers it, escaped for a page.
func TestAnAnswerWithinAnAnswerShowsNoSecret(t *testing.T) {
	const token = `tök"en/with-\\-&<signs>`
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := strconv.QuoteToASCII(r.Header.Get("X-Key"))
		inner, _ := json.Marshal(map[string]string{"got": got, "raw": r.Header.Get("X-Key")})
		outer, _ := json.Marshal(map[string]string{"log": string(inner)})
		w.Header().Set("X-Echo", base64.StdEncoding.EncodeToString(outer))
		w.WriteHeader(http.StatusBadGateway)
		w.Write([]byte(html.EscapeString(string(outer))))
	}))
	defer s.Close()
	auth, _ := json.Marshal(map[string]string{"type": "header", "name": "X-Key", "value": token})
	a := trial(t, poster(t, "127.0.0.0/8"), authorized(t, s.URL, string(auth)))
	for _, text := range []string{a.Response.Body, a.Response.Headers["x-echo"]} {
		if !strings.Contains(text, "***") || strings.Contains(text, "with") || strings.Contains(text, "signs") || strings.Contains(text, "aXRo") {
			t.Errorf("kept %s, want no part of the token", text)
		}
	}
}

func BenchmarkHide(b *testing.B) {
	a, _ := auth.Read(strictjson.Value(`{"type":"bearer","token":"{{ secrets.crm }}"}`))
	s, c := &Subscriber{auth: a}, Call{secrets: map[string]string{"crm": "0123456789abcdef0123456789abcdef"}}
	b.ReportAllocs()
	for b.Loop() {
		h := hide(s, c, credentials{})
		for _, text := range []string{"text/plain; charset=utf-8", "Mon, 23 Nov 2026 18:00:00 GMT", `{"ok":true,"id":"1234567890"}`} {
			h.replace(text)
		}
	}
}
