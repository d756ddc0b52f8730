package sendable

import (
	"context"
	"fmt"

	"github.com/postino/postino/shared/callback/auth"
	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/webhook"
)

// Versions reads subscriptions.
type Versions interface {
	// Versions: see fanout's Subscriptions.
	Versions(ctx context.Context, refs []webhook.VersionRef) ([]webhook.Subscription, error)
}

// Opener opens sealed secrets; see secret.Sealer.
type Opener interface {
	Open(sealed []byte, place ...string) ([]byte, error)
}

// Preparing reads and prepares versions for a [Maker] that is asked now and
// then. Secrets may be nil: then what an auth names is not looked for.
func Preparing(store Versions, secrets Opener) func(context.Context, webhook.VersionRef) (Prepared, error) {
	return func(ctx context.Context, ref webhook.VersionRef) (Prepared, error) {
		read, err := store.Versions(ctx, []webhook.VersionRef{ref})
		if err != nil {
			return Prepared{}, fmt.Errorf("read subscription %s of %s: %w", ref.ID, ref.Tenant, err)
		}
		request, faults := render.Compile(read[0])
		if len(faults) > 0 { // it was judged when it was saved
			return Prepared{}, fmt.Errorf("%s: %s", faults[0].Field, faults[0].Detail)
		}
		p := Prepared{Subscription: read[0], Request: request}
		if read[0].Signature != nil && secrets != nil {
			p.Secrets = append(p.Secrets, read[0].Signature.Secrets...)
		}
		if read[0].Auth == nil || secrets == nil {
			return p, nil
		}
		plain, err := secrets.Open(read[0].Auth.Sealed, ref.Tenant, ref.ID, "auth")
		if err != nil {
			return p, fmt.Errorf("open auth of %s of %s: %w", ref.ID, ref.Tenant, err)
		}
		credentials, err := auth.Decode(plain)
		if err != nil {
			return p, err
		}
		p.Secrets = append(p.Secrets, credentials.Secrets()...)
		return p, nil
	}
}
