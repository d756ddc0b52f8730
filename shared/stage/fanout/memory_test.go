package fanout_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/shared/store/storetest"
	"github.com/postino/postino/shared/webhook"
)

// memory is the part of a store that fan-out uses, in maps: fast enough for
// tens of thousands of histories.
type memory struct {
	storetest.Store // nil: the methods that fan-out does not use

	mu       sync.Mutex
	version  int64
	heads    map[webhook.SubscriptionRef]webhook.Head
	versions map[webhook.VersionRef]webhook.Subscription
	events   map[[2]string]webhook.StoredEvent
	state    map[webhook.StateRef]webhook.StateItem
	canceled map[string]webhook.Delivery
	known
}

func newMemory() *memory {
	return &memory{
		heads: map[webhook.SubscriptionRef]webhook.Head{}, versions: map[webhook.VersionRef]webhook.Subscription{},
		events: map[[2]string]webhook.StoredEvent{}, state: map[webhook.StateRef]webhook.StateItem{},
		canceled: map[string]webhook.Delivery{}, known: known{profiles: map[string]webhook.Profile{}},
	}
}

func TestTheMapsKeepTheContractOfTriggerState(t *testing.T) {
	storetest.RunTriggerState(t, func(*testing.T) storetest.Store { return newMemory() })
}

func (m *memory) TenantState(context.Context, string) (webhook.TenantState, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return webhook.TenantState{Version: m.version, People: m.definitions}, nil
}

func (m *memory) Changes(context.Context, string, int64, int64) ([]webhook.Change, error) {
	return nil, webhook.ErrGap
}

func (m *memory) Heads(_ context.Context, refs []webhook.SubscriptionRef) ([]webhook.Head, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	heads := make([]webhook.Head, len(refs))
	for i, ref := range refs {
		heads[i] = m.heads[ref]
	}
	return heads, nil
}

func (m *memory) ListHeads(_ context.Context, tenant, after string, _ int) (heads []webhook.Head, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for ref, h := range m.heads {
		if ref.Tenant == tenant && ref.ID > after {
			heads = append(heads, h)
		}
	}
	slices.SortFunc(heads, func(a, b webhook.Head) int { return strings.Compare(a.ID, b.ID) })
	return heads, nil
}

func (m *memory) Versions(_ context.Context, refs []webhook.VersionRef) ([]webhook.Subscription, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	subs := make([]webhook.Subscription, len(refs))
	for i, ref := range refs {
		s, ok := m.versions[ref]
		if !ok {
			return nil, webhook.ErrNotFound
		}
		subs[i] = s
	}
	return subs, nil
}

func (m *memory) SaveSubscription(_ context.Context, s webhook.Subscription, expect int64) (webhook.Subscription, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.version++
	s.Version = m.version
	if expect == 0 {
		s.Born = s.Version
	}
	m.heads[webhook.SubscriptionRef{Tenant: s.Tenant, ID: s.ID}] = s.Head()
	m.versions[webhook.VersionRef{Tenant: s.Tenant, ID: s.ID, Version: s.Version}] = s
	return s, nil
}

func (m *memory) DeleteSubscription(_ context.Context, ref webhook.SubscriptionRef, _ int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.version++
	delete(m.heads, ref)
	return nil
}

func (m *memory) CreateEvent(_ context.Context, e webhook.StoredEvent, profiles ...webhook.Profile) (webhook.StoredEvent, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := [2]string{e.Tenant, e.Key()}
	if stored, ok := m.events[key]; ok {
		return stored, false, nil
	}
	if !m.save(profiles) {
		return webhook.StoredEvent{}, false, webhook.ErrConflict
	}
	m.events[key] = e
	stored := m.events[key]
	stored.Order = 0 // which no store keeps
	m.events[key] = stored
	return e, true, nil
}

func (m *memory) Event(_ context.Context, tenant, source, id string) (webhook.StoredEvent, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.events[[2]string{tenant, webhook.EventKey(source, id)}]
	if !ok {
		return e, webhook.ErrNotFound
	}
	return e, nil
}

func (m *memory) SaveDelivery(_ context.Context, d webhook.Delivery, _ webhook.Parts) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.canceled[d.ID]; ok {
		return webhook.ErrConflict
	}
	m.canceled[d.ID] = d
	return nil
}

func (m *memory) Delivery(_ context.Context, _, id string) (webhook.Delivery, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, ok := m.canceled[id]
	if !ok {
		return d, webhook.ErrNotFound
	}
	return d, nil
}

func (m *memory) PutDue(context.Context, webhook.Due) error { return nil }

func (m *memory) KeepEvent(context.Context, string, string, time.Time) error { return nil }

func (m *memory) TriggerState(_ context.Context, refs []webhook.StateRef) ([]webhook.StateItem, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	items := make([]webhook.StateItem, len(refs))
	for i, ref := range refs {
		items[i] = m.state[ref]
		items[i].StateRef = ref
	}
	return items, nil
}

func (m *memory) SaveTriggerState(_ context.Context, items []webhook.StateItem) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, item := range items {
		if m.state[item.StateRef].Rev != item.Rev {
			return webhook.ErrConflict
		}
	}
	for _, item := range items {
		item.Rev++
		m.state[item.StateRef] = item
	}
	return nil
}

func (m *memory) ListTriggerState(_ context.Context, ref webhook.StateRef, limit int) (items []webhook.StateItem, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	after := ref.Part
	for stored, item := range m.state {
		ref.Part = stored.Part
		if stored == ref && stored.Part > after {
			items = append(items, item)
		}
	}
	slices.SortFunc(items, func(a, b webhook.StateItem) int { return strings.Compare(a.Part, b.Part) })
	return items[:min(limit, len(items))], nil
}

func (m *memory) DeleteTriggerState(_ context.Context, refs []webhook.StateRef) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, ref := range refs {
		delete(m.state, ref)
	}
	return nil
}
