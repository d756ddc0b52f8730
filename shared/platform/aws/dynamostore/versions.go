package dynamostore

import "context"

// immutable reads items that never change at half the price, and those that
// were not seen once more consistently: they may be milliseconds old.
func (s *Store) immutable(ctx context.Context, op string, keys []key) (map[key]item, error) {
	items, err := s.getAll(ctx, op, keys, false)
	if err != nil {
		return nil, err
	}
	var missing []key
	for _, k := range keys {
		if items[k] == nil {
			missing = append(missing, k)
		}
	}
	late, err := s.getAll(ctx, op, missing, true)
	for k, it := range late {
		items[k] = it
	}
	return items, err
}
