package record

import (
	"context"
	"errors"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// States are what triggers have counted, claimed and set timers for, and what is
// remembered of requests to publish.
type States struct{ table table.Table }

// stateKey begins with the epoch, so that what an epoch left is a range.
func stateKey(ref webhook.StateRef) table.Key { return and(statesKey(ref), ref.Part) }

// statesKey is what the keys of all parts of one key of a trigger begin with.
func statesKey(ref webhook.StateRef) table.Key {
	sub := webhook.SubscriptionRef{Tenant: ref.Tenant, ID: ref.Subscription}
	return and(ofSubscription(stateKind, sub), table.Ordinal(ref.Epoch)+separator+table.Name(ref.Key))
}

// TriggerState returns the parts in the order asked for. Those that are not
// stored have Rev 0.
func (s *States) TriggerState(ctx context.Context, refs []webhook.StateRef) ([]webhook.StateItem, error) {
	keys := make([]table.Key, len(refs))
	for i, ref := range refs {
		keys[i] = stateKey(ref)
	}
	found, err := s.table.Get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	parts := make([]webhook.StateItem, len(refs))
	for i, ref := range refs {
		parts[i] = readState(ref, found[keys[i]])
	}
	return parts, nil
}

func readState(ref webhook.StateRef, it table.Item) webhook.StateItem {
	return webhook.StateItem{StateRef: ref, Rev: it.Fields.Int(revision), Data: it.Fields.Text("d"), Expires: it.Expires}
}

// SaveTriggerState stores all items, each with Rev+1, if every stored one
// still has its Rev (0: is not stored); otherwise [webhook.ErrConflict] and
// nothing is written.
func (s *States) SaveTriggerState(ctx context.Context, items []webhook.StateItem) error {
	if len(items) == 0 {
		return nil
	}
	writes := make([]table.Write, len(items))
	for i, it := range items {
		writes[i] = table.Write{Item: table.Item{
			Key: stateKey(it.StateRef), Fields: table.Fields{revision: it.Rev + 1, "d": table.Text(it.Data)}, Expires: it.Expires,
		}, If: table.Revision(revision, it.Rev+1)}
	}
	err := write(ctx, s.table, writes, table.ForCommit)
	if errors.Is(err, table.ErrMet) {
		return webhook.ErrConflict // who met another writer reads again, like everybody who lost a race
	}
	return conflict(err)
}

// ListTriggerState returns up to limit parts of ref's key whose names are
// greater than ref.Part, by name.
func (s *States) ListTriggerState(ctx context.Context, ref webhook.StateRef, limit int) (parts []webhook.StateItem, err error) {
	r := below(statesKey(ref))
	begin := len(r.From)
	if ref.Part != "" {
		r.From += ref.Part + "\x00"
	}
	items, err := s.table.Page(ctx, r, limit)
	for _, it := range items {
		ref.Part = it.Sort[begin:]
		parts = append(parts, readState(ref, it))
	}
	return parts, err
}

// DeleteTriggerState removes parts, whatever they hold; a repeat changes
// nothing.
func (s *States) DeleteTriggerState(ctx context.Context, refs []webhook.StateRef) error {
	keys := make([]table.Key, len(refs))
	for i, ref := range refs {
		keys[i] = stateKey(ref)
	}
	return s.table.DeleteAll(ctx, keys, table.ForDisk)
}
