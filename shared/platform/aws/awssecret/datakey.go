// Package awssecret fetches, at the start of a function, the data key that encrypts
// subscribers' secrets.
//
// The data key is made by KMS and stored beside the data, wrapped by a KMS key
// that never leaves KMS. It is unwrapped once in a container's life; sealing and
// opening then cost no call.
package awssecret

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/postino/postino/shared/callback/secret"
)

// patience bounds each function of this package: starting a container must not
// hang on a service that does not answer.
const patience = 10 * time.Second

// ErrNoDataKey reports that no data key has been made yet, so that nothing can
// have been sealed. [Sealer] makes one.
var ErrNoDataKey = errors.New("no data key is stored yet")

// WrappedKeys stores the one wrapped data key beside the data it is for.
type WrappedKeys interface {
	// WrappedKey returns the stored key by a consistent read, or nil if there is none.
	WrappedKey(ctx context.Context) ([]byte, error)
	// PutWrappedKey stores wrapped if no key is stored yet. That there is one
	// already is no error: the first stays.
	PutWrappedKey(ctx context.Context, wrapped []byte) error
}

// binding is the encryption context: what KMS wrapped for another purpose does
// not open, and the audit trail names this one. It is the same everywhere, so
// that a table restored under another name keeps its secrets.
var binding = map[string]string{"purpose": "postino data key"}

// Sealer returns a sealer with the stored data key, which it first makes and
// stores if there is none; of several containers that do so at once all use the
// first one's. key is the KMS key's ARN. It needs kms:GenerateDataKey and
// kms:Decrypt.
func Sealer(ctx context.Context, config aws.Config, key string, store WrappedKeys) (*secret.Sealer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client := kms.NewFromConfig(config)
	wrapped, err := store.WrappedKey(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the wrapped data key: %w", err)
	}
	if wrapped == nil {
		if wrapped, err = create(ctx, client, key, store); err != nil {
			return nil, err
		}
	}
	return unwrap(ctx, client, key, wrapped)
}

// Opener is [Sealer] for those who only open: without a stored key it returns
// [ErrNoDataKey]. It needs kms:Decrypt alone.
func Opener(ctx context.Context, config aws.Config, key string, store WrappedKeys) (*secret.Sealer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	wrapped, err := store.WrappedKey(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the wrapped data key: %w", err)
	}
	if wrapped == nil {
		return nil, ErrNoDataKey
	}
	return unwrap(ctx, kms.NewFromConfig(config), key, wrapped)
}

// create returns the key that is stored in the end, ours or another container's.
func create(ctx context.Context, client *kms.Client, key string, store WrappedKeys) ([]byte, error) {
	made, err := client.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{
		KeyId:             &key,
		KeySpec:           types.DataKeySpecAes256,
		EncryptionContext: binding,
	})
	if err != nil {
		return nil, fmt.Errorf("make a data key: %w", err)
	}
	if err := store.PutWrappedKey(ctx, made.CiphertextBlob); err != nil {
		return nil, fmt.Errorf("store the wrapped data key: %w", err)
	}
	wrapped, err := store.WrappedKey(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the wrapped data key: %w", err)
	}
	if wrapped == nil {
		return nil, errors.New("store the wrapped data key: it is gone again")
	}
	return wrapped, nil
}

func unwrap(ctx context.Context, client *kms.Client, key string, wrapped []byte) (*secret.Sealer, error) {
	opened, err := client.Decrypt(ctx, &kms.DecryptInput{
		KeyId:             &key, // or KMS would take any key that it may use
		CiphertextBlob:    wrapped,
		EncryptionContext: binding,
	})
	if err != nil {
		return nil, fmt.Errorf("unwrap the data key: %w", err)
	}
	sealer, err := secret.NewSealer(opened.Plaintext)
	if err != nil {
		return nil, fmt.Errorf("unwrap the data key: %w", err)
	}
	return sealer, nil
}
