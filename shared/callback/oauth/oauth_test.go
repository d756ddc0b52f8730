package oauth_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postino/postino/shared/callback/oauth"
)

// endpoint is a token endpoint without a network.
type endpoint struct {
	calls  atomic.Int64
	answer func(n int64, r *http.Request) (*http.Response, error) // n counts from 1
}

func (e *endpoint) Do(r *http.Request) (*http.Response, error) { return e.answer(e.calls.Add(1), r) }

func says(status int, body string) (*http.Response, error) {
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body))}, nil
}

// numbered gives the token t1, then t2, and so on, each good for an hour.
func numbered(n int64, _ *http.Request) (*http.Response, error) {
	return says(200, `{"access_token":"t`+string(rune('0'+n))+`","token_type":"Bearer","expires_in":3600}`)
}

var (
	owner = oauth.Owner{Tenant: "acme", Subscription: "s"}
	grant = oauth.Grant{URL: "https://id.example/token", ClientID: "me", ClientSecret: "hunter2"}
)

func get(t *testing.T, tokens *oauth.Tokens, e *endpoint, owner oauth.Owner, grant oauth.Grant) oauth.Token {
	t.Helper()
	token, err := tokens.Get(t.Context(), e, owner, grant)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestTheRequestIsThatOfTheStandard(t *testing.T) {
	e := &endpoint{answer: func(_ int64, r *http.Request) (*http.Response, error) {
		body, _ := io.ReadAll(r.Body)
		id, secret, _ := r.BasicAuth()
		if r.Method != "POST" || r.URL.String() != grant.URL || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" ||
			id != "a%3Ab" || secret != "p+%C3%A4%25" || string(body) != "grant_type=client_credentials&scope=read+write" {
			t.Errorf("asked with %s %s, %v, %s", r.Method, r.URL, r.Header, body)
		}
		return numbered(1, r)
	}}
	token := get(t, &oauth.Tokens{}, e, owner, oauth.Grant{URL: grant.URL, ClientID: "a:b", ClientSecret: "p ä%", Scope: "read write"})
	if token.Value.Reveal() != "t1" || !token.Fresh {
		t.Errorf("token %q, fresh %v, want t1, fresh", token.Value.Reveal(), token.Fresh)
	}
}

func TestAnEndpointThatWantsCredentialsInTheBodyGetsThem(t *testing.T) {
	e := &endpoint{answer: func(n int64, r *http.Request) (*http.Response, error) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		if _, _, basic := r.BasicAuth(); basic || form.Get("client_id") != "me" || form.Get("client_secret") != "hunter2" {
			return says(401, `{"error":"invalid_client"}`)
		}
		return says(200, `{"access_token":"x","expires_in":1}`)
	}}
	synctest.Test(t, func(t *testing.T) {
		var tokens oauth.Tokens
		for _, want := range []int64{2, 3} { // the second time it is known
			get(t, &tokens, e, owner, grant)
			if got := e.calls.Load(); got != want {
				t.Errorf("%d requests, want %d", got, want)
			}
			time.Sleep(time.Second)
		}
	})
}

func TestATokenIsKeptUntilShortlyBeforeItsEnd(t *testing.T) {
	for _, tt := range []struct {
		answer string
		kept   time.Duration
	}{
		{`{"access_token":"x","token_type":"bearer","expires_in":3600}`, 59 * time.Minute},
		{`{"access_token":"x","expires_in":"3600"}`, 59 * time.Minute},
		{`{"access_token":"x","expires_in":10}`, 8 * time.Second},
		{`{"access_token":"x"}`, 59 * time.Minute},
		{`{"access_token":"x","expires_in":null}`, 59 * time.Minute},
		{`{"access_token":"x","expires_in":1e99}`, 24*time.Hour - time.Minute},
		{`{"access_token":"x","expires_in":0}`, 0},
		{`{"access_token":"x","expires_in":-5}`, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			e := &endpoint{answer: func(int64, *http.Request) (*http.Response, error) { return says(200, tt.answer) }}
			var tokens oauth.Tokens
			get(t, &tokens, e, owner, grant)
			time.Sleep(tt.kept - time.Millisecond)
			if again := get(t, &tokens, e, owner, grant); again.Fresh != (tt.kept == 0) {
				t.Errorf("%s: just before %v fresh is %v", tt.answer, tt.kept, again.Fresh)
			}
			time.Sleep(2 * time.Millisecond)
			if again := get(t, &tokens, e, owner, grant); !again.Fresh {
				t.Errorf("%s: after %v the token is still used", tt.answer, tt.kept)
			}
		})
	}
}

