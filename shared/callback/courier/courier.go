// Package courier carries one request to a subscriber: it signs and sends what was
// rendered, with the subscription's credentials, and brings back the answer, with
// all secrets hidden in it. It knows nothing of what an answer means for a delivery.
package courier

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/postino/postino/shared/callback/cosign"
	"github.com/postino/postino/shared/callback/oauth"
	"github.com/postino/postino/shared/callback/peer"
	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/callback/signature"
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/webhook"
)

// Bounds of what is read and kept of an answer, from the contract.
const (
	maxAnswer   = 64 << 10 // bytes read; more is the subscriber's own affair
	keptFailure = 4 << 10  // bytes kept of an answer that is no success
	keptSuccess = 256      // bytes kept of a success, so that its record stays within 1 KB
)

// Private finds the client for connections with certificates of a subscriber's
// own; see [egress.Pool].
type Private interface {
	Client(tenant, name string, config func() *tls.Config) *http.Client
}

// Opener opens sealed secrets; see secret.Sealer.
type Opener interface {
	Open(sealed []byte, place ...string) ([]byte, error)
}

// Courier makes requests. Its fields are set once; it is safe for concurrent use.
type Courier struct {
	Store   NamedSecrets
	Secrets Opener
	Client  peer.Doer                      // of subscriptions without certificates of their own
	Private Private                        // of the others; nil for none
	Class   func(error) webhook.ErrorClass // how the client's error counts
	Version string                         // of Postino, for the user agent
	Now     func() time.Time               // our clock

	tokens oauth.Tokens
}

// Call is one request about to be made.
type Call struct {
	Delivery string
	Event    string
	Number   int // of the attempt
	Target   webhook.Target
	Content  webhook.Content
	Test     bool // not a delivery: marked as such
	Unsigned bool // and stars stand for its signature

	secrets map[string]string // by name, all that the request and the auth mention; see Open
}

func (c Call) secret(name string) string { return c.secrets[name] }

// Answer is one attempt with what it means.
type Answer struct {
	lifecycle.Attempted
	Took   time.Duration
	Stale  bool   // a 401 to an access token that was not new: another one may do
	Floods bool   // the answer went on beyond what is read of it
	Said   string // of a success: the first 4 KiB of the body, if an event is made of it
}

// ErrInterrupted reports that we ourselves gave up an attempt, because we are
// stopping: it says nothing of the subscriber.
var ErrInterrupted = errors.New("interrupted while posting")

var errBuild = errors.New("the rendered request is not one")

// Post makes one attempt. The error is ours alone: whatever the subscriber or
// the network does is an answer.
func (q *Courier) Post(ctx context.Context, s *Subscriber, c Call) (Answer, error) {
	started, mark := q.Now(), time.Now()
	attempt := webhook.Attempt{StartedAt: started.UTC().Truncate(time.Millisecond)}
	deadline, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	r := Answer{Attempted: lifecycle.Attempted{Outcome: retry.Retry}}
	used, err := q.credentials(deadline, s, c)
	if err != nil {
		attempt.Error, attempt.Detail = webhook.ErrorAuth, q.tokenDetail(err)
	} else {
		var req *http.Request
		if req, err = request(deadline, s, c, used, stamp{mark, started}, q.Version); err != nil {
			return Answer{}, err
		}
		if err = q.exchange(req, s, c, used, &r, &attempt); err != nil {
			attempt.Error = cmp.Or(q.Class(err), webhook.ErrorReset)
			attempt.Detail = detail(attempt.Error, err, s.timeout)
			r.Outcome = retry.Retry
		}
	}
	if peer.Final(err) {
		r.Outcome = retry.Permanent
	}
	if err != nil && ctx.Err() != nil {
		return Answer{}, ErrInterrupted
	}
	elapsed := time.Since(mark)
	attempt.DurationMS = elapsed.Milliseconds()
	r.Attempt, r.Took = attempt, elapsed
	return r, nil
}

// Sign returns the request that Post would send now, for somebody who gets it in
// another way: its url is not known, and it has no credentials.
func (q *Courier) Sign(ctx context.Context, s *Subscriber, c Call) (*http.Request, error) {
	return request(ctx, s, c, credentials{}, stamp{time.Now(), q.Now()}, q.Version)
}

// Body is the body of the request that Sign returns.
func Body(c Call) string { return render.Fill(c.Content.Body, c.secret) }

// Told is the answer of a receiver that somebody else asked and tells of, without
// what is hidden, as Post would have returned it.
func (q *Courier) Told(s *Subscriber, c Call, said peer.Answer) Answer {
	r := Answer{}
	hidden := hide(s, c, credentials{})
	r.note(&r.Attempt, said, true, s.policy, hidden)
	if s.Emits(webhook.EmitOnSuccess) && r.Outcome == retry.Success {
		r.Said = keepText([]byte(strings.ToValidUTF8(hidden.replace(string(said.Body)), "\uFFFD")), render.MaxEmitted)
	}
	return r
}

