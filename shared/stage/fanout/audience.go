package fanout

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/language/weighed"
	"github.com/postino/postino/shared/people"
	"github.com/postino/postino/shared/webhook"
)

// Bounds of the audiences that a process keeps, in bytes: a usual subscription
// takes 2 KB of them. A function has 512 MB. What a tenant may have at all is
// bounded when its subscriptions are saved: see webhook.Quota.
const (
	maxAudiences = 128 << 20
	maxAudience  = 96 << 20 // one tenant's
)

// loadPage is the number of heads read at once when a tenant is loaded whole.
const loadPage = 1000

// audiences keeps, for each tenant, who would receive what.
type audiences struct {
	store   audienceStore
	log     *slog.Logger
	mu      sync.Mutex
	tenants *weighed.Cache[string, *audience]
}

func newAudiences(store audienceStore, log *slog.Logger) *audiences {
	return &audiences{store: store, log: log, tenants: weighed.New[string, *audience](maxAudiences, maxAudience, nil)}
}

func (a *audiences) of(tenant string) *audience {
	a.mu.Lock()
	defer a.mu.Unlock()
	t, ok := a.tenants.Get(tenant)
	if !ok {
		t = &audience{tenant: tenant, store: a.store, log: a.log}
		a.tenants.Put(tenant, tenant, t, t.weight())
	}
	return t
}

// keep notes what an audience weighs now. One that is too heavy is forgotten, and
// read again by the next batch.
func (a *audiences) keep(t *audience) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tenants.Put(t.tenant, t.tenant, t, t.weight())
}

// audience is one tenant's subscriptions, ready for matching, as of a version
// of the tenant.
type audience struct {
	tenant  string
	store   audienceStore
	log     *slog.Logger
	mu      sync.RWMutex
	version int64
	gone    webhook.Deletion
	index   *index
	people  int64 // of which version the definitions are
	defines *people.Definitions
}

// audienceStore is where an audience is read from.
type audienceStore interface {
	Subscriptions
	People
}

// match returns what the event leads to, as far as it can tell by itself, at a time
// at which campaigns run or do not.
func (a *audience) match(ctx context.Context, e webhook.Event, at time.Time) (m matched, err error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	m.definitions = a.defines
	if m.event, err = a.decoded(e); err != nil || a.index == nil {
		return m, err
	}
	if m.entries, m.conditions, err = a.index.match(ctx, m.event); err != nil {
		return m, err
	}
	m.join(a.index.heads, at)
	asks, err := a.index.asks(ctx, m.event)
	if asks {
		m.asks, m.further = true, a.further
	}
	return m, err
}

// further adds to the entries those that an event matches together with the profile
// of its subject, as the audience is now.
func (a *audience) further(ctx context.Context, e *pattern.Event, entries []webhook.PlanEntry) ([]webhook.PlanEntry, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if a.index == nil {
		return entries, nil
	}
	return a.index.matchWhole(ctx, e, entries)
}

// decoded is the event, as far as anybody asks. The lock is held.
func (a *audience) decoded(e webhook.Event) (*pattern.Event, error) {
	if a.defines == nil && (a.index == nil || a.index.filtered == 0) {
		return pattern.OfType(e.Type), nil
	}
	return trigger.DecodeEvent(e)
}

// defined returns the tenant's definitions.
func (a *audience) defined() *people.Definitions {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.defines
}

// weight is about how many bytes of memory the audience takes.
func (a *audience) weight() int {
	const bare = 256
	a.mu.RLock()
	defer a.mu.RUnlock()
	if a.index == nil {
		return bare + a.defines.Weight()
	}
	return bare + a.defines.Weight() + a.index.weight()
}

