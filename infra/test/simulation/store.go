package simulation

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/postino/postino/shared/store/noun"
	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// Store keeps everything in maps: a store that is fast enough for a hundred
// thousand worlds. The zero value is not ready; see [NewStore].
type Store struct {
	*noun.Nouns
	items *table.Memory // where they are

	mu         sync.Mutex
	tenants    map[string]int64 // versions
	gone       map[string]webhook.Deletion
	unknown    map[string]bool // tenants that were deleted
	changes    map[string][]webhook.Change
	heads      map[webhook.SubscriptionRef]webhook.Head
	versions   map[webhook.VersionRef]webhook.Subscription
	events     map[[2]string]webhook.StoredEvent // by tenant and key
	plans      map[planPage][]webhook.PlanEntry
	replays    map[[3]string]webhook.Replay   // by tenant, event key and id
	deliveries map[[2]string]webhook.Delivery // by tenant and id
	attempts   map[[2]string]map[int]webhook.Attempt
	contents   map[[2]string]webhook.Content
	lines      map[webhook.SubscriptionRef][]string
	states     map[webhook.StateRef]webhook.StateItem
}

type planPage struct {
	tenant, event, nonce string
	page                 int
}

// NewStore returns an empty store.
func NewStore() *Store {
	items := &table.Memory{}
	return &Store{
		Nouns: noun.In(items), items: items,
		tenants: map[string]int64{}, gone: map[string]webhook.Deletion{}, unknown: map[string]bool{}, changes: map[string][]webhook.Change{},
		heads: map[webhook.SubscriptionRef]webhook.Head{}, versions: map[webhook.VersionRef]webhook.Subscription{},
		events: map[[2]string]webhook.StoredEvent{}, plans: map[planPage][]webhook.PlanEntry{},
		replays:    map[[3]string]webhook.Replay{},
		deliveries: map[[2]string]webhook.Delivery{}, attempts: map[[2]string]map[int]webhook.Attempt{},
		contents: map[[2]string]webhook.Content{}, lines: map[webhook.SubscriptionRef][]string{},
		states: map[webhook.StateRef]webhook.StateItem{},
	}
}

// lock holds the store for one call and returns what lets it go.
func (s *Store) lock() func() {
	s.mu.Lock()
	return s.mu.Unlock
}

// TenantVersion returns the tenant's change counter.
func (s *Store) TenantVersion(_ context.Context, tenant string) (int64, error) {
	defer s.lock()()
	return s.tenants[tenant], nil
}

// keptChanges is how many changes the log of a tenant keeps.
const keptChanges = 10_000

// Changes lists the changes with after < Version <= through.
func (s *Store) Changes(_ context.Context, tenant string, after, through int64) (changes []webhook.Change, err error) {
	defer s.lock()()
	for _, c := range s.changes[tenant] {
		if c.Version > after && c.Version <= through {
			changes = append(changes, c)
		}
	}
	if int64(len(changes)) < through-after {
		return nil, webhook.ErrGap
	}
	return changes, nil
}

// Heads returns the current heads in the order asked for.
func (s *Store) Heads(_ context.Context, refs []webhook.SubscriptionRef) ([]webhook.Head, error) {
	defer s.lock()()
	heads := make([]webhook.Head, len(refs))
	for i, ref := range refs {
		heads[i] = s.heads[ref]
	}
	return heads, nil
}

// ListHeads returns up to limit heads with an id greater than after, by id.
func (s *Store) ListHeads(_ context.Context, tenant, after string, limit int) ([]webhook.Head, error) {
	defer s.lock()()
	heads := s.headsOf(tenant, func(id string) bool { return id > after })
	return heads[:min(limit, len(heads))], nil
}

func (s *Store) headsOf(tenant string, wanted func(id string) bool) (heads []webhook.Head) {
	for ref, h := range s.heads {
		if ref.Tenant == tenant && wanted(ref.ID) {
			heads = append(heads, h)
		}
	}
	slices.SortFunc(heads, func(a, b webhook.Head) int { return strings.Compare(a.ID, b.ID) })
	return heads
}

// PageHeads returns one page of heads by id.
func (s *Store) PageHeads(_ context.Context, tenant string, page webhook.Page) ([]webhook.Head, string, error) {
	defer s.lock()()
	heads := s.headsOf(tenant, func(string) bool { return true })
	return pageOf(heads, page, func(h webhook.Head) string { return h.ID }, "heads", tenant)
}

