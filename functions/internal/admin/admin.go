// Package admin knows who may call the API of a stack. A function without an API
// does without it, and without Secrets Manager's client.
package admin

import (
	"context"
	"fmt"

	"github.com/postino/postino/functions/internal/fetch"
	"github.com/postino/postino/functions/internal/setup"
	"github.com/postino/postino/shared/api/apikey"
	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/platform/aws/adminkey"
)

// adminKey knows the admin key of the stack.
type adminKey struct {
	key *fetch.Value[httpapi.AdminKey]
}

// Authenticator knows the keys in the table, and the admin key that
// POSTINO_ADMIN_KEY_SECRET names.
func Authenticator(f *setup.Function) httpapi.Authenticator {
	admin := adminKey{fetch.Begin(func(ctx context.Context) (httpapi.AdminKey, error) {
		key, err := adminkey.Read(ctx, f.AWS, f.Value("POSTINO_ADMIN_KEY_SECRET"))
		return httpapi.NewAdminKey(key.Reveal()), err
	})}
	return &apikey.Authenticator{Admin: admin, Store: f.Store()}
}

// Authenticate compares with the admin key; see [httpapi.Authenticator].
func (a adminKey) Authenticate(ctx context.Context, tenant, key string) (httpapi.Principal, bool, error) {
	admin, err := a.key.Get()
	if err != nil {
		return httpapi.Principal{}, false, fmt.Errorf("read admin key: %w", err)
	}
	return admin.Authenticate(ctx, tenant, key)
}
