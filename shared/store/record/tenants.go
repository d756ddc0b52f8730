package record

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// Tenants are who is known, and each one's change counter.
type Tenants struct {
	table  table.Table
	recent *recent // nil if others write the table too
}

func tenantKey(tenant string) table.Key {
	return table.Key{Partition: tenantsPartition, Sort: table.Name(tenant)}
}

// counterKey is where a tenant's change counter n is, with that of its people (pv),
// how many subscriptions it has (sn), what their filters take (sw), and when its last
// deletion began (gb) and ended (ge).
func counterKey(tenant string) table.Key { return at(counterKind, tenant, "V") }

// ofDeletion is the field of a tenant that is being deleted.
const ofDeletion = "dl"

// EnsureTenant registers the tenant, and reports whether it was not known; a
// repeat changes nothing. While it is being deleted, [webhook.ErrDeleting].
func (s *Tenants) EnsureTenant(ctx context.Context, tenant string) (created bool, err error) {
	old, _, err := s.table.Put(ctx, table.Item{Key: tenantKey(tenant), Fields: table.Fields{}}, table.How{If: table.NoItem()})
	if errors.Is(err, table.ErrRefused) {
		return false, deleting(old)
	}
	return err == nil, err
}

// FindTenant returns nil if the tenant is known, [webhook.ErrNotFound] if it is
// not, and [webhook.ErrDeleting] while it is being deleted.
func (s *Tenants) FindTenant(ctx context.Context, tenant string) error {
	it, err := one(ctx, s.table, tenantKey(tenant))
	return cmp.Or(err, deleting(it))
}

func deleting(tenant table.Item) error {
	if tenant.Fields.Int(ofDeletion) != 0 {
		return webhook.ErrDeleting
	}
	return nil
}

// PageTenants lists tenants by name.
func (s *Tenants) PageTenants(ctx context.Context, page webhook.Page) (tenants []string, next string, err error) {
	l := newList[string](page, isPart, "tenants")
	return l.read(ctx, s.table, span{partition: tenantsPartition, high: behindAll}, func(key string, _ table.Item) (string, bool, error) {
		return key, true, nil
	})
}

// TenantVersion returns the tenant's change counter, 0 before the first
// change.
func (s *Tenants) TenantVersion(ctx context.Context, tenant string) (version int64, err error) {
	state, err := s.TenantState(ctx, tenant)
	return state.Version, err
}

// TenantState returns the same counter, and the tenant's last deletion.
func (s *Tenants) TenantState(ctx context.Context, tenant string) (state webhook.TenantState, err error) {
	state, found, generation := s.recent.findTenant(tenant)
	if found {
		return state, nil
	}
	it, err := one(ctx, s.table, counterKey(tenant))
	if err != nil && !errors.Is(err, webhook.ErrNotFound) {
		return state, err
	}
	state = webhook.TenantState{Version: it.Fields.Int("n"), People: it.Fields.Int("pv"), Deletion: webhook.Deletion{Began: it.Fields.Time("gb"), Ended: it.Fields.Time("ge")}}
	s.recent.put(generation, nil, map[string]webhook.TenantState{tenant: state})
	return state, nil
}

// PeopleChanged counts a change of a tenant's computed attributes or segments.
func (s *Tenants) PeopleChanged(ctx context.Context, tenant string) error {
	return s.recent.change(func() error {
		_, _, err := s.table.Update(ctx, counterKey(tenant), table.Change{Add: map[string]int64{"pv": 1}}, table.How{})
		return err
	})
}

// ended holds of a counter whose tenant is not being deleted.
var ended = table.Absent("gb").Or(table.Greater("ge", 0))

// BeginDeletion notes that a tenant is being deleted from now on, or returns
// [webhook.ErrNotFound]. A repeat changes nothing.
func (s *Tenants) BeginDeletion(ctx context.Context, tenant string, now time.Time) error {
	_, _, err := s.table.Update(ctx, tenantKey(tenant), table.Change{Set: table.Fields{ofDeletion: int64(1)}}, table.How{If: table.Exists()})
	if errors.Is(err, table.ErrRefused) {
		return webhook.ErrNotFound
	}
	return cmp.Or(err, s.count(ctx, tenant, table.Change{Set: table.Fields{"gb": table.Nanos(now), "ge": int64(0)}}, ended))
}

// count changes a tenant's counter, unless that has happened.
func (s *Tenants) count(ctx context.Context, tenant string, change table.Change, unless table.Condition) error {
	return s.recent.change(func() error {
		_, _, err := s.table.Update(ctx, counterKey(tenant), change, table.How{If: unless})
		if errors.Is(err, table.ErrRefused) {
			return nil
		}
		return err
	})
}

// EndDeletion writes that a tenant's deletion has ended, and forgets its name.
// Its change counter goes on from where it was: one higher, without an entry in
// the change log, so that whoever knows the tenant loads it anew.
func (s *Tenants) EndDeletion(ctx context.Context, tenant string, now time.Time) error {
	err := s.count(ctx, tenant, table.Change{
		Set: table.Fields{"ge": table.Nanos(now), "sn": int64(0), "sw": int64(0)}, Add: map[string]int64{"n": 1},
	}, table.Greater("gb", 0).And(table.Absent("ge")))
	if err != nil {
		return err
	}
	err = s.table.Transact(ctx, []table.Write{
		{Verb: table.Deletes, Item: table.Item{Key: tenantKey(tenant)}, If: table.Greater(ofDeletion, 0)},
	}, table.ForDisk)
	if errors.Is(err, table.ErrRefused) {
		return nil // it went, and may be known again
	}
	return err
}
