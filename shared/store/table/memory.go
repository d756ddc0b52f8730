package table

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Memory is a table in the memory of one process, for simulations. The zero
// value is empty and ready. It removes nothing that has expired.
type Memory struct {
	mu    sync.Mutex
	items map[string]map[string]Item // by partition and sort key
}

// Get returns the items that exist.
func (m *Memory) Get(_ context.Context, keys ...Key) (map[Key]Item, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := map[Key]Item{}
	for _, k := range keys {
		if item, ok := m.items[k.Partition][k.Sort]; ok {
			found[k] = copied(item)
		}
	}
	return found, nil
}

// Page returns up to limit items of a range.
func (m *Memory) Page(_ context.Context, r Range, limit int) (items []Item, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sorts := slices.Sorted(maps.Keys(m.items[r.Partition]))
	if r.Desc {
		slices.Reverse(sorts)
	}
	for _, sort := range sorts {
		if len(items) == limit {
			break
		}
		if sort >= r.From && (r.To == "" || sort <= r.To) {
			items = append(items, copied(m.items[r.Partition][sort]))
		}
	}
	return items, nil
}

// Put stores an item.
func (m *Memory) Put(_ context.Context, item Item, how How) (old Item, replaced bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	old, replaced = m.items[item.Partition][item.Sort]
	if how.Revision != "" && old.Fields.Int(how.Revision) != item.Fields.Int(how.Revision)-1 {
		return Item{}, false, ErrRefused
	}
	if m.items == nil {
		m.items = map[string]map[string]Item{}
	}
	if m.items[item.Partition] == nil {
		m.items[item.Partition] = map[string]Item{}
	}
	m.items[item.Partition][item.Sort] = copied(item.Merged(old, how.Keep))
	return copied(old), replaced, nil
}

// Delete removes an item.
func (m *Memory) Delete(_ context.Context, key Key) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.items[key.Partition][key.Sort]; !ok {
		return ErrRefused
	}
	delete(m.items[key.Partition], key.Sort)
	return nil
}

// DeleteAll removes items.
func (m *Memory) DeleteAll(_ context.Context, keys []Key) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range keys {
		delete(m.items[k.Partition], k.Sort)
	}
	return nil
}

// copied shares no memory with the caller's item.
func copied(item Item) Item {
	item.Partition, item.Sort = strings.Clone(item.Partition), strings.Clone(item.Sort)
	item.Fields = item.Fields.Compact()
	for name, v := range item.Fields {
		switch v := v.(type) {
		case []byte:
			item.Fields[name] = bytes.Clone(v)
		case Text:
			item.Fields[name] = Text(bytes.Clone(v))
		}
	}
	return item
}
