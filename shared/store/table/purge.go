package table

import "context"

// Purge removes up to limit items of ranges of the table itself, and returns how
// many it removed: 0 at the end. What it removes may come back by a power cut.
func Purge(ctx context.Context, t Table, limit int, ranges ...Range) (removed int, err error) {
	for _, r := range ranges {
		if removed >= limit {
			break
		}
		items, err := t.Page(ctx, r, limit-removed)
		if err != nil {
			return removed, err
		}
		if len(items) == 0 {
			continue
		}
		keys := make([]Key, len(items))
		for i, it := range items {
			keys[i] = it.Key
		}
		if err := t.DeleteAll(ctx, keys, ForCommit); err != nil {
			return removed, err
		}
		removed += len(keys)
	}
	return removed, nil
}
