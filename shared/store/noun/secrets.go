package noun

import (
	"context"
	"maps"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

const secretPartition = "n"

func secretKey(tenant, name string) table.Key {
	return table.Key{Partition: of(secretPartition, tenant), Sort: table.Name(name)}
}

// What stands in the field p of a secret: it is never absent, so that it can be
// kept.
const (
	notForPortal = 1
	forPortal    = 2
)

// PutSecret stores a secret under its name, and returns it with whether there
// was none. If keep, one that was there keeps its Portal.
func (n *Nouns) PutSecret(ctx context.Context, secret webhook.NamedSecret, keep bool) (stored webhook.NamedSecret, created bool, err error) {
	portal := table.Fields{"p": int64(notForPortal)}
	if secret.Portal {
		portal["p"] = int64(forPortal)
	}
	change := table.Change{Set: table.Fields{"b": secret.Sealed, "u": table.Nanos(secret.UpdatedAt)}}
	if keep {
		change.Default = portal
	} else {
		maps.Copy(change.Set, portal)
	}
	old, replaced, err := n.table.Update(ctx, secretKey(secret.Tenant, secret.Name), change, table.How{})
	if err != nil {
		return stored, false, err
	}
	if stored = secret; keep && replaced {
		stored.Portal = old.Fields.Int("p") == forPortal
	}
	return stored, !replaced, nil
}

// Secrets returns the named secrets that exist, sealed, by name.
func (n *Nouns) Secrets(ctx context.Context, tenant string, names []string) (map[string]webhook.NamedSecret, error) {
	keys := make([]table.Key, len(names))
	for i, name := range names {
		keys[i] = secretKey(tenant, name)
	}
	found, err := n.table.Get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	secrets := map[string]webhook.NamedSecret{}
	for _, it := range found {
		secret := readSecret(tenant, it)
		secret.Sealed = it.Fields.Bytes("b")
		secrets[secret.Name] = secret
	}
	return secrets, nil
}

// PageSecrets lists secrets by name, without their values.
func (n *Nouns) PageSecrets(ctx context.Context, tenant string, page webhook.Page) ([]webhook.NamedSecret, string, error) {
	return list[webhook.NamedSecret]{secretPartition, tenant, table.IsName, func(it table.Item) (webhook.NamedSecret, error) {
		return readSecret(tenant, it), nil
	}}.page(ctx, n.table, page)
}

// DeleteSecret removes a secret, or returns [webhook.ErrNotFound].
func (n *Nouns) DeleteSecret(ctx context.Context, tenant, name string) error {
	return n.remove(ctx, secretKey(tenant, name))
}

// readSecret leaves the value out.
func readSecret(tenant string, it table.Item) webhook.NamedSecret {
	return webhook.NamedSecret{Tenant: tenant, Name: it.Sort, Portal: it.Fields.Int("p") == forPortal, UpdatedAt: it.Fields.Time("u")}
}
