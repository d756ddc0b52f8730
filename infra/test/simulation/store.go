package simulation

import (
	"github.com/postino/postino/shared/store/record"
	"github.com/postino/postino/shared/store/table"
)

// Store keeps everything in memory, which is fast enough for a hundred thousand
// worlds. The zero value is not ready; see [NewStore].
type Store struct {
	*record.Store
	items *table.Memory // where all of it is
}

// NewStore returns an empty store. Its due pointers are spread over shards, as on
// AWS.
func NewStore() *Store {
	items := &table.Memory{}
	store := record.In(items).Alone()
	store.Together = false
	return &Store{store, items}
}
