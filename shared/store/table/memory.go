package table

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
)

// Memory is a table in the memory of one process, for simulations. The zero
// value is empty and ready. It removes nothing that has expired. Items that were
// read share its memory: they are not to be changed.
type Memory struct {
	mu         sync.Mutex
	partitions [1 + Indexes]map[string]*partition // of the table and of each index
	names      []string                           // of the table's, in order
}

// partition holds items under keys in order.
type partition struct {
	sorts []string
	items map[string]Item
}

// at returns a partition of the table (0) or of an index; nil if it is empty.
func (m *Memory) at(index int, name string) *partition { return m.partitions[index][name] }

func (m *Memory) stored(key Key) (Item, bool) {
	p := m.at(0, key.Partition)
	if p == nil {
		return Item{}, false
	}
	it, ok := p.items[key.Sort]
	return it, ok
}

// set stores an item, and sees to the indexes.
func (m *Memory) set(it Item) {
	it = copied(it)
	m.unset(it.Key)
	m.insert(0, it.Key, it)
	for i, k := range it.Index {
		if k != (Key{}) {
			m.insert(1+i, k, it)
		}
	}
}

func (m *Memory) insert(index int, key Key, it Item) {
	if m.partitions[index] == nil {
		m.partitions[index] = map[string]*partition{}
	}
	p := m.partitions[index][key.Partition]
	if p == nil {
		p = &partition{items: map[string]Item{}}
		m.partitions[index][key.Partition] = p
		if i, found := slices.BinarySearch(m.names, key.Partition); index == 0 && !found {
			m.names = slices.Insert(m.names, i, strings.Clone(key.Partition))
		}
	}
	if i, found := slices.BinarySearch(p.sorts, key.Sort); !found {
		p.sorts = slices.Insert(p.sorts, i, strings.Clone(key.Sort))
	}
	p.items[key.Sort] = it
}

// unset removes an item from the table and the indexes.
func (m *Memory) unset(key Key) {
	it, found := m.stored(key)
	if !found {
		return
	}
	m.remove(0, key)
	for i, k := range it.Index {
		if k != (Key{}) {
			m.remove(1+i, k)
		}
	}
}

func (m *Memory) remove(index int, key Key) {
	p := m.at(index, key.Partition)
	if i, found := slices.BinarySearch(p.sorts, key.Sort); found {
		p.sorts = slices.Delete(p.sorts, i, i+1)
	}
	if delete(p.items, key.Sort); len(p.items) == 0 {
		delete(m.partitions[index], key.Partition)
		if i, found := slices.BinarySearch(m.names, key.Partition); index == 0 && found {
			m.names = slices.Delete(m.names, i, i+1)
		}
	}
}

// Partitions returns the names of partitions that begin with a prefix, in order.
func (m *Memory) Partitions(prefix string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	begin, _ := slices.BinarySearch(m.names, prefix)
	end := begin
	for end < len(m.names) && strings.HasPrefix(m.names[end], prefix) {
		end++
	}
	return slices.Clone(m.names[begin:end])
}

// Get returns the items that exist.
func (m *Memory) Get(_ context.Context, keys ...Key) (map[Key]Item, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := map[Key]Item{}
	for _, k := range keys {
		if it, ok := m.stored(k); ok {
			found[k] = it
		}
	}
	return found, nil
}

// Page returns up to limit items of a range.
func (m *Memory) Page(_ context.Context, r Range, limit int) (items []Item, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, sort := range m.within(r, limit) {
		items = append(items, m.at(r.Index, r.Partition).items[sort])
	}
	return items, nil
}

// within returns up to limit sort keys of a range.
func (m *Memory) within(r Range, limit int) []string {
	p := m.at(r.Index, r.Partition)
	if p == nil {
		return nil
	}
	low, _ := slices.BinarySearch(p.sorts, r.From)
	high := len(p.sorts)
	if r.To != "" {
		high, _ = slices.BinarySearch(p.sorts, r.To+"\x00")
	}
	sorts := p.sorts[low:max(low, high)]
	if r.Desc {
		sorts = slices.Clone(sorts[max(0, len(sorts)-limit):])
		slices.Reverse(sorts)
	}
	return sorts[:min(limit, len(sorts))]
}

// Count counts the items of a range, at most limit.
func (m *Memory) Count(_ context.Context, r Range, limit int) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.within(r, limit)), nil
}

// Put stores an item.
func (m *Memory) Put(_ context.Context, item Item, how How) (old Item, replaced bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	old, replaced = m.stored(item.Key)
	if !how.If.Holds(old, replaced) {
		return old, false, ErrRefused
	}
	m.set(item)
	return old, replaced, nil
}

// Update changes an item.
func (m *Memory) Update(_ context.Context, key Key, change Change, how How) (old Item, existed bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	old, existed = m.stored(key)
	if !how.If.Holds(old, existed) {
		return old, existed, ErrRefused
	}
	old.Key = key
	m.set(old.Changed(change))
	return old, existed, nil
}

// Delete removes an item.
func (m *Memory) Delete(_ context.Context, key Key) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, found := m.stored(key); !found {
		return ErrRefused
	}
	m.unset(key)
	return nil
}

// DeleteAll removes items.
func (m *Memory) DeleteAll(_ context.Context, keys []Key, _ Wait) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range keys {
		m.unset(k)
	}
	return nil
}

// Transact carries out all writes or none.
func (m *Memory) Transact(_ context.Context, writes []Write, _ Wait) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	refused := map[int]Item{}
	for i, w := range writes {
		if stored, exists := m.stored(w.Item.Key); !w.If.Holds(stored, exists) {
			refused[i] = stored
		}
	}
	if len(refused) > 0 {
		return &Refusal{refused}
	}
	for _, w := range writes {
		switch w.Verb {
		case Puts:
			m.set(w.Item)
		case Updates:
			old, _ := m.stored(w.Item.Key)
			old.Key = w.Item.Key
			m.set(old.Changed(w.Change))
		case Deletes:
			m.unset(w.Item.Key)
		}
	}
	return nil
}

// copied shares no memory with the caller's item.
func copied(item Item) Item {
	item.Partition, item.Sort = strings.Clone(item.Partition), strings.Clone(item.Sort)
	if item.Fields == nil && item.Key == (Key{}) {
		return item
	}
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
