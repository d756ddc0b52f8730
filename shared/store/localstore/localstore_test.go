package localstore

import (
	"testing"

	"github.com/postino/postino/shared/localdb"
	"github.com/postino/postino/shared/store/storetest"
)

// open returns an empty store in a folder of its own.
func open(t testing.TB) *Store {
	t.Helper()
	db, err := localdb.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	store, err := New(db)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestItKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store { return open(t) })
}
