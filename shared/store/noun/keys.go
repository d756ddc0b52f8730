package noun

import (
	"context"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

const keyPartition = "k"

func keyKey(tenant, id string) table.Key {
	return table.Key{Partition: of(keyPartition, tenant), Sort: table.Name(id)}
}

// keptAfterExpiry is how long a key that has expired is still listed.
const keptAfterExpiry = 7 * 24 * time.Hour

// PutKey stores a key of the API under its id. An adapter may take days to remove
// one that has expired: who reads it compares.
func (n *Nouns) PutKey(ctx context.Context, k webhook.Key) error {
	defer n.recent.forget(k.Tenant, keyKey(k.Tenant, k.ID))
	it := table.Item{Key: keyKey(k.Tenant, k.ID), Fields: table.Fields{
		"b": k.Hash, "ro": string(k.Role), "nm": k.Name, "c": table.Nanos(k.CreatedAt), "un": table.Nanos(k.ExpiresAt),
	}}
	if !k.ExpiresAt.IsZero() {
		it.Expires = k.ExpiresAt.Add(keptAfterExpiry)
	}
	_, _, err := n.table.Put(ctx, it, table.How{})
	return err
}

// Key returns a tenant's key, or [webhook.ErrNotFound]. What another process
// changed it may miss for [KeyLag].
func (n *Nouns) Key(ctx context.Context, tenant, id string) (webhook.Key, error) {
	at, now := keyKey(tenant, id), time.Now()
	k, found, changes := n.recent.find(at, now)
	if found {
		return k, nil
	}
	it, err := n.one(ctx, at)
	if err != nil {
		return webhook.Key{}, err
	}
	k = readKey(tenant, it)
	k.Hash = it.Fields.Bytes("b")
	n.recent.put(at, k, now, changes)
	return k, nil
}

// PageKeys lists keys by id, without their hashes.
func (n *Nouns) PageKeys(ctx context.Context, tenant string, page webhook.Page) ([]webhook.Key, string, error) {
	return list[webhook.Key]{keyPartition, tenant, table.IsName, func(it table.Item) (webhook.Key, error) {
		return readKey(tenant, it), nil
	}}.page(ctx, n.table, page)
}

// DeleteKey removes a key, or returns [webhook.ErrNotFound].
func (n *Nouns) DeleteKey(ctx context.Context, tenant, id string) error {
	defer n.recent.forget(tenant, keyKey(tenant, id))
	return n.remove(ctx, keyKey(tenant, id))
}

// readKey leaves the hash out.
func readKey(tenant string, it table.Item) webhook.Key {
	return webhook.Key{
		Tenant: tenant, ID: it.Sort, Role: webhook.KeyRole(it.Fields.String("ro")), Name: it.Fields.String("nm"),
		CreatedAt: it.Fields.Time("c"), ExpiresAt: it.Fields.Time("un"),
	}
}
