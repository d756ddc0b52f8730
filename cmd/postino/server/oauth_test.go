package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// issuer is a token endpoint: it numbers its tokens and knows which are good.
type issuer struct {
	*httptest.Server
	mu     sync.Mutex
	secret string // that it takes
	issued []string
	good   map[string]bool
}

func newIssuer(t *testing.T, secret string) *issuer {
	i := &issuer{secret: secret, good: map[string]bool{}}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		defer i.mu.Unlock()
		id, given, _ := r.BasicAuth()
		if id == "" {
			id, given = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
		}
		w.Header().Set("Content-Type", "application/json")
		if given != i.secret || r.PostFormValue("grant_type") != "client_credentials" {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, `{"error":"invalid_client","error_description":"wrong: %s"}`, given)
			return
		}
		token := fmt.Sprintf("token-%s-%d", id, len(i.issued)+1)
		i.issued = append(i.issued, token)
		i.good[token] = true
		json.NewEncoder(w).Encode(map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": 3600})
	}))
	t.Cleanup(i.Close)
	return i
}

// revoke makes every token so far worthless.
func (i *issuer) revoke() {
	i.mu.Lock()
	defer i.mu.Unlock()
	clear(i.good)
}

func (i *issuer) tokens() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.issued)
}

// guarded answers 401 to tokens that are not good, and repeats what it got.
func (i *issuer) guarded(t *testing.T) *subscriber {
	var s *subscriber
	s = newSubscriber(t, func(n int, w http.ResponseWriter) {
		s.mu.Lock()
		header := s.got[n-1].Get("Authorization")
		s.mu.Unlock()
		i.mu.Lock()
		defer i.mu.Unlock()
		w.Header().Set("X-Echo", header)
		if !i.good[strings.TrimPrefix(header, "Bearer ")] {
			w.WriteHeader(http.StatusUnauthorized)
		}
		fmt.Fprint(w, "you sent ", header)
	})
	return s
}

func (s *subscriber) authorizations() (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.got {
		list = append(list, h.Get("Authorization"))
	}
	return list
}

func oauth(i *issuer, client, secret string) string {
	return `"auth":{"type":"oauth2","token_url":"` + i.URL + `/token","client_id":"` + client + `","client_secret":"` + secret + `","scope":"a b"}`
}

// attempts lists a delivery's attempts as "status error".
func (a *api) attempts(d map[string]any) (list []string) {
	a.t.Helper()
	for _, one := range a.call("GET", "/v1/tenants/acme/deliveries/"+d["id"].(string), 200, "")["attempts"].([]any) {
		attempt := one.(map[string]any)
		list = append(list, fmt.Sprint(attempt["status_code"], " ", attempt["error"]))
	}
	return list
}

func TestATokenIsFetchedOnceKeptAndRefreshedOnceOn401(t *testing.T) {
	a, i := start(t), newIssuer(t, "hunter2-oauth")
	s := i.guarded(t)
	a.call("PUT", "/v1/tenants/acme/secrets/crm", 201, `{"value":"hunter2-oauth"}`)
	a.subscribe("s", `"url":"`+s.URL+`","retry":{"schedule":[]},`+oauth(i, "me", "{{ secrets.crm }}"))
	a.publish(2)
	a.advance("1s")
	i.revoke()
	a.call("POST", "/v1/tenants/acme/events", 202, `{"id":"later","type":"order.paid","data":1}`)
	a.advance("1s")
	want := []string{"Bearer token-me-1", "Bearer token-me-1", "Bearer token-me-1", "Bearer token-me-2"}
	if diff := cmp.Diff(want, s.authorizations()); diff != "" {
		t.Errorf("callbacks differ (-want +got):\n%s", diff)
	}
	list := a.deliveries("event=later")
	if len(list) != 1 || list[0]["status"] != "succeeded" {
		t.Fatalf("deliveries %v, want one that succeeded although its schedule has one attempt", list)
	}
	if diff := cmp.Diff([]string{"401 status", "200 <nil>"}, a.attempts(list[0])); diff != "" {
		t.Errorf("attempts differ (-want +got):\n%s", diff)
	}
	text, _ := json.Marshal(a.call("GET", "/v1/tenants/acme/deliveries/"+list[0]["id"].(string), 200, ""))
	if strings.Contains(string(text), "token-me") || !strings.Contains(string(text), "you sent Bearer ***") {
		t.Errorf("the delivery shows the token that the answers repeat: %s", text)
	}
}

func TestAFreshTokenThatIsRefusedFailsByTheSchedule(t *testing.T) {
	a, i := start(t), newIssuer(t, "right")
	s := newSubscriber(t, status(401))
	a.subscribe("s", `"url":"`+s.URL+`","retry":{"schedule":["1m"]},`+oauth(i, "me", "right"))
	a.publish(1)
	a.advance("2m")
	if diff := cmp.Diff([]string{"Bearer token-me-1", "Bearer token-me-2"}, s.authorizations()); diff != "" {
		t.Errorf("callbacks differ (-want +got):\n%s", diff)
	}
	if d := a.deliveries("")[0]; d["status"] != "exhausted" || len(a.attempts(d)) != 2 {
		t.Errorf("delivery %v with attempts %q, want it exhausted after two", d, a.attempts(d))
	}
}

