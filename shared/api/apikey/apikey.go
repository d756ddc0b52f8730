// Package apikey creates and checks the API keys of tenants.
//
// A key is "pk_", 32 characters that stand for 160 random bits, "_" and the
// tenant it belongs to. Of it only its SHA-256 is kept. A fast hash is the
// right one here: slow ones make guessing passwords dear, and nobody guesses
// 160 random bits. Naming its tenant, a key is found by one read wherever it is
// used, so a key of another tenant can be told from an unknown one.
package apikey

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/callback/secret"
	"github.com/postino/postino/shared/webhook"
)

const (
	prefix   = "pk_"
	entropy  = 20 // bytes: 160 bits
	digits   = 32 // characters of that
	idPrefix = "key_"
	idBytes  = 10 // of the hash of the hash: 16 characters
)

var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// New makes a key of a tenant. Of the key that it returns, stored holds the
// hash and nothing else that would help to find it.
func New(tenant string, role webhook.KeyRole) (key secret.String, stored webhook.Key) {
	var random [entropy]byte
	rand.Read(random[:]) // never fails
	text := prefix + encoding.EncodeToString(random[:]) + "_" + tenant
	hash := sha256.Sum256([]byte(text))
	return secret.String(text), webhook.Key{Tenant: tenant, ID: id(hash), Hash: hash[:], Role: role}
}

func id(hash [sha256.Size]byte) string {
	return idPrefix + webhook.Hash(idBytes, "key", string(hash[:]))
}

// ValidID reports whether s can be the id of a key.
func ValidID(s string) bool {
	digits, ok := strings.CutPrefix(s, idPrefix)
	return ok && len(digits) == 16 && strings.Trim(digits, "0123456789abcdefghijklmnopqrstuv") == ""
}

// owner returns the tenant that a key names, false if it cannot be one of ours.
func owner(key string) (tenant string, ok bool) {
	rest, ok := strings.CutPrefix(key, prefix)
	if !ok || len(rest) < digits+2 || rest[digits] != '_' || strings.Trim(rest[:digits], "abcdefghijklmnopqrstuvwxyz234567") != "" {
		return "", false
	}
	tenant = rest[digits+1:]
	return tenant, httpapi.ValidTenant(tenant)
}

// Store finds keys.
type Store interface {
	// Key returns a tenant's key, or [webhook.ErrNotFound]. It may miss for 5
	// seconds what another process changed.
	Key(ctx context.Context, tenant, id string) (webhook.Key, error)
}

// Authenticator knows the keys of tenants and the admin key. The process that
// revokes a key refuses it from then on, others within 5 seconds: as soon as the
// store knows.
type Authenticator struct {
	Admin httpapi.Authenticator
	Store Store
	Now   func() time.Time // our clock; nil means time.Now
}

// Authenticate returns whose key it is, whichever tenant it is used for; see
// [httpapi.Authenticator]. A key that has expired is not known.
func (a *Authenticator) Authenticate(ctx context.Context, tenant, key string) (httpapi.Principal, bool, error) {
	own, ok := owner(key)
	if !ok {
		return a.Admin.Authenticate(ctx, tenant, key)
	}
	hash := sha256.Sum256([]byte(key))
	stored, err := a.Store.Key(ctx, own, id(hash))
	if errors.Is(err, webhook.ErrNotFound) {
		return a.Admin.Authenticate(ctx, tenant, key) // which may look like one of ours
	}
	if err != nil {
		return httpapi.Principal{}, false, fmt.Errorf("look a key up: %w", err)
	}
	role, known := roles[stored.Role]
	known = known && subtle.ConstantTimeCompare(stored.Hash, hash[:]) == 1 && !expired(stored, a.now())
	if !known {
		return httpapi.Principal{}, false, nil
	}
	return httpapi.Principal{Role: role, Tenant: stored.Tenant}, true, nil
}

var roles = map[webhook.KeyRole]httpapi.Role{
	webhook.KeyPublish: httpapi.Publish,
	webhook.KeyPortal:  httpapi.Portal,
	webhook.KeyManage:  httpapi.Manage,
}

// ValidRole reports whether a key may have the role.
func ValidRole(role webhook.KeyRole) bool {
	_, ok := roles[role]
	return ok
}

func expired(key webhook.Key, now time.Time) bool {
	return !key.ExpiresAt.IsZero() && !now.Before(key.ExpiresAt)
}

func (a *Authenticator) now() time.Time {
	if a.Now != nil {
		return a.Now()
	}
	return time.Now()
}
