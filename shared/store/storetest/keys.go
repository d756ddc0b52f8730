package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

var keyCases = map[string]func(*testing.T, Store){
	"AreReadAsTheyWereStored": keysByID,
	"BelongToOneTenant":       keyOwners,
	"AreListedWithoutHashes":  keyLists,
	"AreGoneOnceDeleted":      keyDeletion,
}

// key returns one with every field set.
func key(tenant string, n int) webhook.Key {
	return webhook.Key{
		Tenant: tenant, ID: fmt.Sprintf("key_%016d", n), Hash: []byte{0, 1, 0xff, byte(n)}, Role: webhook.KeyPortal,
		Name: "ünï <b>", CreatedAt: afterStart(1), ExpiresAt: afterStart(2),
	}
}

func wantNoKey(t *testing.T, store Store, tenant, id string) {
	t.Helper()
	if got, err := store.Key(t.Context(), tenant, id); !errors.Is(err, webhook.ErrNotFound) {
		t.Errorf("Key(%s, %s) = %+v, %v, want ErrNotFound", tenant, id, got, err)
	}
}

func keysByID(t *testing.T, store Store) {
	full := key("acme", 1)
	plain := webhook.Key{Tenant: "acme", ID: "key_2", Hash: []byte("h"), Role: webhook.KeyPublish, CreatedAt: afterStart(1)}
	for range 2 { // a repeat changes nothing
		check(t, store.PutKey(t.Context(), full))
	}
	check(t, store.PutKey(t.Context(), plain))
	same(t, "Key", must[webhook.Key](t)(store.Key(t.Context(), "acme", full.ID)), full)
	same(t, "Key without name and end", must[webhook.Key](t)(store.Key(t.Context(), "acme", plain.ID)), plain)
	wantNoKey(t, store, "acme", "key_none")
}

func keyOwners(t *testing.T, store Store) {
	mine, theirs := key("acme", 1), key("acme2", 1)
	theirs.Role = webhook.KeyManage
	check(t, store.PutKey(t.Context(), mine))
	wantNoKey(t, store, "acme2", mine.ID)
	check(t, store.PutKey(t.Context(), theirs))
	check(t, store.DeleteKey(t.Context(), "acme", mine.ID))
	same(t, "another tenant's", must[webhook.Key](t)(store.Key(t.Context(), "acme2", theirs.ID)), theirs)
}

func keyLists(t *testing.T, store Store) {
	var ids, back []string
	for n := range 7 {
		k := key("acme", n)
		ids, back = append(ids, k.ID), append([]string{k.ID}, back...)
		check(t, store.PutKey(t.Context(), k))
	}
	check(t, store.PutKey(t.Context(), key("other", 3)))
	check1(t, store, namedSecret("acme", "key_a", "x"))
	for _, limit := range []int{1, 3, 7, 250} {
		same(t, "ascending", pagedKeys(t, store, webhook.Page{Limit: limit}), ids)
		same(t, "descending", pagedKeys(t, store, webhook.Page{Limit: limit, Desc: true}), back)
	}
	if _, _, err := store.PageKeys(t.Context(), "acme", webhook.Page{Limit: 1, Position: "x"}); !errors.Is(err, webhook.ErrNotFound) {
		t.Errorf("malformed position: %v, want ErrNotFound", err)
	}
}

func pagedKeys(t *testing.T, store Store, page webhook.Page) (ids []string) {
	t.Helper()
	for {
		keys, next, err := store.PageKeys(t.Context(), "acme", page)
		if err != nil {
			t.Fatal(err)
		}
		if len(keys) > page.Limit {
			t.Fatalf("page of %d keys, want at most %d", len(keys), page.Limit)
		}
		for _, k := range keys {
			want := key("acme", 0)
			want.ID, want.Hash = k.ID, nil
			same(t, "listed", k, want)
			ids = append(ids, k.ID)
		}
		if page.Position = next; next == "" {
			return ids
		}
	}
}

func keyDeletion(t *testing.T, store Store) {
	k := key("acme", 1)
	k.ExpiresAt = time.Time{}
	check(t, store.PutKey(t.Context(), k))
	check(t, store.DeleteKey(t.Context(), "acme", k.ID))
	if err := store.DeleteKey(t.Context(), "acme", k.ID); !errors.Is(err, webhook.ErrNotFound) {
		t.Errorf("second deletion: %v, want ErrNotFound", err)
	}
	wantNoKey(t, store, "acme", k.ID)
}