func TestNoTokenIsAnAttemptThatFailedAndComesAgain(t *testing.T) {
	a, i := start(t), newIssuer(t, "right")
	s := i.guarded(t)
	for id, tt := range map[string]struct{ auth, about string }{
		"wrong":   {oauth(i, "me", "wrong-hunter2"), "401 invalid_client"},
		"nowhere": {strings.ReplaceAll(oauth(i, "me", "right"), i.URL, "http://127.0.0.1:1"), "connect"},
	} {
		a.subscribe(id, `"url":"`+s.URL+`","types":["`+id+`"],"retry":{"schedule":["1m"]},`+tt.auth)
		a.call("POST", "/v1/tenants/acme/events", 202, `{"id":"`+id+`","type":"`+id+`","data":1}`)
		a.advance("1s")
		d := a.deliveries("event=" + id)[0]
		one := a.call("GET", "/v1/tenants/acme/deliveries/"+d["id"].(string), 200, "")["attempts"].([]any)[0].(map[string]any)
		text := fmt.Sprint(one)
		if d["status"] != "pending" || one["error"] != "auth" || one["status_code"] != nil || !strings.Contains(text, tt.about) || strings.Contains(text, "hunter2") {
			t.Errorf("%s: delivery %v, attempt %v, want error auth about %q", id, d["status"], one, tt.about)
		}
	}
	if s.count() != 0 {
		t.Errorf("%d callbacks without a token", s.count())
	}
	a.call("PATCH", "/v1/tenants/acme/subscriptions/wrong", 200, "{"+oauth(i, "me", "right")+"}")
	a.advance("2m")
	if d := a.deliveries("event=wrong")[0]; d["status"] != "succeeded" {
		t.Errorf("after mending the secret %v, want it succeeded", d)
	}
}

func TestTwoSubscriptionsNeverShareAToken(t *testing.T) {
	a, i := start(t), newIssuer(t, "right")
	s := i.guarded(t)
	for _, id := range []string{"one", "two"} {
		a.subscribe(id, `"url":"`+s.URL+`",`+oauth(i, "me", "right"))
	}
	a.publish(3)
	a.advance("1s")
	if got := i.tokens(); len(got) != 2 {
		t.Errorf("tokens %q, want one for each subscription", got)
	}
	got := s.authorizations()
	slices.Sort(got)
	one, two := "Bearer token-me-1", "Bearer token-me-2"
	if diff := cmp.Diff([]string{one, one, one, two, two, two}, got); diff != "" {
		t.Errorf("callbacks differ (-want +got):\n%s", diff)
	}
}

func TestAChangedSecretGetsAnotherTokenForTheNextAttempt(t *testing.T) {
	a, i := start(t), newIssuer(t, "first")
	s := i.guarded(t)
	a.call("PUT", "/v1/tenants/acme/secrets/crm", 201, `{"value":"first"}`)
	a.subscribe("s", `"url":"`+s.URL+`",`+oauth(i, "me", "{{ secrets.crm }}"))
	a.publish(1)
	a.advance("1s")
	i.mu.Lock()
	i.secret = "second"
	i.mu.Unlock()
	a.call("PUT", "/v1/tenants/acme/secrets/crm", 200, `{"value":"second"}`)
	a.call("POST", "/v1/tenants/acme/events", 202, `{"id":"later","type":"order.paid","data":1}`)
	a.advance("1s")
	if diff := cmp.Diff([]string{"Bearer token-me-1", "Bearer token-me-2"}, s.authorizations()); diff != "" {
		t.Errorf("callbacks differ (-want +got):\n%s", diff)
	}
}

func TestTestAndPreviewKnowTokens(t *testing.T) {
	a, i := start(t), newIssuer(t, "right")
	s := i.guarded(t)
	a.subscribe("s", `"url":"`+s.URL+`",`+oauth(i, "me", "right"))
	const event = `{"event":{"type":"a","data":1}}`
	preview := a.call("POST", "/v1/tenants/acme/subscriptions/s/preview", 200, event)
	if text := fmt.Sprint(preview["request"]); !strings.Contains(text, "authorization:***") || len(i.tokens()) != 0 {
		t.Errorf("preview shows %s, and %d tokens were fetched", text, len(i.tokens()))
	}
	for range 2 {
		got := a.call("POST", "/v1/tenants/acme/subscriptions/s/test", 200, event)
		if code := got["attempt"].(map[string]any)["status_code"]; code != 200.0 || strings.Contains(fmt.Sprint(got), "token-me") {
			t.Errorf("test answered %v", got)
		}
		i.revoke()
	}
	if got := s.count(); got != 3 {
		t.Errorf("%d callbacks of two tests, want 3: one was refused and made again", got)
	}
}
