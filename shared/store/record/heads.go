package record

import (
	"context"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

func headKey(sub webhook.SubscriptionRef) table.Key { return ofSubscription(headKind, sub) }

// head is what is kept of one as JSON, beside its filter, which stays as it was
// written.
type head struct {
	Born    int64            `json:"born"`
	State   webhook.State    `json:"state"`
	Types   []string         `json:"types,omitempty"`
	Epoch   int64            `json:"epoch"`
	Cancels []webhook.Cancel `json:"cancels,omitempty"`
}

// The fields of a head: version, filter, weight of its filter, when it was
// changed, its health, and how often that was written.
const (
	headVersion, headFilter, headHeavy, headUpdated = "ve", "fi", "hw", "u"
	headHealth, healthRevision                      = "he", "hr"
)

func headItem(sub webhook.Subscription) (table.Item, error) {
	h := sub.Head()
	text, err := encode(head{h.Born, h.State, h.Types, h.Epoch, h.Cancels})
	return table.Item{Key: headKey(webhook.SubscriptionRef{Tenant: h.Tenant, ID: h.ID}), Fields: table.Fields{
		whole: text, headVersion: h.Version, headFilter: table.Text(h.Filter), headHeavy: int64(h.Heavy), headUpdated: table.Nanos(sub.UpdatedAt),
	}}, err
}

func readHead(tenant, id string, it table.Item) (webhook.Head, error) {
	var stored head
	if err := decode(it.Fields.Text(whole), &stored); err != nil {
		return webhook.Head{}, err
	}
	h := webhook.Head{
		Tenant: tenant, ID: id, Version: it.Fields.Int(headVersion), Filter: it.Fields.Text(headFilter), Heavy: int(it.Fields.Int(headHeavy)),
		Born: stored.Born, State: stored.State, Types: stored.Types, Epoch: stored.Epoch, Cancels: stored.Cancels,
	}
	return h, decode(it.Fields.Text(headHealth), &h.Health)
}

// Heads returns the current heads in the order asked for. Those that do not
// exist have Version 0.
func (s *Store) Heads(ctx context.Context, refs []webhook.SubscriptionRef) ([]webhook.Head, error) {
	heads, generation := s.recent.find(refs)
	if heads != nil {
		return heads, nil
	}
	keys := make([]table.Key, len(refs))
	for i, ref := range refs {
		keys[i] = headKey(ref)
	}
	found, err := s.table.Get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	heads = make([]webhook.Head, len(refs))
	kept := make(map[webhook.SubscriptionRef]webhook.Head, len(refs))
	for i, ref := range refs {
		if it, there := found[keys[i]]; there {
			if heads[i], err = readHead(ref.Tenant, ref.ID, it); err != nil {
				return nil, err
			}
		}
		kept[ref] = heads[i]
	}
	s.recent.put(generation, kept, nil)
	return heads, nil
}

// ListHeads returns up to limit heads with an id greater than after, by id.
// Only an empty list means the end.
func (s *Store) ListHeads(ctx context.Context, tenant, after string, limit int) (heads []webhook.Head, err error) {
	of := headsOf(tenant)
	if after != "" {
		of.low = after + "\x00"
	}
	err = s.each(ctx, of, false, limit, func(id string, it table.Item) error {
		if len(heads) == limit {
			return errPageEnds
		}
		h, err := readHead(tenant, id, it)
		heads = append(heads, h)
		return err
	})
	if err == errPageEnds {
		err = nil
	}
	return heads, err
}

// PageHeads returns one page of heads by id and the position of the next; ""
// means the end.
func (s *Store) PageHeads(ctx context.Context, tenant string, page webhook.Page) ([]webhook.Head, string, error) {
	l := newList[webhook.Head](page, anyText, "heads", tenant)
	return l.read(ctx, s, headsOf(tenant), func(id string, it table.Item) (webhook.Head, bool, error) {
		h, err := readHead(tenant, id, it)
		return h, true, err
	})
}

func headsOf(tenant string) span {
	return span{partition: headKind, prefix: table.Name(tenant) + separator, high: behindAll}
}

// SaveHealth stores h in the subscription's head if that is of the version and
// its health has h.Rev; otherwise [webhook.ErrConflict]. A new version replaces
// the head, so it has no health.
func (s *Store) SaveHealth(ctx context.Context, ref webhook.VersionRef, h webhook.Health) error {
	h.Rev++
	text, err := encode(h)
	if err != nil {
		return err
	}
	return s.recent.change(func() error {
		_, _, err := s.table.Update(ctx, headKey(webhook.SubscriptionRef{Tenant: ref.Tenant, ID: ref.ID}), table.Change{
			Set: table.Fields{headHealth: text, healthRevision: h.Rev},
		}, table.How{
			If:   table.Equal(headVersion, ref.Version).And(table.Revision(healthRevision, h.Rev)),
			Wait: table.ForOthers,
		})
		return conflict(err)
	})
}
