package delivery

import (
	"context"
	"fmt"

	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/webhook"
)

// open reads what the request and the subscription's auth mention, as it is
// now. A name that does not exist is a [*render.Skip]. To where a portal key
// said only what is made for portal keys goes, even if a body that was rendered
// before mentions more.
func (q *requester) open(ctx context.Context, s *subscriber, t webhook.Target, c webhook.Content) (map[string]string, error) {
	names := append(render.Secrets(t, c), s.auth.Secrets()...)
	if len(names) == 0 {
		return nil, nil
	}
	found, err := q.store.Secrets(ctx, s.Tenant, names)
	if err != nil {
		return nil, fmt.Errorf("read secrets of %s: %w", s.Tenant, err)
	}
	values := make(map[string]string, len(found))
	for _, name := range names {
		secret, ok := found[name]
		if skip := render.Unusable(name, s.Subscription, secret, ok); skip != nil {
			return nil, skip
		}
		plain, err := q.secrets.Open(secret.Sealed, s.Tenant, "secrets", name)
		if err != nil {
			return nil, fmt.Errorf("open secret %s of %s: %w", name, s.Tenant, err)
		}
		values[name] = string(plain)
	}
	return values, nil
}
