// Package sealing seals and opens with the stack's data key. A function that does
// neither does without it, and without KMS's client.
package sealing

import (
	"context"
	"fmt"

	"github.com/postino/postino/functions/internal/fetch"
	"github.com/postino/postino/functions/internal/setup"
	"github.com/postino/postino/shared/callback/secret"
	"github.com/postino/postino/shared/platform/aws/awssecret"
)

// Sealer seals and opens with the stack's data key.
type Sealer struct{ sealer *fetch.Value[*secret.Sealer] }

// New returns a sealer whose data key POSTINO_KMS_KEY wraps, and which
// makes one at its first use.
func New(f *setup.Function) Sealer {
	store := f.Store()
	return Sealer{fetch.Begin(func(ctx context.Context) (*secret.Sealer, error) {
		return awssecret.Sealer(ctx, f.AWS, f.Value("POSTINO_KMS_KEY"), store)
	})}
}

// Opener is New for a function that only opens.
func Opener(f *setup.Function) Sealer {
	store := f.Store()
	return Sealer{fetch.Begin(func(ctx context.Context) (*secret.Sealer, error) {
		return awssecret.Opener(ctx, f.AWS, f.Value("POSTINO_KMS_KEY"), store)
	})}
}

// Seal seals; see [secret.Sealer].
func (s Sealer) Seal(plain []byte, place ...string) ([]byte, error) {
	sealer, err := s.sealer.Get()
	if err != nil {
		return nil, fmt.Errorf("fetch data key: %w", err)
	}
	return sealer.Seal(plain, place...)
}

// Open opens; see [secret.Sealer].
func (s Sealer) Open(sealed []byte, place ...string) ([]byte, error) {
	sealer, err := s.sealer.Get()
	if err != nil {
		return nil, fmt.Errorf("fetch data key: %w", err)
	}
	return sealer.Open(sealed, place...)
}

// Failed returns why nothing can be sealed or opened, nil if all is well, for
// /healthz: without the stack's key everything answers, and no callback can be
// signed.
func (s Sealer) Failed() error {
	if _, err := s.sealer.Get(); err != nil {
		return fmt.Errorf("fetch data key: %w", err)
	}
	return nil
}
