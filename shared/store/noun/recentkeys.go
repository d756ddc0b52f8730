package noun

import (
	"bytes"
	"sync"
	"time"

	"github.com/postino/postino/shared/language/weighed"
	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// KeyLag is how long a process may still know a key that another process has
// removed. What its own process removes is unknown at once.
const KeyLag = 5 * time.Second

// Bytes of the keys that are remembered, some 10,000, and of those of one tenant.
const (
	maxRecentKeys      = 4 << 20
	maxOwnedRecentKeys = 1 << 20
)

// recentKeys remembers keys that were read, since every request to the API asks
// for one: a tenant that publishes 3,000 times a second would take all that
// DynamoDB reads of one partition.
type recentKeys struct {
	mu      sync.Mutex
	changes int // counts what was forgotten, so that a read under way meanwhile is not kept
	keys    *weighed.Cache[table.Key, recentKey]
}

// recentKey is a key as of some time; of the zero time if it was forgotten.
type recentKey struct {
	key  webhook.Key
	asOf time.Time
}

func newRecentKeys() *recentKeys {
	r := &recentKeys{}
	r.forgetAll()
	return r
}

// find returns a key that was read no longer than [KeyLag] ago, and otherwise
// what put wants to know.
func (r *recentKeys) find(at table.Key, now time.Time) (key webhook.Key, found bool, changes int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	recent, found := r.keys.Get(at)
	if !found || now.Sub(recent.asOf) >= KeyLag {
		return webhook.Key{}, false, r.changes
	}
	key = recent.key
	key.Hash = bytes.Clone(key.Hash)
	return key, true, r.changes
}

// put remembers what was read since find, unless something was forgotten since.
func (r *recentKeys) put(at table.Key, key webhook.Key, asOf time.Time, changes int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changes == changes {
		key.Hash = bytes.Clone(key.Hash)
		r.keys.Put(key.Tenant, at, recentKey{key, asOf}, len(key.Hash)+len(key.Name))
	}
}

// forget is called after each write of a key, also one that failed: it may have
// been carried out.
func (r *recentKeys) forget(tenant string, at table.Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes++
	if _, found := r.keys.Get(at); found {
		r.keys.Put(tenant, at, recentKey{}, 0)
	}
}

func (r *recentKeys) forgetAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes++
	r.keys = weighed.New[table.Key, recentKey](maxRecentKeys, maxOwnedRecentKeys, nil)
}
