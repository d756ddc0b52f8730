package record

import (
	"context"
	"strconv"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

const (
	// maxChanges is how many of a tenant's changes a list may have, and how many the
	// log keeps in one place. Who lags further behind loads everything.
	maxChanges = 10_000
	// changesKept is how long a change is logged where many machines have the log:
	// there, expiry costs nothing.
	changesKept = 7 * 24 * time.Hour
)

func changeKey(tenant string, version int64) table.Key {
	return at(changeKind, tenant, table.Ordinal(version))
}

// Changes lists the changes with after < Version <= through, ascending, or
// returns [webhook.ErrGap] if the log does not hold all of them.
func (s *Store) Changes(ctx context.Context, tenant string, after, through int64) (changes []webhook.Change, err error) {
	if after >= through {
		return nil, nil
	}
	if through-after > maxChanges {
		return nil, webhook.ErrGap
	}
	first, last := changeKey(tenant, after+1), changeKey(tenant, through)
	items, err := s.table.Page(ctx, table.Range{Partition: first.Partition, From: first.Sort, To: last.Sort}, maxChanges)
	if err != nil {
		return nil, err
	}
	if int64(len(items)) < through-after { // the versions are consecutive: as many as that are all
		return nil, webhook.ErrGap
	}
	for _, it := range items {
		version, err := strconv.ParseInt(lastOf(it), 10, 64)
		if err != nil {
			return nil, err
		}
		changes = append(changes, webhook.Change{Version: version, Subscription: it.Fields.String("s")})
	}
	return changes, nil
}

// logged are the writes that log a change, and see to it that it is forgotten.
func (s *Store) logged(tenant, subscription string, version int64) []table.Write {
	it := table.Item{Key: changeKey(tenant, version), Fields: table.Fields{"s": subscription}}
	if s.spread {
		it.Expires = s.Now().Add(changesKept)
	}
	writes := []table.Write{{Item: it}}
	if !s.spread && version > maxChanges {
		writes = append(writes, table.Write{Verb: table.Deletes, Item: table.Item{Key: changeKey(tenant, version-maxChanges)}})
	}
	return writes
}
