package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/shared/callback/egress/egresstest"
)

// visits are what a server saw of its clients.
type visits struct {
	mu   sync.Mutex
	list []visit
}

type visit struct{ path, connection, name string }

func (v *visits) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.list = append(v.list, visit{r.URL.Path, r.RemoteAddr, egresstest.Name(r)})
}

func (v *visits) all() []visit {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.list)
}

// ownTLS writes the auth of a client with a name ("" for none) that trusts an
// authority.
func ownTLS(trusts, signedBy *egresstest.Authority, name string) string {
	tls := map[string]string{"ca": trusts.PEM()}
	if name != "" {
		tls["certificate"], tls["key"] = signedBy.Client(name, egresstest.Life)
	}
	b, _ := json.Marshal(map[string]any{"tls": tls})
	return `"auth":` + string(b)
}

func TestSubscriptionsWithOtherCertificatesNeverShareAConnection(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		a := start(t)
		ca := egresstest.New(t, "ca")
		var seen visits
		s := ca.Serve(&seen, http2)
		for _, name := range []string{"one", "two", ""} {
			a.subscribe("s"+name, `"url":"`+s.URL+"/"+name+`",`+ownTLS(ca, ca, name))
		}
		a.subscribe("stranger", `"url":"`+s.URL+`/stranger","retry":{"schedule":[]},`+ownTLS(egresstest.New(t, "other"), ca, ""))
		a.subscribe("public", `"url":"`+s.URL+`/public","retry":{"schedule":[]}`)
		for i := range 3 {
			a.call("POST", "/v1/tenants/acme/events", 202, fmt.Sprintf(`[{"type":"a","id":"x%d","data":1},{"type":"a","id":"y%d","data":1}]`, i, i))
			a.advance("1s")
		}
		owner := map[string]string{} // of each connection
		count := map[string]int{}
		for _, v := range seen.all() {
			path := strings.TrimPrefix(v.path, "/")
			if other, taken := owner[v.connection]; taken && other != path || v.name != path {
				t.Errorf("http2 %v: %q came as %q over a connection of %q", http2, path, v.name, other)
			}
			owner[v.connection] = path
			count[path]++
		}
		if len(count) != 3 || count["one"] != 6 || count["two"] != 6 || count[""] != 6 {
			t.Errorf("http2 %v: callbacks %v, want 6 for each who trusts the server, and no other", http2, count)
		}
		for _, id := range []string{"stranger", "public"} {
			for _, d := range a.deliveries("subscription=" + id) {
				if got := a.attempts(d); d["status"] != "exhausted" || len(got) != 1 || got[0] != "<nil> tls" {
					t.Errorf("%s: delivery %v with attempts %q, want one that failed as tls", id, d["status"], got)
				}
			}
		}
	}
}

func TestChangedCertificatesHoldFromTheNextAttempt(t *testing.T) {
	a := start(t)
	ca := egresstest.New(t, "ca")
	var seen visits
	s := ca.Serve(&seen, true)
	a.subscribe("s", `"url":"`+s.URL+`",`+ownTLS(ca, ca, "first"))
	for _, name := range []string{"first", "second", ""} {
		a.call("PATCH", "/v1/tenants/acme/subscriptions/s", 200, "{"+ownTLS(ca, ca, name)+"}")
		a.call("POST", "/v1/tenants/acme/subscriptions/s/test", 200, `{"event":{"type":"a","data":1}}`)
		a.call("POST", "/v1/tenants/acme/events", 202, `{"type":"a","data":1}`)
		a.advance("1s")
		list := seen.all()
		if len(list)%2 != 0 || list[len(list)-1].name != name || list[len(list)-2].name != name {
			t.Errorf("callbacks came as %+v, want the last two as %q", list, name)
		}
	}
}

func TestATokenEndpointMayHaveACertificateOfTheSubscribersAuthority(t *testing.T) {
	a := start(t)
	ca := egresstest.New(t, "ca")
	var mu sync.Mutex
	names := []string{}
	id := ca.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		names = append(names, egresstest.Name(r))
		fmt.Fprintf(w, `{"access_token":"token-of-%s"}`, egresstest.Name(r))
	}), true)
	var got []string
	s := ca.Serve(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, egresstest.Name(r)+": "+r.Header.Get("Authorization"))
	}), true)
	for _, name := range []string{"one", "two"} {
		own := strings.TrimPrefix(ownTLS(ca, ca, name), `"auth":{`)
		a.subscribe(name, `"url":"`+s.URL+`","auth":{"type":"oauth2","token_url":"`+id.URL+`","client_id":"me","client_secret":"same",`+own)
	}
	a.publish(2)
	a.advance("1s")
	slices.Sort(got)
	slices.Sort(names)
	if want := []string{"one: Bearer token-of-one", "one: Bearer token-of-one", "two: Bearer token-of-two", "two: Bearer token-of-two"}; !slices.Equal(got, want) {
		t.Errorf("callbacks %q, want %q", got, want)
	}
	if !slices.Equal(names, []string{"one", "two"}) {
		t.Errorf("tokens for %q, want one each", names)
	}
}

func TestCertificatesAreJudgedWhenSavedAndNeverShown(t *testing.T) {
	a := start(t)
	ca := egresstest.New(t, "ca")
	certificate, key := ca.Client("old", -time.Hour)
	old, _ := json.Marshal(map[string]any{"url": "https://a.example", "auth": map[string]any{"tls": map[string]string{"certificate": certificate, "key": key}}})
	path := "/v1/tenants/acme/subscriptions/s"
	field := func(body string) string {
		return a.call("PUT", path, 422, body)["errors"].([]any)[0].(map[string]any)["field"].(string)
	}
	if got := field(string(old)); got != "auth.tls.certificate" {
		t.Errorf("an expired certificate is refused as %s", got)
	}
	if got := field(`{"url":"http://127.0.0.1:1",` + ownTLS(ca, ca, "") + `}`); got != "auth.tls" {
		t.Errorf("certificates for http are refused as %s", got)
	}
	made := a.call("PUT", path, 201, `{"url":"https://127.0.0.1:1",`+ownTLS(ca, ca, "me")+`}`)
	if got := a.call("PATCH", path, 422, `{"url":"http://127.0.0.1:1"}`)["errors"].([]any)[0].(map[string]any)["field"]; got != "auth.tls" {
		t.Errorf("a change to http is refused as %v", got)
	}
	preview := a.call("POST", path+"/preview", 200, `{"event":{"type":"a","data":1}}`)
	text, _ := json.Marshal([]any{made, preview, a.call("GET", path, 200, "")})
	if strings.Contains(string(text), "BEGIN") || !strings.Contains(string(text), `"key":"***"`) {
		t.Errorf("reads show certificates or keys: %s", text)
	}
	a.call("PATCH", path, 200, `{"auth":null,"url":"http://127.0.0.1:1"}`)
}
