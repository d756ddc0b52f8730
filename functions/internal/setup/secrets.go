package setup

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/postino/postino/shared/api/apikey"
	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/callback/egress"
	"github.com/postino/postino/shared/callback/secret"
	"github.com/postino/postino/shared/platform/aws/awssecret"
)

// adminKey knows the admin key of the stack.
type adminKey struct{ key *fetched[httpapi.AdminKey] }

// Authenticator knows the keys in the table, and the admin key that
// POSTINO_ADMIN_KEY_SECRET names.
func (f *Function) Authenticator() httpapi.Authenticator {
	admin := adminKey{fetching(func(ctx context.Context) (httpapi.AdminKey, error) {
		key, err := awssecret.AdminKey(ctx, f.AWS, f.Value("POSTINO_ADMIN_KEY_SECRET"))
		return httpapi.NewAdminKey(key.Reveal()), err
	})}
	return &apikey.Authenticator{Admin: admin, Store: f.Store()}
}

// Authenticate compares with the admin key; see [httpapi.Authenticator].
func (a adminKey) Authenticate(ctx context.Context, tenant, key string) (httpapi.Principal, bool, error) {
	admin, err := a.key.get()
	if err != nil {
		return httpapi.Principal{}, false, fmt.Errorf("read admin key: %w", err)
	}
	return admin.Authenticate(ctx, tenant, key)
}

// Sealer seals and opens with the stack's data key.
type Sealer struct{ sealer *fetched[*secret.Sealer] }

// Sealer returns a sealer whose data key POSTINO_KMS_KEY wraps, and which
// makes one at its first use.
func (f *Function) Sealer() Sealer {
	store := f.Store()
	return Sealer{fetching(func(ctx context.Context) (*secret.Sealer, error) {
		return awssecret.Sealer(ctx, f.AWS, f.Value("POSTINO_KMS_KEY"), store)
	})}
}

// Opener is Sealer for a function that only opens.
func (f *Function) Opener() Sealer {
	store := f.Store()
	return Sealer{fetching(func(ctx context.Context) (*secret.Sealer, error) {
		return awssecret.Opener(ctx, f.AWS, f.Value("POSTINO_KMS_KEY"), store)
	})}
}

// Seal seals; see [secret.Sealer].
func (s Sealer) Seal(plain []byte, place ...string) ([]byte, error) {
	sealer, err := s.sealer.get()
	if err != nil {
		return nil, fmt.Errorf("fetch data key: %w", err)
	}
	return sealer.Seal(plain, place...)
}

// Open opens; see [secret.Sealer].
func (s Sealer) Open(sealed []byte, place ...string) ([]byte, error) {
	sealer, err := s.sealer.get()
	if err != nil {
		return nil, fmt.Errorf("fetch data key: %w", err)
	}
	return sealer.Open(sealed, place...)
}

// Failed returns why nothing can be sealed or opened, nil if all is well, for
// /healthz: without the stack's key everything answers, and no callback can be
// signed.
func (s Sealer) Failed() error {
	if _, err := s.sealer.get(); err != nil {
		return fmt.Errorf("fetch data key: %w", err)
	}
	return nil
}

// hosts are the names in a list with commas, in which a stack without a domain
// of its own leaves the last one empty.
func hosts(list string) (names []string) {
	for name := range strings.SplitSeq(list, ",") {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}

// Guard is the egress guard that POSTINO_EGRESS_ALLOW, POSTINO_EGRESS_PORTS and
// POSTINO_API_HOST describe.
func (f *Function) Guard() *egress.Guard {
	allow, err := egress.ParseAllow(f.Value("POSTINO_EGRESS_ALLOW"))
	if err != nil {
		Fail(fmt.Errorf("POSTINO_EGRESS_ALLOW: %w", err))
	}
	ports, err := egress.ParsePorts(f.Value("POSTINO_EGRESS_PORTS"))
	if err != nil {
		Fail(fmt.Errorf("POSTINO_EGRESS_PORTS: %w", err))
	}
	return &egress.Guard{
		Allow:       allow,
		Ports:       ports,
		OwnHosts:    hosts(f.Value("POSTINO_API_HOST")),
		RuntimeAPI:  os.Getenv("AWS_LAMBDA_RUNTIME_API"),
		Setting:     "the stack's parameter EgressAllow",
		PortSetting: "its parameter EgressPorts",
	}
}