// exchange sends the request and notes what the subscriber said. An error means
// that there is no answer, or not all of it.
func (q *Courier) exchange(req *http.Request, s *Subscriber, c Call, used credentials, r *Answer, a *webhook.Attempt) error {
	answer, err := peer.Ask(q.client(s, false), req, maxAnswer)
	if answer.Status == 0 {
		return err
	}
	hidden := hide(s, c, used)
	r.note(a, answer, err == nil, s.policy, hidden)
	if s.Emits(webhook.EmitOnSuccess) && r.Outcome == retry.Success {
		r.Said = keepText([]byte(strings.ToValidUTF8(hidden.replace(string(answer.Body)), "\uFFFD")), render.MaxEmitted)
	}
	r.RetryAfter = retry.RetryAfter(answer.Status, answer.Header.Get("Retry-After"), a.StartedAt)
	r.Parks = r.Outcome == retry.Gone && !s.varies
	r.Stale = q.refuse(s, c, used, answer.Status) && r.Outcome != retry.Success
	r.Floods = answer.More
	return err
}

// stamp is when an attempt is made: by the clock that receivers know, and by
// ours, which a test may have moved and which secrets expire by.
type stamp struct{ real, ours time.Time }

// request builds the POST. That it goes out once, whatever happens to the
// connection, is the client's affair; see egress.Transport.
func request(ctx context.Context, s *Subscriber, c Call, used credentials, at stamp, version string) (*http.Request, error) {
	body := []byte(render.Fill(c.Content.Body, c.secret))
	req, err := http.NewRequestWithContext(ctx, c.Content.Method, render.Fill(c.Target.URL, c.secret), bytes.NewReader(body))
	if err != nil {
		return nil, errBuild // its own words would hold the URL, and with it secrets
	}
	signed := signature.Header(s.active(at.ours), c.Delivery, at.real, body)
	h := req.Header
	h["Idempotency-Key"] = []string{c.Delivery} // which the subscription's own may replace
	for _, own := range c.Target.Headers {
		h.Set(own.Name, render.Fill(own.Value, c.secret))
	}
	if used.name != "" {
		h.Set(used.name, used.value)
	}
	h["Content-Type"] = []string{c.Content.ContentType}
	h["User-Agent"] = []string{"Postino/" + version}
	h["Webhook-Id"] = []string{c.Delivery}
	h["Webhook-Timestamp"] = []string{strconv.FormatInt(at.real.Unix(), 10)}
	if c.Unsigned {
		signed = render.Stars
	}
	h["Webhook-Signature"] = []string{signed}
	h["Postino-Event-Id"] = []string{render.HeaderText(c.Event)}
	if c.Test {
		h["Postino-Test"] = []string{"true"}
	}
	if s.cosigns != nil {
		s.cosigns.Set(h, cosign.Message{
			ID: c.Delivery, Event: c.Event, At: at.real, Attempt: c.Number,
			Method: c.Content.Method, URL: req.URL.String(), Type: c.Content.ContentType, Body: body,
		}, c.secret)
	}
	h["Postino-Attempt"] = []string{strconv.Itoa(c.Number)}
	return req, nil
}

// note notes what the subscriber said, without what is hidden; whole means that
// the answer did not break off.
func (r *Answer) note(a *webhook.Attempt, said peer.Answer, whole bool, policy retry.Policy, hide hidden) {
	a.StatusCode = said.Status
	r.Outcome = policy.Outcome(said.Status)
	kept := keptFailure
	if r.Outcome == retry.Success && whole {
		kept = keptSuccess
	}
	body := said.Body
	if hide != nil {
		body = []byte(hide.replace(string(body)))
	}
	a.Response = &webhook.Response{
		Headers: keepHeaders(said.Header, kept, hide),
		Body:    keepText(body, kept),
	}
	if whole && r.Outcome != retry.Success {
		a.Error = webhook.ErrorStatus
	}
}

// keepText keeps up to n bytes of text, ending between characters.
func keepText(text []byte, n int) string {
	if len(text) > n {
		for n > 0 && !utf8.RuneStart(text[n]) {
			n--
		}
		text = text[:n]
	}
	return strings.ToValidUTF8(string(text), "\uFFFD")
}

// keepHeaders keeps headers up to about a number of bytes, in lower case,
// those that explain an answer first.
func keepHeaders(h http.Header, room int, hide hidden) map[string]string {
	kept := map[string]string{}
	keep := func(name string) {
		value := hide.replace(strings.ToValidUTF8(strings.Join(h[name], ", "), "\uFFFD"))
		if size := len(name) + len(value); size <= room {
			kept[strings.ToLower(name)] = value
			room -= size
		}
	}
	telling := []string{"Content-Type", "Retry-After", "Location", "Server", "Www-Authenticate"}
	for _, name := range telling {
		if h[name] != nil {
			keep(name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if _, done := kept[strings.ToLower(name)]; !done {
			keep(name)
		}
	}
	return kept
}

// detail says in words what broke; see [peer.Words].
func detail(class webhook.ErrorClass, err error, timeout time.Duration) string {
	if class == webhook.ErrorTimeout {
		return "no complete answer within " + retry.FormatDuration(timeout)
	}
	return peer.Words(err)
}
