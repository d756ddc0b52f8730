package httpapi

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Role is a set of roles of keys. The admin key can do everything.
type Role uint8

// The roles. Those of tenant keys are alternatives, not levels; a route names
// all that may call it.
const (
	Anyone  Role = 0         // no key needed
	Publish Role = 1 << iota // publish events
	Portal                   // what a tenant's own customers see: subscriptions and deliveries
	Manage                   // all of one tenant except its keys
	Admin                    // everything
)

// names of the roles that tenants' keys have.
var names = []struct {
	role Role
	name string
}{{Publish, "publish"}, {Portal, "portal"}, {Manage, "manage"}}

// String returns the names of the tenant keys' roles in it, "admin" for none.
func (roles Role) String() string {
	var list []string
	for _, n := range names {
		if roles&n.role != 0 {
			list = append(list, n.name)
		}
	}
	if len(list) == 0 {
		return "admin"
	}
	return strings.Join(list, " or ")
}

// takes says in words which keys a route takes.
func (roles Role) takes() string {
	if roles&^Admin == 0 {
		return "the admin key"
	}
	return "a key of the role " + roles.String() + ", or the admin key"
}

// Principal is the caller of a request.
type Principal struct {
	Role   Role   // one role
	Tenant string // whose key it is; "" for [Admin]
}

// Authenticator checks keys.
type Authenticator interface {
	// Authenticate returns whose key it is. The tenant is the one asked for,
	// where a tenant's keys are looked up; "" on routes outside tenants. It
	// reports false for a key that it does not know.
	Authenticate(ctx context.Context, tenant, key string) (Principal, bool, error)
}

// AdminKey is the SHA-256 of the admin key. It is an [Authenticator] that accepts
// only this key.
type AdminKey [sha256.Size]byte

// NewAdminKey returns the AdminKey of key.
func NewAdminKey(key string) AdminKey { return sha256.Sum256([]byte(key)) }

// Authenticate compares in constant time.
func (a AdminKey) Authenticate(_ context.Context, _, key string) (Principal, bool, error) {
	sum := sha256.Sum256([]byte(key))
	return Principal{Role: Admin}, subtle.ConstantTimeCompare(sum[:], a[:]) == 1, nil
}

// maxKey bounds what is hashed for a stranger.
const maxKey = 512

// minAdminKey is the fewest characters of an admin key. Generated ones have
// more; this refuses what somebody typed in haste.
const minAdminKey = 16

// CheckAdminKey refuses an admin key that is easy to guess, or that no caller can
// send unchanged. The error does not contain the key.
func CheckAdminKey(key string) error {
	visible := func(r rune) bool { return r > ' ' && r <= '~' }
	switch {
	case strings.ContainsFunc(key, func(r rune) bool { return !visible(r) }):
		return errors.New("the admin key contains a space or a character outside ASCII: want ASCII letters, digits and punctuation")
	case len(key) < minAdminKey || len(key) > maxKey:
		return fmt.Errorf("the admin key has %d characters: want %d to %d", len(key), minAdminKey, maxKey)
	}
	return nil
}

// bearer returns the key of an Authorization header; "" if there is none.
func bearer(header string) string {
	scheme, key, _ := strings.Cut(header, " ")
	if key = strings.TrimSpace(key); !strings.EqualFold(scheme, "bearer") || len(key) > maxKey {
		return ""
	}
	return key
}

// admit checks key, role and tenant, and notes them in r.
func (rt *Router) admit(r *Request, route Route) error {
	if route.Roles == Anyone {
		return nil
	}
	key := bearer(r.Header.Get("Authorization"))
	if key == "" {
		return KeyMissing.Problem("The request has no key. Send the header Authorization: Bearer <key>.").challenge()
	}
	tenant := r.PathValue("tenant")
	principal, known, err := rt.auth.Authenticate(r.Context(), tenant, key)
	r.Principal = principal
	switch {
	case err != nil:
		return err
	case !known:
		return KeyUnknown.Problem("The key does not exist, was deleted, or has expired.").challenge()
	case principal.Role != Admin && principal.Tenant != tenant && strings.Contains(route.Pattern, "{tenant}"):
		return TenantNotFound.Problem("The tenant does not exist, or the key belongs to another tenant.")
	case principal.Role != Admin && principal.Role&route.Roles == 0:
		return RoleNotAllowed.Problem("This key's role is " + principal.Role.String() + ". This request needs " + route.Roles.takes() + ".")
	}
	r.Tenant = tenant
	if strings.Contains(route.Pattern, "{tenant}") && !tenantName.MatchString(tenant) {
		r.Tenant = ""
		return Invalid(FieldError{"tenant", "want 1 to 64 of a-z, 0-9, _ and -, the first a letter or digit"})
	}
	return nil
}

var tenantName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// ValidTenant reports whether a tenant can have this name.
func ValidTenant(name string) bool { return tenantName.MatchString(name) }

// ReservedTenant is reserved for Postino, which publishes the operational events of
// all tenants there. The admin key can subscribe and read; nobody can publish to it
// or create it.
const ReservedTenant = "postino"

// RefuseReserved is a 403 if the request is about the reserved tenant.
func (r *Request) RefuseReserved() error {
	if r.Tenant == ReservedTenant {
		return TenantReserved.Problem("The tenant postino is reserved for Postino's own events. No key can do this there; the admin key can subscribe and read.")
	}
	return nil
}