func TestATokenIsUsedToItsEndWhileNoOtherComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{answer: func(n int64, r *http.Request) (*http.Response, error) {
			if n > 1 {
				return says(503, "")
			}
			return numbered(n, r)
		}}
		var tokens oauth.Tokens
		get(t, &tokens, e, owner, grant)
		time.Sleep(59*time.Minute + time.Second)
		for range 3 {
			if token := get(t, &tokens, e, owner, grant); token.Value.Reveal() != "t1" || token.Fresh {
				t.Errorf("token %q while the endpoint is down, want the old one", token.Value.Reveal())
			}
		}
		if got := e.calls.Load(); got != 2 {
			t.Errorf("%d requests within a second of a failure, want 2", got)
		}
		time.Sleep(time.Minute)
		if _, err := tokens.Get(t.Context(), e, owner, grant); err == nil {
			t.Error("a token is used beyond its end")
		}
	})
}

func TestManyWhoWantOneTokenAskOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, status := range []int{200, 500} {
			e := &endpoint{answer: func(n int64, r *http.Request) (*http.Response, error) {
				time.Sleep(time.Second)
				return says(status, `{"access_token":"x"}`)
			}}
			var tokens oauth.Tokens
			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() {
					if _, err := tokens.Get(t.Context(), e, owner, grant); (err == nil) != (status == 200) {
						t.Errorf("an endpoint that answers %d: %v", status, err)
					}
				})
			}
			wg.Wait()
			if got := e.calls.Load(); got != 1 {
				t.Errorf("fifty callers made %d requests, want one", got)
			}
		}
	})
}

func TestNoTokenIsShared(t *testing.T) {
	e := &endpoint{answer: numbered}
	var tokens oauth.Tokens
	seen := map[string]bool{}
	for _, ask := range []struct {
		owner oauth.Owner
		grant oauth.Grant
	}{
		{owner, grant},
		{oauth.Owner{Tenant: "acme", Subscription: "other"}, grant},
		{oauth.Owner{Tenant: "other", Subscription: "s"}, grant},
		{oauth.Owner{Tenant: "acme", Subscription: "s", TLS: "x"}, grant},
		{owner, oauth.Grant{URL: grant.URL, ClientID: "me", ClientSecret: "changed"}},
		{owner, oauth.Grant{URL: grant.URL, ClientID: "me2", ClientSecret: "hunter2"}},
		{owner, oauth.Grant{URL: grant.URL, ClientID: "mehunter2"}},
		{owner, oauth.Grant{URL: grant.URL, ClientID: "me", ClientSecret: "hunter2", Scope: "more"}},
		{owner, oauth.Grant{URL: grant.URL + "2", ClientID: "me", ClientSecret: "hunter2"}},
	} {
		token := get(t, &tokens, e, ask.owner, ask.grant).Value.Reveal()
		if seen[token] {
			t.Errorf("%+v with %+v gets the token of another", ask.owner, ask.grant)
		}
		seen[token] = true
	}
}

func TestARefusedTokenIsForgottenOnce(t *testing.T) {
	e := &endpoint{answer: numbered}
	var tokens oauth.Tokens
	first := get(t, &tokens, e, owner, grant)
	tokens.Refuse(owner, grant, first.Value)
	if second := get(t, &tokens, e, owner, grant); second.Value == first.Value || !second.Fresh {
		t.Error("a refused token is used again")
	}
	tokens.Refuse(owner, grant, first.Value) // somebody who is late
	if third := get(t, &tokens, e, owner, grant); third.Fresh {
		t.Error("who is late makes the new token be forgotten")
	}
}

