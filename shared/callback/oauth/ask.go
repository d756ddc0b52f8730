package oauth

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/postino/postino/shared/callback/peer"
	"github.com/postino/postino/shared/callback/secret"
	"github.com/postino/postino/shared/language/strictjson"
)

const (
	maxAnswer = 64 << 10 // bytes of a token endpoint's answer
	maxToken  = 8 << 10  // bytes of a token: what a header may have elsewhere
)

// Doer makes the requests that [peer.Ask] is given. It must follow no redirect:
// that would take the credentials elsewhere.
type Doer = peer.Doer

// Failure is why there is no token.
type Failure struct {
	Detail string // in words for the subscription's owner, without anything that the endpoint chose
	Err    error  // of the way to the endpoint; nil if it answered
}

func (f *Failure) Error() string { return "get a token: " + f.Detail }

// Unwrap returns Err.
func (f *Failure) Unwrap() error { return f.Err }

// answer is what the endpoint gave.
type answer struct {
	token  secret.String
	life   time.Duration // 0 if it is not said; less if it is over
	inBody bool          // how the credentials were given
}

// ask asks for a token with the credentials in the header, as RFC 6749 wants it
// of every endpoint. One that refuses that is asked once more with them in the
// body, which many know alone; inBody skips the first.
func ask(ctx context.Context, client Doer, g Grant, inBody bool) (answer, error) {
	a, again, err := once(ctx, client, g, inBody)
	if err != nil && again && !inBody {
		inBody = true
		a, _, err = once(ctx, client, g, inBody)
	}
	a.inBody = inBody
	return a, err
}

// once makes one request; again means that the endpoint did not know us.
func once(ctx context.Context, client Doer, g Grant, inBody bool) (a answer, again bool, err error) {
	req, err := request(ctx, g, inBody)
	if err != nil {
		return a, false, &Failure{Detail: "the token endpoint's URL is not valid"}
	}
	said, err := peer.Ask(client, req, maxAnswer)
	switch {
	case err != nil && said.Status == 0:
		return a, false, &Failure{"the token endpoint could not be reached", err}
	case err != nil:
		return a, false, &Failure{"the connection to the token endpoint closed during its answer", err}
	case said.More:
		return a, false, &Failure{Detail: fmt.Sprintf("the token endpoint's answer is longer than %d bytes", maxAnswer)}
	case said.Status != http.StatusOK:
		again = said.Status == http.StatusUnauthorized || said.Status == http.StatusBadRequest
		return a, again, &Failure{Detail: refusal(said.Status, said.Body)}
	}
	a, err = read(said.Body)
	return a, false, err
}

func request(ctx context.Context, g Grant, inBody bool) (*http.Request, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	if g.Scope != "" {
		form.Set("scope", g.Scope)
	}
	if inBody {
		form.Set("client_id", g.ClientID)
		form.Set("client_secret", g.ClientSecret)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.URL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if !inBody { // each form-encoded first: RFC 6749, 2.3.1
		pair := url.QueryEscape(g.ClientID) + ":" + url.QueryEscape(g.ClientSecret)
		req.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
	}
	return req, nil
}

// codes are the errors that an endpoint may name (RFC 6749, 5.2). Other words
// of it are not repeated: they may hold what we sent.
var codes = map[string]bool{
	"invalid_request": true, "invalid_client": true, "invalid_grant": true, "unauthorized_client": true,
	"unsupported_grant_type": true, "invalid_scope": true,
}

func refusal(status int, body []byte) string {
	text := "the token endpoint answered " + strconv.Itoa(status)
	v, err := strictjson.Parse(body)
	if err != nil {
		return text
	}
	for name, member := range v.Members() {
		if code, ok := member.Text(); ok && name == "error" && codes[code] {
			text += " " + code
		}
	}
	return text
}

// read reads an answer with a token.
func read(body []byte) (a answer, err error) {
	v, err := strictjson.Parse(body)
	if err != nil || v.Kind() != strictjson.Object {
		return a, &Failure{Detail: "the token endpoint's answer is not a JSON object"}
	}
	kind := ""
	for name, member := range v.Members() {
		switch text, _ := member.Text(); name {
		case "access_token":
			a.token = secret.String(text)
		case "token_type":
			kind = text
		case "expires_in":
			a.life = life(member)
		}
	}
	switch {
	case a.token == "":
		return answer{}, &Failure{Detail: "the token endpoint's answer has no access_token"}
	case kind != "" && !strings.EqualFold(kind, "bearer"):
		return answer{}, &Failure{Detail: "the token endpoint's token is not a bearer token"}
	case len(a.token) > maxToken || strings.ContainsFunc(a.token.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }):
		return answer{}, &Failure{Detail: "the token endpoint's token does not fit in a header"}
	}
	return a, nil
}

// life reads a number of seconds; some endpoints write it as a string. What is
// no such number says nothing.
func life(v strictjson.Value) time.Duration {
	text, ok := v.Text()
	if !ok {
		text = string(v)
	}
	seconds, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || seconds != seconds:
		return 0
	case seconds < 1:
		return -1 // good for those who wait for it
	}
	return time.Duration(min(seconds, maxLife.Seconds())) * time.Second
}
