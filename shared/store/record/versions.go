package record

import (
	"context"
	"fmt"
	"time"

	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// versionGrace is how much longer than an event a superseded version is kept: a
// delivery may wait as long, and a trigger's delay for a year.
const versionGrace = 45*24*time.Hour + trigger.MaxDuration

func versionKey(ref webhook.VersionRef) table.Key {
	return and(ofSubscription(versionKind, webhook.SubscriptionRef{Tenant: ref.Tenant, ID: ref.ID}), table.Ordinal(ref.Version))
}

// Versions returns immutable versions in the order asked for, or
// [webhook.ErrNotFound] if one does not exist.
func (s *Store) Versions(ctx context.Context, refs []webhook.VersionRef) ([]webhook.Subscription, error) {
	keys := make([]table.Key, len(refs))
	for i, ref := range refs {
		keys[i] = versionKey(ref)
	}
	found, err := s.table.Get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	versions := make([]webhook.Subscription, len(refs))
	for i, ref := range refs {
		it, there := found[keys[i]]
		if !there {
			return nil, fmt.Errorf("version %d of subscription %s: %w", ref.Version, ref.ID, webhook.ErrNotFound)
		}
		if versions[i], err = readVersion(ref.Tenant, it); err != nil {
			return nil, err
		}
	}
	return versions, nil
}

func versionItem(sub webhook.Subscription) (table.Item, error) {
	fields := table.Fields{"bo": sub.Born}
	var err error
	if fields["j"], err = encode(sub); err == nil {
		fields["se"], err = encode(sub.Secrets)
	}
	return table.Item{Key: versionKey(webhook.VersionRef{Tenant: sub.Tenant, ID: sub.ID, Version: sub.Version}), Fields: fields}, err
}

func readVersion(tenant string, it table.Item) (sub webhook.Subscription, err error) {
	if err = decode(it.Fields.Text("j"), &sub); err == nil {
		err = decode(it.Fields.Text("se"), &sub.Secrets)
	}
	sub.Tenant, sub.Born = tenant, it.Fields.Int("bo")
	if string(sub.Metadata) == "null" {
		sub.Metadata = nil
	}
	return sub, err
}

// superseded lets a version expire, long after another one came, or none.
func (s *Store) superseded(ref webhook.SubscriptionRef, version int64, since time.Time) table.Write {
	return table.Write{
		Verb: table.Updates, Item: table.Item{Key: versionKey(webhook.VersionRef{Tenant: ref.Tenant, ID: ref.ID, Version: version})},
		Change: table.Change{Expires: since.Add(s.Retention + versionGrace)},
		If:     table.Exists(),
	}
}
