package noun

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/store/table/tabletest"
	"github.com/postino/postino/shared/webhook"
)

// knows reports whether a process knows the key.
func knows(t *testing.T, process *Nouns) bool {
	t.Helper()
	key, err := process.Key(t.Context(), "acme", "key_1")
	if err != nil && !errors.Is(err, webhook.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil && string(key.Hash) == "hash"
}

func TestARevokedKeyIsUnknownAtOnceHereAndInFiveSecondsElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := &table.Memory{}
		here, elsewhere := In(memory), In(memory)
		key := webhook.Key{Tenant: "acme", ID: "key_1", Hash: []byte("hash"), Role: webhook.KeyManage}
		if err := here.PutKey(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		if !knows(t, here) || !knows(t, elsewhere) {
			t.Fatal("a new key is not known")
		}
		time.Sleep(KeyLag / 2)
		if err := here.DeleteKey(t.Context(), "acme", "key_1"); err != nil {
			t.Fatal(err)
		}
		if knows(t, here) {
			t.Error("the process that revoked the key still knows it")
		}
		time.Sleep(KeyLag/2 - time.Nanosecond)
		if !knows(t, elsewhere) {
			t.Error("another process reads the key for each request")
		}
		time.Sleep(time.Nanosecond)
		if knows(t, elsewhere) {
			t.Errorf("another process knows the key %v after it has read it", KeyLag)
		}
	})
}

// A key that is being read while it is revoked is not remembered, nor is one
// whose removal failed and may have been carried out.
func TestAKeyThatIsReadWhileItIsRevokedIsNotRemembered(t *testing.T) {
	memory := &table.Memory{}
	plain := In(memory)
	if err := plain.PutKey(t.Context(), webhook.Key{Tenant: "acme", ID: "key_1", Hash: []byte("hash")}); err != nil {
		t.Fatal(err)
	}
	var n *Nouns
	revoke := func(verb string) error {
		if verb == "Get" && n != nil { // after the read, before its answer is here
			revoking := n
			n = nil
			_ = revoking.DeleteKey(t.Context(), "acme", "key_1")
		}
		if verb == "Delete" {
			return errors.New("the answer is lost")
		}
		return nil
	}
	racing := plain.Over(func(t table.Table) table.Table { return tabletest.Faulty(t, nil, revoke) })
	n = racing
	if !knows(t, racing) {
		t.Error("the read that was first did not find the key")
	}
	if knows(t, racing) {
		t.Error("a revoked key is still known")
	}
}

func TestAPurgedTenantsKeysAreUnknownAtOnce(t *testing.T) {
	n := In(&table.Memory{})
	if err := n.PutKey(t.Context(), webhook.Key{Tenant: "acme", ID: "key_1", Hash: []byte("hash")}); err != nil {
		t.Fatal(err)
	}
	if !knows(t, n) {
		t.Fatal("a new key is not known")
	}
	if _, err := n.Purge(t.Context(), "acme", 10); err != nil || knows(t, n) {
		t.Errorf("after the purge, %v, the key is known", err)
	}
}

func TestATenantWithManyKeysMakesNoOtherForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where no key grows old, however slow the machine is
		reads := 0
		n := In(tabletest.Faulty(&table.Memory{}, func(verb string) error {
			if verb == "Get" {
				reads++
			}
			return nil
		}, nil))
		use := func(tenant, id string) {
			if _, err := n.Key(t.Context(), tenant, id); err != nil {
				t.Fatal(err)
			}
		}
		for _, tenant := range []string{"quiet", "greedy"} {
			for i := range map[string]int{"quiet": 1, "greedy": 30_000}[tenant] {
				id := fmt.Sprint("key_", i)
				if err := n.PutKey(t.Context(), webhook.Key{Tenant: tenant, ID: id, Hash: make([]byte, 32)}); err != nil {
					t.Fatal(err)
				}
				use(tenant, id)
			}
		}
		reads = 0
		if use("quiet", "key_0"); reads != 0 {
			t.Error("the quiet tenant's key was read again")
		}
		if weight := n.recent.keys.Weight(); weight > maxRecentKeys {
			t.Errorf("the keys that are remembered weigh %d, want at most %d", weight, maxRecentKeys)
		}
	})
}
