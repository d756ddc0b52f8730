package courier

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net/http"

	"github.com/postino/postino/shared/callback/oauth"
	"github.com/postino/postino/shared/callback/peer"
	"github.com/postino/postino/shared/callback/redact"
	"github.com/postino/postino/shared/webhook"
)

// credentials are what one attempt proves itself with, beside the signature.
type credentials struct {
	name, value string      // of a header; "" for none
	token       oauth.Token // part of value, if it was got
}

// credentials makes the header of the subscription's auth. Its error is the
// context's, or an [*oauth.Failure].
func (q *Courier) credentials(ctx context.Context, s *Subscriber, c Call) (credentials, error) {
	name, value := s.auth.Header(c.secret)
	grant, needed := s.auth.Grant(c.secret)
	if !needed {
		return credentials{name: name, value: value}, nil
	}
	token, err := q.tokens.Get(ctx, q.client(s, true), owner(s), grant)
	return credentials{name, value + token.Value.Reveal(), token}, err
}

func owner(s *Subscriber) oauth.Owner {
	o := oauth.Owner{Tenant: s.Tenant, Subscription: s.ID}
	if own := s.auth.TLS(); own != nil {
		o.TLS = own.ID()
	}
	return o
}

// client returns what makes the subscription's requests. A token endpoint is
// often somebody else's, so it may also have a certificate of the system's
// authorities.
func (q *Courier) client(s *Subscriber, forToken bool) peer.Doer {
	own := s.auth.TLS()
	if own == nil {
		return q.Client
	}
	name := own.ID()
	if forToken {
		name += " and system"
	}
	return q.Private.Client(s.Tenant, name, func() *tls.Config { return own.Config(forToken) })
}

// refuse forgets an access token that the subscriber answered 401 to, and
// reports whether another one could help: the token was not new.
func (q *Courier) refuse(s *Subscriber, c Call, used credentials, status int) bool {
	grant, needed := s.auth.Grant(c.secret)
	if !needed || status != http.StatusUnauthorized {
		return false
	}
	q.tokens.Refuse(owner(s), grant, used.token.Value)
	return !used.token.Fresh
}

// tokenDetail says in words why there is no access token.
func (q *Courier) tokenDetail(err error) string {
	var failure *oauth.Failure
	if !errors.As(err, &failure) {
		return "no access token in time"
	}
	if failure.Err == nil {
		return failure.Detail
	}
	class := cmp.Or(q.Class(failure.Err), webhook.ErrorReset)
	if class == webhook.ErrorTimeout {
		return failure.Detail + " in time"
	}
	return failure.Detail + ": " + string(class) + ": " + detail(class, failure.Err, 0)
}

// shortest is the least length of a secret that is looked for in answers:
// shorter ones are in every text.
const shortest = 6 // bytes

// hidden are secrets that may stand in an answer.
type hidden []string

// hide returns every secret of the request: some subscribers answer what they
// were sent.
func hide(s *Subscriber, c Call, used credentials) (list hidden) {
	if s.auth == nil && s.cosigns == nil && len(c.secrets) == 0 {
		return nil // most have none
	}
	all := append(append(s.auth.Hidden(c.secret), s.cosigns.Hidden()...), used.token.Value.Reveal())
	for _, value := range c.secrets {
		all = append(all, value)
	}
	for _, text := range all {
		if len(text) >= shortest {
			list = append(list, text)
		}
	}
	return list
}

// replace puts stars into a text for every secret, however it is spelled.
func (h hidden) replace(text string) string { return redact.Hide(text, h) }
