package courier

import (
	"context"
	"fmt"

	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/webhook"
)

// NamedSecrets holds what requests mention as {{ secrets.name }}.
type NamedSecrets interface {
	// Secrets returns the named secrets that exist, sealed, by name,
	// consistently.
	Secrets(ctx context.Context, tenant string, names []string) (map[string]webhook.NamedSecret, error)
}

// Open reads what the call and the subscription's auth mention, as it is now. A
// name that does not exist is a [*render.Skip]. To where a portal key said only
// what is made for portal keys goes, even if a body that was rendered before
// mentions more.
func (q *Courier) Open(ctx context.Context, s *Subscriber, c *Call) error {
	names := append(render.Secrets(c.Target, c.Content), s.AuthSecrets()...)
	if len(names) == 0 {
		return nil
	}
	found, err := q.Store.Secrets(ctx, s.Tenant, names)
	if err != nil {
		return fmt.Errorf("read secrets of %s: %w", s.Tenant, err)
	}
	c.secrets = make(map[string]string, len(found))
	for _, name := range names {
		secret, ok := found[name]
		if skip := render.Unusable(name, s.Subscription, secret, ok); skip != nil {
			return skip
		}
		plain, err := q.Secrets.Open(secret.Sealed, s.Tenant, "secrets", name)
		if err != nil {
			return fmt.Errorf("open secret %s of %s: %w", name, s.Tenant, err)
		}
		c.secrets[name] = string(plain)
	}
	return nil
}
