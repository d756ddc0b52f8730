package delivery

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

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

// call is one request about to be made.
type call struct {
	delivery string
	event    string
	number   int
	target   webhook.Target
	content  webhook.Content
	test     bool              // not a delivery: marked as such
	secrets  map[string]string // by name, all that the request and the auth mention
}

func (c call) secret(name string) string { return c.secrets[name] }

// errInterrupted reports that we ourselves gave up an attempt, because we are
// stopping: it says nothing of the subscriber.
var errInterrupted = errors.New("interrupted while posting")

var errBuild = errors.New("the rendered request is not one")

// requester makes the requests of attempts and reads the answers. It knows
// nothing of what an answer means for a delivery.
type requester struct {
	store   NamedSecrets
	secrets Opener
	plain   Doer    // of subscriptions without certificates of their own
	private Private // of the others
	class   func(error) webhook.ErrorClass
	version string
	now     func() time.Time
	tokens  oauth.Tokens
}

// post makes one attempt. The error is ours alone: whatever the subscriber or
// the network does is a result.
func (q *requester) post(ctx context.Context, s *subscriber, c call) (result, error) {
	started, mark := q.now(), time.Now()
	attempt := webhook.Attempt{StartedAt: started.UTC().Truncate(time.Millisecond)}
	deadline, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	r := result{Attempted: lifecycle.Attempted{Outcome: retry.Retry}}
	used, err := q.credentials(deadline, s, c)
	if err != nil {
		attempt.Error, attempt.Detail = webhook.ErrorAuth, q.tokenDetail(err)
	} else {
		var req *http.Request
		if req, err = request(deadline, s, c, used, stamp{mark, started}, q.version); err != nil {
			return result{}, err
		}
		if err = q.exchange(req, s, c, used, &r, &attempt); err != nil {
			attempt.Error = cmp.Or(q.class(err), webhook.ErrorReset)
			attempt.Detail = detail(attempt.Error, err, s.timeout)
			r.Outcome = retry.Retry
		}
	}
	if peer.Final(err) {
		r.Outcome = retry.Permanent
	}
	if err != nil && ctx.Err() != nil {
		return result{}, errInterrupted
	}
	elapsed := time.Since(mark)
	attempt.DurationMS = elapsed.Milliseconds()
	r.Attempt, r.took = attempt, elapsed
	return r, nil
}

// exchange sends the request and notes what the subscriber said. An error means
// that there is no answer, or not all of it.
func (q *requester) exchange(req *http.Request, s *subscriber, c call, used credentials, r *result, a *webhook.Attempt) error {
	answer, err := peer.Ask(q.client(s, false), req, maxAnswer)
	if answer.Status == 0 {
		return err
	}
	r.note(a, answer, err == nil, s.policy, hide(s, c, used))
	r.RetryAfter = retry.RetryAfter(answer.Status, answer.Header.Get("Retry-After"), a.StartedAt)
	r.Parks = r.Outcome == retry.Gone && !s.varies
	r.stale = q.refuse(s, c, used, answer.Status) && r.Outcome != retry.Success
	r.floods = answer.More
	return err
}

// stamp is when an attempt is made: by the clock that receivers know, and by
// ours, which a test may have moved and which secrets expire by.
type stamp struct{ real, ours time.Time }

// request builds the POST. That it goes out once, whatever happens to the
// connection, is the client's affair; see egress.Transport.
func request(ctx context.Context, s *subscriber, c call, used credentials, at stamp, version string) (*http.Request, error) {
	body := render.Fill(c.content.Body, c.secret)
	req, err := http.NewRequestWithContext(ctx, c.content.Method, render.Fill(c.target.URL, c.secret), strings.NewReader(body))
	if err != nil {
		return nil, errBuild // its own words would hold the URL, and with it secrets
	}
	signed := signature.Header(s.active(at.ours), c.delivery, at.real, []byte(body))
	h := req.Header
	h["Idempotency-Key"] = []string{c.delivery} // which the subscription's own may replace
	for _, own := range c.target.Headers {
		h.Set(own.Name, render.Fill(own.Value, c.secret))
	}
	if used.name != "" {
		h.Set(used.name, used.value)
	}
	h["Content-Type"] = []string{c.content.ContentType}
	h["User-Agent"] = []string{"Postino/" + version}
	h["Webhook-Id"] = []string{c.delivery}
	h["Webhook-Timestamp"] = []string{strconv.FormatInt(at.real.Unix(), 10)}
	h["Webhook-Signature"] = []string{signed}
	h["Postino-Event-Id"] = []string{render.HeaderText(c.event)}
	if c.test {
		h["Postino-Test"] = []string{"true"}
	}
	h["Postino-Attempt"] = []string{strconv.Itoa(c.number)}
	return req, nil
}

// note notes what the subscriber said, without what is hidden; whole means that
// the answer did not break off.
func (r *result) note(a *webhook.Attempt, said peer.Answer, whole bool, policy retry.Policy, hide hidden) {
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
