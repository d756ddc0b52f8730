package storetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/postino/postino/shared/webhook"
)

var secretCases = map[string]func(*testing.T, Store){
	"AreReadByName":          secretsByName,
	"BelongToOneTenant":      secretOwners,
	"AreListedWithoutValues": secretLists,
	"AreGoneOnceDeleted":     secretDeletion,
	"StayMadeForPortalKeys":  secretsForPortals,
}

func namedSecret(tenant, name, sealed string) webhook.NamedSecret {
	return webhook.NamedSecret{Tenant: tenant, Name: name, Sealed: []byte(sealed), UpdatedAt: afterStart(1)}
}

func secretsByName(t *testing.T, store Store) {
	same(t, "created", put1(t, store, namedSecret("acme", "a", "1")), true)
	same(t, "created again", put1(t, store, namedSecret("acme", "a", "2\x00\xff")), false)
	check1(t, store, namedSecret("acme", "b-c_9", "3"))
	got := must[map[string]webhook.NamedSecret](t)(store.Secrets(t.Context(), "acme", []string{"b-c_9", "a", "none", "a"}))
	same(t, "Secrets", got, map[string]webhook.NamedSecret{"a": namedSecret("acme", "a", "2\x00\xff"), "b-c_9": namedSecret("acme", "b-c_9", "3")})
	same(t, "no secrets", must[map[string]webhook.NamedSecret](t)(store.Secrets(t.Context(), "acme", nil)), map[string]webhook.NamedSecret{})
}

// put1 stores a secret and reports whether there was none.
func put1(t *testing.T, store Store, secret webhook.NamedSecret) (created bool) {
	t.Helper()
	_, created, err := store.PutSecret(t.Context(), secret, false)
	check(t, err)
	return created
}

func check1(t *testing.T, store Store, secret webhook.NamedSecret) {
	t.Helper()
	put1(t, store, secret)
}

// secretsForPortals: what is made for portal keys stays so at a new value that
// says nothing of it, and is listed as such.
func secretsForPortals(t *testing.T, store Store) {
	for i, tt := range []struct{ portal, keep, want bool }{
		{false, true, false}, {true, false, true}, {false, true, true}, {false, false, false}, {true, true, false},
	} {
		secret := namedSecret("acme", "a", fmt.Sprint(i))
		secret.Portal = tt.portal
		stored, created, err := store.PutSecret(t.Context(), secret, tt.keep)
		check(t, err)
		secret.Portal = tt.want
		same(t, fmt.Sprintf("put %d, created", i), created, i == 0)
		same(t, fmt.Sprintf("put %d", i), stored, secret)
		same(t, fmt.Sprintf("secret %d", i), must[map[string]webhook.NamedSecret](t)(store.Secrets(t.Context(), "acme", []string{"a"}))["a"], secret)
		listed, _, err := store.PageSecrets(t.Context(), "acme", webhook.Page{Limit: 2})
		check(t, err)
		secret.Sealed = nil
		same(t, fmt.Sprintf("list %d", i), listed, []webhook.NamedSecret{secret})
	}
	fresh := namedSecret("acme", "b", "1")
	fresh.Portal = true
	stored, _, err := store.PutSecret(t.Context(), fresh, true)
	check(t, err)
	same(t, "a new one that nothing was kept of", stored, fresh)
}

func secretOwners(t *testing.T, store Store) {
	check1(t, store, namedSecret("acme", "a", "1"))
	check1(t, store, namedSecret("acme2", "a", "2"))
	check(t, store.DeleteSecret(t.Context(), "acme", "a"))
	got := must[map[string]webhook.NamedSecret](t)(store.Secrets(t.Context(), "acme2", []string{"a"}))
	same(t, "another tenant's", got, map[string]webhook.NamedSecret{"a": namedSecret("acme2", "a", "2")})
}

func secretLists(t *testing.T, store Store) {
	var names, back []string
	for i := range 7 {
		name := fmt.Sprintf("s%d", i)
		names, back = append(names, name), append([]string{name}, back...)
		check1(t, store, namedSecret("acme", name, "x"))
	}
	check1(t, store, namedSecret("other", "s1", "x"))
	for _, limit := range []int{1, 3, 7, 250} {
		same(t, "ascending", pagedSecrets(t, store, webhook.Page{Limit: limit}), names)
		same(t, "descending", pagedSecrets(t, store, webhook.Page{Limit: limit, Desc: true}), back)
	}
	if _, _, err := store.PageSecrets(t.Context(), "acme", webhook.Page{Limit: 1, Position: "x"}); !errors.Is(err, webhook.ErrNotFound) {
		t.Errorf("malformed position: %v, want ErrNotFound", err)
	}
}

func pagedSecrets(t *testing.T, store Store, page webhook.Page) (names []string) {
	t.Helper()
	for {
		secrets, next, err := store.PageSecrets(t.Context(), "acme", page)
		if err != nil {
			t.Fatal(err)
		}
		if len(secrets) > page.Limit {
			t.Fatalf("page of %d secrets, want at most %d", len(secrets), page.Limit)
		}
		for _, secret := range secrets {
			if secret.Sealed != nil || !secret.UpdatedAt.Equal(afterStart(1)) {
				t.Errorf("listed %+v, want no value and the time it was put", secret)
			}
			names = append(names, secret.Name)
		}
		if page.Position = next; next == "" {
			return names
		}
	}
}

func secretDeletion(t *testing.T, store Store) {
	check1(t, store, namedSecret("acme", "a", "1"))
	check(t, store.DeleteSecret(t.Context(), "acme", "a"))
	if err := store.DeleteSecret(t.Context(), "acme", "a"); !errors.Is(err, webhook.ErrNotFound) {
		t.Errorf("second deletion: %v, want ErrNotFound", err)
	}
	same(t, "Secrets", must[map[string]webhook.NamedSecret](t)(store.Secrets(t.Context(), "acme", []string{"a"})), map[string]webhook.NamedSecret{})
}
