package dynamostore

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/postino/postino/shared/webhook"
)

// Versions returns immutable versions in the order asked for, or
// [webhook.ErrNotFound] if one does not exist.
func (s *Store) Versions(ctx context.Context, refs []webhook.VersionRef) ([]webhook.Subscription, error) {
	keys := make([]key, len(refs))
	for i, ref := range refs {
		keys[i] = versionKey(ref.Tenant, ref.ID, ref.Version)
	}
	items, err := s.immutable(ctx, "versions", keys)
	if err != nil {
		return nil, err
	}
	subs := make([]webhook.Subscription, len(refs))
	for i, ref := range refs {
		it, err := found(items[keys[i]], nil)
		if err != nil {
			return nil, err
		}
		if subs[i], err = subscriptionOf(ref, it); err != nil {
			return nil, err
		}
	}
	return subs, nil
}

// immutable reads items that never change at half the price, and those that
// were not seen once more consistently: they may be milliseconds old.
func (s *Store) immutable(ctx context.Context, op string, keys []key) (map[key]item, error) {
	items, err := s.getAll(ctx, op, keys, false)
	if err != nil {
		return nil, err
	}
	var missing []key
	for _, k := range keys {
		if items[k] == nil {
			missing = append(missing, k)
		}
	}
	late, err := s.getAll(ctx, op, missing, true)
	for k, it := range late {
		items[k] = it
	}
	return items, err
}

// versionItem keeps what the owner wrote byte for byte, all else as JSON.
func versionItem(sub webhook.Subscription) (item, error) {
	it := at(versionKey(sub.Tenant, sub.ID, sub.Version))
	it.setInt("bo", sub.Born)
	it.setText("md", sub.Metadata)
	it.setText("fi", sub.Filter)
	it.setText("tr", sub.Trigger)
	if len(sub.Secrets) > 0 {
		secrets, err := json.Marshal(sub.Secrets)
		if err != nil {
			return nil, fmt.Errorf("dynamostore: encode secrets: %w", err)
		}
		it.setText("se", secrets)
	}
	sub.Metadata, sub.Filter, sub.Trigger = nil, nil, nil
	rest, err := json.Marshal(sub)
	if err != nil {
		return nil, fmt.Errorf("dynamostore: encode subscription: %w", err)
	}
	it.setText("j", rest)
	it.fit("j", "fi", "md", "tr")
	return it, nil
}

func subscriptionOf(ref webhook.VersionRef, it item) (webhook.Subscription, error) {
	var sub webhook.Subscription
	if err := it.json("j", &sub); err != nil {
		return sub, err
	}
	if err := it.json("se", &sub.Secrets); err != nil {
		return sub, err
	}
	var err error
	if sub.Metadata, err = it.text("md"); err != nil {
		return sub, err
	}
	if sub.Filter, err = it.text("fi"); err != nil {
		return sub, err
	}
	if sub.Trigger, err = it.text("tr"); err != nil {
		return sub, err
	}
	sub.Tenant, sub.ID, sub.Version, sub.Born = ref.Tenant, ref.ID, ref.Version, it.int("bo")
	return sub, nil
}