// pageOf cuts a page out of a whole list that is ascending by key. Positions
// are sealed with the name of their list.
func pageOf[T any](list []T, page webhook.Page, key func(T) string, name ...string) ([]T, string, error) {
	position := func(key string) string {
		return webhook.Hash(10, append([]string{"position", key}, name...)...) + key
	}
	if page.Desc {
		list = slices.Clone(list)
		slices.Reverse(list)
	}
	if page.Position != "" {
		const sealed = 16
		if len(page.Position) < sealed || position(page.Position[sealed:]) != page.Position {
			return nil, "", webhook.ErrNotFound
		}
		last := page.Position[sealed:]
		list = slices.DeleteFunc(slices.Clone(list), func(entry T) bool {
			return key(entry) <= last && !page.Desc || key(entry) >= last && page.Desc
		})
	}
	if limit := max(page.Limit, 1); len(list) > limit {
		return list[:limit], position(key(list[limit-1])), nil
	}
	return list, "", nil
}

// Versions returns immutable versions in the order asked for.
func (s *Store) Versions(_ context.Context, refs []webhook.VersionRef) ([]webhook.Subscription, error) {
	defer s.lock()()
	subs := make([]webhook.Subscription, len(refs))
	for i, ref := range refs {
		sub, found := s.versions[ref]
		if !found {
			return nil, fmt.Errorf("version %d of %s: %w", ref.Version, ref.ID, webhook.ErrNotFound)
		}
		subs[i] = sub
	}
	return subs, nil
}

// expected returns nil if the subscription's version is expect, 0 for none.
func (s *Store) expected(ref webhook.SubscriptionRef, expect int64) error {
	current := s.heads[ref].Version
	switch {
	case current == expect:
		return nil
	case expect == 0:
		return webhook.ErrExists
	case current == 0:
		return webhook.ErrNotFound
	}
	return webhook.ErrConflict
}

func (s *Store) change(tenant, subscription string) int64 {
	s.tenants[tenant]++
	version := s.tenants[tenant]
	log := append(s.changes[tenant], webhook.Change{Version: version, Subscription: subscription})
	s.changes[tenant] = log[max(0, len(log)-keptChanges):]
	return version
}

// SaveSubscription stores sub as a new version if the current one is expect.
func (s *Store) SaveSubscription(_ context.Context, sub webhook.Subscription, expect int64) (webhook.Subscription, error) {
	defer s.lock()()
	ref := webhook.SubscriptionRef{Tenant: sub.Tenant, ID: sub.ID}
	if err := s.expected(ref, expect); err != nil {
		return webhook.Subscription{}, err
	}
	if err := s.within(sub, expect); err != nil {
		return webhook.Subscription{}, err
	}
	sub.Within = webhook.Quota{}
	sub.Version = s.change(sub.Tenant, sub.ID)
	if expect == 0 {
		sub.Born = sub.Version
	}
	s.versions[webhook.VersionRef{Tenant: sub.Tenant, ID: sub.ID, Version: sub.Version}] = sub
	s.heads[ref] = sub.Head()
	return sub, nil
}

// within judges the quota with sub saved.
func (s *Store) within(sub webhook.Subscription, expect int64) error {
	count, heavy := int64(1), int64(sub.Heavy)
	for ref, head := range s.heads {
		if ref.Tenant == sub.Tenant && ref.ID != sub.ID {
			count, heavy = count+1, heavy+int64(head.Heavy)
		}
	}
	before := s.heads[webhook.SubscriptionRef{Tenant: sub.Tenant, ID: sub.ID}].Heavy
	return sub.Within.Check(count, heavy, expect == 0, sub.Heavy > before)
}

// DeleteSubscription removes the head if the current version is expect.
func (s *Store) DeleteSubscription(_ context.Context, ref webhook.SubscriptionRef, expect int64) error {
	defer s.lock()()
	if expect == 0 {
		return webhook.ErrNotFound
	}
	if err := s.expected(ref, expect); err != nil {
		return err
	}
	s.change(ref.Tenant, ref.ID)
	delete(s.heads, ref)
	return nil
}

// CreateEvent stores e if it is new, and returns what is stored.
func (s *Store) CreateEvent(_ context.Context, e webhook.StoredEvent) (stored webhook.StoredEvent, created bool, err error) {
	defer s.lock()()
	key := [2]string{e.Tenant, e.Key()}
	if stored, found := s.events[key]; found {
		return stored, false, nil
	}
	e.Data = bytes.Clone(e.Data)
	e.Plan.Entries = slices.Clone(e.Plan.Entries)
	s.events[key] = e
	return e, true, nil
}

