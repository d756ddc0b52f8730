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
	found, err := table.GetImmutable(ctx, s.table, keys...)
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

// version is a subscription with all that is kept of it.
type version struct {
	webhook.Subscription
	Born    int64                   `json:"born"`
	Secrets []webhook.SigningSecret `json:"secrets,omitempty"` // sealed
}

func versionItem(sub webhook.Subscription) (table.Item, error) {
	text, err := encode(version{sub, sub.Born, sub.Secrets})
	ref := webhook.VersionRef{Tenant: sub.Tenant, ID: sub.ID, Version: sub.Version}
	return table.Item{Key: versionKey(ref), Fields: table.Fields{"j": text}}, err
}

func readVersion(tenant string, it table.Item) (webhook.Subscription, error) {
	var stored version
	err := decode(it.Fields.Text("j"), &stored)
	sub := stored.Subscription
	sub.Tenant, sub.Born, sub.Secrets = tenant, stored.Born, stored.Secrets
	if string(sub.Metadata) == "null" {
		sub.Metadata = nil
	}
	return sub, err
}

// superseded lets a version expire, long after another one came, or none.
func (s *Store) superseded(ref webhook.SubscriptionRef, version int64) table.Write {
	return table.Write{
		Verb: table.Updates, Item: table.Item{Key: versionKey(webhook.VersionRef{Tenant: ref.Tenant, ID: ref.ID, Version: version})},
		Change: table.Change{Expires: s.Now().Add(s.Retention + versionGrace)},
		If:     table.Exists(),
	}
}
