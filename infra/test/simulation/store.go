package simulation

import (
	"context"
	"sync"

	"github.com/postino/postino/shared/store/record"
	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// Store keeps everything in memory, which is fast enough for a hundred thousand
// worlds. The zero value is not ready; see [NewStore].
type Store struct {
	*record.Store
	items *table.Memory // where all of it is

	mu       sync.Mutex
	versions map[webhook.VersionRef]webhook.Subscription // that were read, since a world reads few of them often
}

// NewStore returns an empty store. Its due pointers are spread over shards, as on
// AWS.
func NewStore() *Store {
	items := &table.Memory{}
	store := record.In(items).Alone()
	store.Together = false
	return &Store{Store: store, items: items, versions: map[webhook.VersionRef]webhook.Subscription{}}
}

// Versions returns versions, which never change.
func (s *Store) Versions(ctx context.Context, refs []webhook.VersionRef) ([]webhook.Subscription, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	subs := make([]webhook.Subscription, len(refs))
	for i, ref := range refs {
		sub, known := s.versions[ref]
		if !known {
			read, err := s.Store.Versions(ctx, []webhook.VersionRef{ref})
			if err != nil {
				return nil, err
			}
			sub = read[0]
			s.versions[ref] = sub
		}
		subs[i] = sub
	}
	return subs, nil
}

// PurgeSubscription forgets the versions that it removes.
func (s *Store) PurgeSubscription(ctx context.Context, sub webhook.SubscriptionRef, through int64, limit int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.versions)
	return s.Store.PurgeSubscription(ctx, sub, through, limit)
}