// Event returns a stored event, or [webhook.ErrNotFound].
func (s *Store) Event(_ context.Context, tenant, source, id string) (webhook.StoredEvent, error) {
	defer s.lock()()
	e, found := s.events[[2]string{tenant, webhook.EventKey(source, id)}]
	if !found {
		return e, webhook.ErrNotFound
	}
	return e, nil
}

// PageEvents lists events without their data.
func (s *Store) PageEvents(_ context.Context, tenant string, f webhook.EventFilter, page webhook.Page) ([]webhook.StoredEvent, string, error) {
	defer s.lock()()
	prefix, open := strings.CutSuffix(f.Type, "*")
	open = open || f.Type == ""
	var events []webhook.StoredEvent
	for key, e := range s.events {
		if key[0] == tenant && (e.Type == prefix || open && strings.HasPrefix(e.Type, prefix)) &&
			(f.Subject == "" || f.Subject == e.Subject) && within(e.AcceptedAt, page) {
			e.Data = nil
			events = append(events, e)
		}
	}
	key := func(e webhook.StoredEvent) string { return fmt.Sprintf("%015d", e.AcceptedAt.UnixMilli()) + e.Key() }
	slices.SortFunc(events, func(a, b webhook.StoredEvent) int { return strings.Compare(key(a), key(b)) })
	return pageOf(events, page, key, "events", tenant, f.Type, f.Subject)
}

// within reports whether an acceptance lies within the page's bounds.
func within(accepted time.Time, page webhook.Page) bool {
	ms := accepted.UnixMilli()
	return (page.After.IsZero() || ms > page.After.UnixMilli()) &&
		(page.Before.IsZero() || ms < page.Before.Add(time.Millisecond-1).UnixMilli())
}

// CreateReplay stores what a replay decided, or returns what is stored.
func (s *Store) CreateReplay(_ context.Context, r webhook.Replay) (webhook.Replay, bool, error) {
	defer s.lock()()
	key := [3]string{r.Tenant, r.EventKey, r.ID}
	if stored, found := s.replays[key]; found {
		return stored, false, nil
	}
	r.Plan.Entries = slices.Clone(r.Plan.Entries)
	s.replays[key] = r
	return r, true, nil
}

// Replay returns what was decided for a replay.
func (s *Store) Replay(tenant, eventKey, id string) (r webhook.Replay, found bool) {
	defer s.lock()()
	r, found = s.replays[[3]string{tenant, eventKey, id}]
	return r, found
}

// PutPlanPage stores one page of a large plan.
func (s *Store) PutPlanPage(_ context.Context, tenant, eventKey, nonce string, page int, entries []webhook.PlanEntry) error {
	defer s.lock()()
	s.plans[planPage{tenant, eventKey, nonce, page}] = slices.Clone(entries)
	return nil
}

// PlanPage returns a stored page, or [webhook.ErrNotFound].
func (s *Store) PlanPage(_ context.Context, tenant, eventKey, nonce string, page int) ([]webhook.PlanEntry, error) {
	defer s.lock()()
	entries, found := s.plans[planPage{tenant, eventKey, nonce, page}]
	if !found {
		return nil, webhook.ErrNotFound
	}
	return slices.Clone(entries), nil
}

// EnterLine adds a delivery; a repeat changes nothing.
func (s *Store) EnterLine(_ context.Context, sub webhook.SubscriptionRef, delivery string) error {
	defer s.lock()()
	if i, found := slices.BinarySearch(s.lines[sub], delivery); !found {
		s.lines[sub] = slices.Insert(s.lines[sub], i, delivery)
	}
	return nil
}

// LeaveLine removes deliveries; a repeat changes nothing.
func (s *Store) LeaveLine(_ context.Context, sub webhook.SubscriptionRef, deliveries []string) error {
	defer s.lock()()
	leave := make(map[string]bool, len(deliveries))
	for _, id := range deliveries {
		leave[id] = true
	}
	s.lines[sub] = slices.DeleteFunc(s.lines[sub], func(id string) bool { return leave[id] })
	return nil
}

// Line returns up to limit waiting ids greater than after, ascending.
func (s *Store) Line(_ context.Context, sub webhook.SubscriptionRef, after string, limit int) ([]string, error) {
	defer s.lock()()
	line := s.lines[sub]
	i, found := slices.BinarySearch(line, after)
	if found {
		i++
	}
	return slices.Clone(line[i:min(len(line), i+limit)]), nil
}