func TestAnEndpointThatHangsEndsTheFetchAndNotMore(t *testing.T) {
	hangs := &endpoint{answer: func(_ int64, r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, &url.Error{Op: "Post", URL: r.URL.String(), Err: r.Context().Err()}
	}}
	for _, tt := range []struct{ timeout, want time.Duration }{{time.Minute, 10 * time.Second}, {3 * time.Second, 3 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), tt.timeout)
			defer cancel()
			began := time.Now()
			if _, err := (&oauth.Tokens{}).Get(ctx, hangs, owner, grant); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v, want that of the deadline", err)
			}
			if took := time.Since(began); took != tt.want {
				t.Errorf("with %v in all it took %v, want %v", tt.timeout, took, tt.want)
			}
		})
	}
}

func TestWhoGivesUpTakesTheTokenFromNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{answer: func(n int64, r *http.Request) (*http.Response, error) {
			select {
			case <-time.After(2 * time.Second):
				return numbered(n, r)
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		}}
		var tokens oauth.Tokens
		ctx, cancel := context.WithCancel(t.Context())
		go tokens.Get(ctx, e, owner, grant)
		synctest.Wait()
		time.AfterFunc(time.Second, cancel)
		if token := get(t, &tokens, e, owner, grant); token.Value.Reveal() != "t1" {
			t.Errorf("token %q, want t1", token.Value.Reveal())
		}
	})
}

func TestBadAnswersFailWithoutRepeatingThem(t *testing.T) {
	for _, tt := range []struct {
		status      int
		body, about string
	}{
		{400, `{"error":"invalid_scope","error_description":"hunter2"}`, "400 invalid_scope"},
		{401, `{"error":"hunter2"}`, "401"},
		{403, `hunter2`, "403"},
		{302, ``, "302"},
		{200, ``, "not a JSON object"},
		{200, `[]`, "not a JSON object"},
		{200, `{"access_token":"hunter2","access_token":"x"}`, "not a JSON object"},
		{200, `{"token":"hunter2"}`, "no access_token"},
		{200, `{"access_token":7}`, "no access_token"},
		{200, `{"access_token":"hunter2","token_type":"mac"}`, "not a bearer token"},
		{200, `{"access_token":"hunter2\r\nhost: x"}`, "does not fit in a header"},
		{200, `{"access_token":"` + strings.Repeat("hunter2", 2000) + `"}`, "does not fit in a header"},
		{200, `{"access_token":"x","more":"` + strings.Repeat("x", 64<<10) + `"}`, "longer than"},
	} {
		e := &endpoint{answer: func(int64, *http.Request) (*http.Response, error) { return says(tt.status, tt.body) }}
		_, err := (&oauth.Tokens{}).Get(t.Context(), e, owner, grant)
		var failure *oauth.Failure
		if !errors.As(err, &failure) || !strings.Contains(failure.Detail, tt.about) {
			t.Errorf("%d %.60s: error %v, want one about %q", tt.status, tt.body, err, tt.about)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%d %.60s: the error repeats it: %v", tt.status, tt.body, err)
		}
	}
}

func FuzzTokenAnswer(f *testing.F) {
	for _, seed := range []string{`{"access_token":"x","expires_in":3600}`, `{"access_token":"a b"}`, `{"expires_in":"NaN"}`, `[`, ``} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		e := &endpoint{answer: func(int64, *http.Request) (*http.Response, error) { return says(200, body) }}
		token, err := (&oauth.Tokens{}).Get(t.Context(), e, owner, grant)
		if (err == nil) != (token.Value != "") || strings.ContainsAny(token.Value.Reveal(), "\r\n ") {
			t.Fatalf("%q gives the token %q and error %v", body, token.Value.Reveal(), err)
		}
	})
}

