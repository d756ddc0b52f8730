package record

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// The kinds of what hangs on an event.
const (
	pagesBelow     = "P"
	replaysBelow   = "R"
	occasionsBelow = "O"
)

func planKey(tenant, event, plan string, page int) table.Key {
	return and(eventKey(tenant, event), pagesBelow+separator+table.Name(plan)+separator+strconv.Itoa(page))
}

// PutPlanPage stores one page of a large plan; a repeat overwrites.
func (s *Store) PutPlanPage(ctx context.Context, tenant, event, plan string, page int, entries []webhook.PlanEntry) error {
	_, _, err := s.table.Put(ctx, table.Item{
		Key: planKey(tenant, event, plan, page), Fields: table.Fields{whole: table.Text(bulk(nil).entries(entries))},
		Expires: s.lifetime(),
	}, table.How{Wait: table.ForCommit})
	return err
}

// PlanPage returns a stored page, or [webhook.ErrNotFound].
func (s *Store) PlanPage(ctx context.Context, tenant, event, plan string, page int) ([]webhook.PlanEntry, error) {
	key := planKey(tenant, event, plan, page)
	found, err := table.GetImmutable(ctx, s.table, key)
	if err != nil {
		return nil, err
	}
	it, there := found[key]
	if !there {
		return nil, webhook.ErrNotFound
	}
	f := &fields{rest: string(it.Fields.Text(whole))}
	entries := f.entries()
	return entries, f.err()
}

func replayKey(tenant, event, id string) table.Key {
	return and(eventKey(tenant, event), replaysBelow+separator+table.Name(id))
}

// CreateReplay stores what a replay decided if its (tenant, event, id) is new.
// Otherwise it returns what is stored, unchanged.
func (s *Store) CreateReplay(ctx context.Context, r webhook.Replay) (stored webhook.Replay, created bool, err error) {
	old, _, err := s.table.Put(ctx, table.Item{
		Key: replayKey(r.Tenant, r.EventKey, r.ID), Fields: table.Fields{whole: table.Text(bulk(nil).number(r.At.UnixMilli()).plan(r.Plan))},
		Expires: s.lifetime(),
	}, table.How{If: table.NoItem(), Wait: table.ForCommit})
	if !errors.Is(err, table.ErrRefused) {
		return r, err == nil, err
	}
	stored, err = readReplay(r, old)
	return stored, false, err
}

// Replay returns what was decided for a replay, or [webhook.ErrNotFound].
func (s *Store) Replay(ctx context.Context, tenant, event, id string) (r webhook.Replay, err error) {
	it, err := one(ctx, s.table, replayKey(tenant, event, id))
	if err != nil {
		return r, err
	}
	return readReplay(webhook.Replay{Tenant: tenant, EventKey: event, ID: id}, it)
}

func readReplay(r webhook.Replay, it table.Item) (webhook.Replay, error) {
	f := &fields{rest: string(it.Fields.Text(whole))}
	r.At = time.UnixMilli(f.number()).UTC()
	r.Plan = f.plan()
	return r, f.err()
}
