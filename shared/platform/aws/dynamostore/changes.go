package dynamostore

import (
	"context"
	"strconv"
	"time"

	"github.com/postino/postino/shared/webhook"
)

const (
	changesKept  = 7 * 24 * time.Hour
	changesLimit = 10_000 // in one list; who lacks more loads everything, which is cheaper by then
)

// Changes lists the changes with after < Version <= through, ascending, or
// returns [webhook.ErrGap] if the log no longer holds all of them, or if they
// are more than 10,000.
func (s *Store) Changes(ctx context.Context, tenant string, after, through int64) ([]webhook.Change, error) {
	wanted := through - after
	if wanted <= 0 {
		return nil, nil
	}
	if wanted > changesLimit {
		return nil, webhook.ErrGap
	}
	items, err := s.query(ctx, "changes", s.rangeQuery(changesPK(tenant), ordinal(after+1), ordinal(through)), changesLimit)
	if err != nil {
		return nil, err
	}
	if int64(len(items)) != wanted { // the versions are consecutive: as many as that are all
		return nil, webhook.ErrGap
	}
	changes := make([]webhook.Change, len(items))
	for i, it := range items {
		changes[i] = changeOf(it)
	}
	return changes, nil
}

func (s *Store) changeItem(tenant, subscription string, version int64) item {
	it := at(key{changesPK(tenant), ordinal(version)})
	it.setStr("s", subscription)
	it.setInt("expires", s.now().Add(changesKept).Unix())
	return it
}

func changeOf(it item) webhook.Change {
	version, _ := strconv.ParseInt(it.str("sk"), 10, 64) // from changeItem
	return webhook.Change{Version: version, Subscription: it.str("s")}
}