// A fetch ends by its own deadline, whatever the endpoint does; what waits for
// it does so by deadlines of its own, and the next fetch begins anew.
func TestAFetchThatHangsEndsAndIsNotTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tokens oauth.Tokens
		e := &endpoint{answer: func(n int64, r *http.Request) (*http.Response, error) {
			if n > 1 {
				return numbered(n, r)
			}
			body, _ := io.Pipe() // nobody writes, and no deadline ends it but a close
			return &http.Response{StatusCode: 200, Body: body}, nil
		}}
		long, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var waiting sync.WaitGroup
		began := time.Now()
		for _, patience := range []time.Duration{time.Second, time.Minute} {
			waiting.Go(func() {
				ctx, cancel := context.WithTimeout(long, patience)
				defer cancel()
				if _, err := tokens.Get(ctx, e, owner, grant); err == nil {
					t.Error("an endpoint that hangs gave a token")
				}
				if took := time.Since(began); took > min(patience, 10*time.Second) {
					t.Errorf("who may wait for %v waited for %v, want at most that and 10s", patience, took)
				}
			})
		}
		waiting.Wait()
		if token := get(t, &tokens, e, owner, grant); token.Value.Reveal() != "t2" {
			t.Errorf("the next caller gets %q, want t2", token.Value.Reveal())
		}
	})
}

func TestAPanicWhileReadingAnAnswerIsAFailure(t *testing.T) {
	e := &endpoint{answer: func(int64, *http.Request) (*http.Response, error) { panic("odd answer") }}
	var failure *oauth.Failure
	if _, err := (&oauth.Tokens{}).Get(t.Context(), e, owner, grant); !errors.As(err, &failure) {
		t.Errorf("Get = %v, want a failure", err)
	}
}

func TestAFetchThatNeverEndsIsNotTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tokens oauth.Tokens
		hang := make(chan struct{})
		e := &endpoint{answer: func(n int64, r *http.Request) (*http.Response, error) {
			if n == 1 {
				<-hang // as nothing should
				return nil, errors.New("late")
			}
			return numbered(n, r)
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		if _, err := tokens.Get(ctx, e, owner, grant); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Get = %v, want the caller's deadline", err)
		}
		if token := get(t, &tokens, e, owner, grant); token.Value.Reveal() != "t2" {
			t.Errorf("the next caller gets %q, want t2", token.Value.Reveal())
		}
		close(hang)
		synctest.Wait()
		if token := get(t, &tokens, e, owner, grant); token.Value.Reveal() != "t2" {
			t.Errorf("after the first fetch failed late: %q, want t2", token.Value.Reveal())
		}
	})
}

// TestATenantPushesOutItsOwnTokensFirst: a tenant that has more subscriptions than
// there is room for tokens, each as long as a token may be, costs another one none
// of its tokens.
func TestATenantPushesOutItsOwnTokensFirst(t *testing.T) {
	long := strings.Repeat("x", 8<<10)
	e := &endpoint{answer: func(int64, *http.Request) (*http.Response, error) {
		return says(200, `{"access_token":"`+long+`","expires_in":3600}`)
	}}
	var tokens oauth.Tokens
	of := func(tenant string, n int) oauth.Owner {
		return oauth.Owner{Tenant: tenant, Subscription: strconv.Itoa(n)}
	}
	const modest, greedy = 100, 5000 // 32 MiB are room for less than 4,000
	for n := range modest {
		get(t, &tokens, e, of("modest", n), grant)
	}
	for n := range greedy {
		get(t, &tokens, e, of("greedy", n), grant)
	}
	for n := range modest {
		if get(t, &tokens, e, of("modest", n), grant).Fresh {
			t.Fatalf("token %d of the other tenant was fetched again, want it kept", n)
		}
	}
	kept := 0
	for n := greedy - 1; n >= 0 && !get(t, &tokens, e, of("greedy", n), grant).Fresh; n-- {
		kept++
	}
	if kept < 1000 || kept > 4000 {
		t.Errorf("%d tokens of 8 KiB of the greedy tenant are kept, want those that there is room for", kept)
	}
}
