// Package oauth gets access tokens with OAuth 2.0's client credentials grant,
// and caches them while they are valid.
//
// A token belongs to one subscription and the very credentials it was asked
// with: another subscription never gets it, and neither does the same one once
// a credential has changed.
package oauth

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"

	"github.com/postino/postino/shared/callback/secret"
	"github.com/postino/postino/shared/language/weighed"
)

// Bounds of what [Tokens] keep, in bytes: a token weighs what its text does, 8 KiB
// at most, and whose it is.
const (
	maxKept  = 32 << 20
	maxOwned = 8 << 20 // of one tenant, when others want the rest
	ownWeigh = 512     // of what is kept beside a token
)

const (
	fetchTimeout = 10 * time.Second // of one fetch, both ways of saying who we are included
	unsaidLife   = time.Hour        // of a token whose end is not said
	maxLife      = 24 * time.Hour   // beyond which an end that is said is not relied on
	maxEarly     = time.Minute      // before its end a token is replaced, at most: it must outlast the request
	pause        = 5 * time.Second  // after an early fetch that failed
)

// Grant is what a token is asked with.
type Grant struct {
	URL          string // of the token endpoint
	ClientID     string
	ClientSecret string
	Scope        string // space-separated; "" for what the endpoint gives by default
}

// Owner says whose a token is.
type Owner struct {
	Tenant, Subscription string
	TLS                  string // names the certificates that the endpoint is asked with; "" for none
}

// Token is an access token.
type Token struct {
	Value secret.String
	Fresh bool // fetched for this very call: who refuses it will refuse another one too
}

// Tokens keeps tokens. When there is no room for more, tenants that have more than
// their share lose first those that they have not used for longest. The zero value
// has none, and is ready for concurrent use.
type Tokens struct {
	once sync.Once
	mu   sync.Mutex
	kept *weighed.Cache[key, *entry]
}

// key is an owner and a digest of the grant.
type key struct {
	Owner
	grant [sha256.Size]byte
}

// entry is what is known for one key.
type entry struct {
	token  secret.String // "" for none
	renew  time.Time     // to be replaced from then on
	ends   time.Time
	inBody bool    // the endpoint wants the credentials in the body
	flight *flight // the fetch that is under way
}

// flight is one fetch that any number of callers wait for.
type flight struct {
	done  chan struct{}
	ends  time.Time // what is under way later than this has lost its way
	token Token
	err   error
}

// Get returns the token that is kept, or fetches one; callers who want the same
// one at the same time wait for one fetch. That ends after 10 s, or with the
// deadline of the first of them. Its error is the context's, or a [*Failure].
func (t *Tokens) Get(ctx context.Context, client Doer, owner Owner, grant Grant) (Token, error) {
	t.once.Do(t.start)
	f, token := t.join(ctx, client, keyOf(owner, grant), grant)
	if f == nil {
		return token, nil
	}
	select {
	case <-f.done:
		return f.token, f.err
	case <-ctx.Done():
		return Token{}, ctx.Err()
	}
}

// join returns the kept token, or the fetch to wait for.
func (t *Tokens) join(ctx context.Context, client Doer, k key, grant Grant) (*flight, Token) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entry(k)
	if e.token != "" && time.Now().Before(e.renew) {
		return nil, Token{Value: e.token}
	}
	if now := time.Now(); e.flight == nil || now.After(e.flight.ends) {
		e.flight = &flight{done: make(chan struct{}), ends: now.Add(fetchTimeout + time.Second)}
		go t.fetch(ctx, client, k, e, e.flight, grant, e.inBody)
	}
	return e.flight, Token{}
}

func (t *Tokens) start() { t.kept = weighed.New[key, *entry](maxKept, maxOwned, nil) }

// entry finds or makes what is known; t is locked.
func (t *Tokens) entry(k key) *entry {
	e, ok := t.kept.Get(k)
	if !ok {
		e = &entry{}
		t.keep(k, e)
	}
	return e
}

// keep keeps an entry by what it weighs now; t is locked.
func (t *Tokens) keep(k key, e *entry) { t.kept.Put(k.Tenant, k, e, ownWeigh+len(e.token)) }

// fetch lands f. That one caller gives up must not take the token from the
// others, so only its deadline counts.
func (t *Tokens) fetch(ctx context.Context, client Doer, k key, e *entry, f *flight, grant Grant, inBody bool) {
	deadline := time.Now().Add(fetchTimeout)
	if own, ok := ctx.Deadline(); ok && own.Before(deadline) {
		deadline = own
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	defer cancel()
	got, err := survive(ctx, client, grant, inBody)
	t.mu.Lock()
	defer t.mu.Unlock()
	defer close(f.done)
	now := time.Now()
	f.token, f.err = Token{got.token, true}, err
	if e.flight == f {
		e.flight = nil
	}
	switch {
	case err == nil:
		life := min(cmp.Or(got.life, unsaidLife), maxLife)
		e.token, e.inBody = got.token, got.inBody
		e.ends, e.renew = now.Add(life), now.Add(life-min(maxEarly, life/5))
		if kept, ok := t.kept.Get(k); ok && kept == e { // else it was pushed out meanwhile
			t.keep(k, e)
		}
	case e.token != "" && now.Before(e.ends): // it came early, and the old one will do
		f.token, f.err = Token{Value: e.token}, nil
		e.renew = now.Add(pause)
	}
}

// survive asks, and makes a panic a failure: in a goroutine of its own it would
// end the process, and with it everybody's deliveries.
func survive(ctx context.Context, client Doer, grant Grant, inBody bool) (got answer, err error) {
	defer func() {
		if r := recover(); r != nil {
			got, err = answer{}, &Failure{Detail: "the token endpoint's answer could not be read"}
		}
	}()
	return ask(ctx, client, grant, inBody)
}

// Refuse forgets a token that the subscriber does not take, unless it was
// replaced meanwhile.
func (t *Tokens) Refuse(owner Owner, grant Grant, token secret.String) {
	t.once.Do(t.start)
	t.mu.Lock()
	defer t.mu.Unlock()
	if e, ok := t.kept.Get(keyOf(owner, grant)); ok && e.token == token {
		e.token = ""
	}
}

func keyOf(owner Owner, g Grant) key {
	h := sha256.New()
	for _, part := range []string{g.URL, g.ClientID, g.ClientSecret, g.Scope} {
		h.Write(binary.AppendUvarint(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	return key{owner, [sha256.Size]byte(h.Sum(nil))}
}
