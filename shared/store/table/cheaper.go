package table

import "context"

// Cheaper is what a table may have beside the eight methods, because it is billed
// by what it reads and writes. Where a table has none of it, the functions below
// do without.
type Cheaper interface {
	// GetLagging is Get that may miss writes of the last seconds, at half the price.
	GetLagging(ctx context.Context, keys ...Key) (map[Key]Item, error)
	// PutAll stores items of different keys, whatever was there, in few calls. After
	// an error some may be stored.
	PutAll(ctx context.Context, items []Item) error
}

// GetLagging is Get that may miss writes of the last seconds, at half the price
// where a table has that.
func GetLagging(ctx context.Context, t Table, keys ...Key) (map[Key]Item, error) {
	if cheap, has := t.(Cheaper); has {
		return cheap.GetLagging(ctx, keys...)
	}
	return t.Get(ctx, keys...)
}

// GetImmutable is Get of items that never change, at half the price where a table
// has that. Those that it does not see at once are read once more: they may be
// milliseconds old.
func GetImmutable(ctx context.Context, t Table, keys ...Key) (map[Key]Item, error) {
	cheap, has := t.(Cheaper)
	if !has {
		return t.Get(ctx, keys...)
	}
	found, err := cheap.GetLagging(ctx, keys...)
	if err != nil {
		return nil, err
	}
	var missing []Key
	for _, k := range keys {
		if _, there := found[k]; !there {
			missing = append(missing, k)
		}
	}
	if len(missing) == 0 {
		return found, nil
	}
	late, err := t.Get(ctx, missing...)
	for k, it := range late {
		found[k] = it
	}
	return found, err
}

// PutAll stores items of different keys, whatever was there. After an error some
// may be stored.
func PutAll(ctx context.Context, t Table, items []Item) error {
	if cheap, has := t.(Cheaper); has {
		return cheap.PutAll(ctx, items)
	}
	for _, it := range items {
		if _, _, err := t.Put(ctx, it, How{}); err != nil {
			return err
		}
	}
	return nil
}