// refresh brings the audience up to every change acknowledged before the call.
// It loads only what changed, or all if the log does not reach back.
func (a *audience) refresh(ctx context.Context) error {
	state, err := a.store.TenantState(ctx, a.tenant)
	if err != nil {
		return fmt.Errorf("read version of tenant %s: %w", a.tenant, err)
	}
	now := state.Version
	a.mu.RLock()
	fresh := a.version >= now && a.gone == state.Deletion && a.people == state.People
	a.mu.RUnlock()
	if fresh {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.gone = state.Deletion
	if err := a.define(ctx, state.People); err != nil {
		return err
	}
	if a.version >= now {
		return nil
	}
	if a.index != nil {
		err = a.follow(ctx, now)
	}
	if a.index == nil || errors.Is(err, webhook.ErrGap) {
		err = a.load(ctx)
	}
	if err != nil {
		return fmt.Errorf("read subscriptions of %s: %w", a.tenant, err)
	}
	a.version = now
	return nil
}

// define reads the definitions, if they are not of that version.
func (a *audience) define(ctx context.Context, version int64) error {
	if a.people >= version {
		return nil
	}
	rules, segments, err := people.ReadAll(ctx, a.store, a.tenant)
	if err != nil {
		return err
	}
	defined, err := people.Define(rules, segments)
	if err != nil { // of one of them, which must not keep the others from working
		a.log.Error("compile definitions", "error", err)
	}
	wrong, err := defined.Join(ctx, a.store, a.tenant)
	if err != nil {
		return err
	}
	if wrong != nil {
		a.log.Error("compile campaigns", "error", wrong)
	}
	a.people, a.defines = version, defined
	return nil
}

// errDeleted reports an event of a tenant that was deleted after it was
// accepted, or is being deleted.
var errDeleted = errors.New("the tenant was deleted")

// deleted reports whether the tenant's deletion removes what was accepted then.
func (a *audience) deleted(accepted time.Time) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.gone.Removes(accepted)
}

// maxFollow is the number of changes beyond which a whole load is cheaper.
const maxFollow = 2000

func (a *audience) follow(ctx context.Context, now int64) error {
	if now-a.version > maxFollow {
		return webhook.ErrGap
	}
	changes, err := a.store.Changes(ctx, a.tenant, a.version, now)
	if err != nil {
		return err
	}
	seen := make(map[string]bool, len(changes))
	var refs []webhook.SubscriptionRef
	for _, c := range changes {
		if !seen[c.Subscription] {
			seen[c.Subscription] = true
			refs = append(refs, webhook.SubscriptionRef{Tenant: a.tenant, ID: c.Subscription})
		}
	}
	heads, err := a.store.Heads(ctx, refs)
	if err != nil {
		return err
	}
	for i, h := range heads {
		a.index.remove(refs[i].ID)
		if h.Version != 0 {
			a.add(a.index, h)
		}
	}
	return nil
}

// add files a subscription. One that we cannot read must not keep the tenant's
// others from their events.
func (a *audience) add(x *index, h webhook.Head) {
	if err := x.add(h); err != nil {
		a.log.Error("index subscription", "error", err)
	}
}

func (a *audience) load(ctx context.Context) error {
	idx, after := newIndex(), ""
	for {
		heads, err := a.store.ListHeads(ctx, a.tenant, after, loadPage)
		if err != nil {
			return err
		}
		if len(heads) == 0 {
			break
		}
		for _, h := range heads {
			a.add(idx, h)
		}
		after = heads[len(heads)-1].ID
	}
	a.index = idx
	return nil
}

// view is the audiences as one batch sees them: each tenant is brought up to
// date once, at its first event, and stays at hand whatever the process keeps.
type view struct {
	all    *audiences
	groups *groups // nil if first attempts do not share messages
	whole  bool    // the batch has several messages
	mu     sync.Mutex
	seen   map[string]*glance
}

// glance is a view of one tenant.
type glance struct {
	*audience
	refreshed func() error
}

func (a *audiences) view() *view { return &view{all: a, seen: map[string]*glance{}} }

// of returns what the batch sees of a tenant, brought up to date.
func (v *view) of(ctx context.Context, tenant string) (*audience, error) {
	v.mu.Lock()
	g := v.seen[tenant]
	if g == nil {
		g = &glance{audience: v.all.of(tenant)}
		g.refreshed = sync.OnceValue(func() error { return v.all.refresh(ctx, g.audience) })
		v.seen[tenant] = g
	}
	v.mu.Unlock()
	return g.audience, g.refreshed()
}

// refresh brings an audience up to date, and notes what it weighs then.
func (a *audiences) refresh(ctx context.Context, t *audience) error {
	before := t.weight()
	err := t.refresh(ctx)
	if t.weight() != before {
		a.keep(t)
	}
	return err
}

func (v *view) match(ctx context.Context, e webhook.Event, at time.Time) (matched, error) {
	a, err := v.of(ctx, e.Tenant)
	if err != nil {
		return matched{}, err
	}
	if a.deleted(e.AcceptedAt) {
		return matched{}, errDeleted
	}
	return a.match(ctx, e, at)
}
