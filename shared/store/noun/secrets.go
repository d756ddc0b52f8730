package noun

import (
	"context"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

const secretPartition = "n"

func secretKey(tenant, name string) table.Key {
	return table.Key{Partition: of(secretPartition, tenant), Sort: named(name)}
}

// PutSecret stores a secret under its name, and reports whether there was none.
func (n *Nouns) PutSecret(ctx context.Context, secret webhook.NamedSecret) (created bool, err error) {
	replaced, err := n.table.Put(ctx, table.Item{Key: secretKey(secret.Tenant, secret.Name), Fields: table.Fields{
		"b": secret.Sealed, "u": table.Nanos(secret.UpdatedAt),
	}}, table.How{})
	return err == nil && !replaced, err
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
	return list[webhook.NamedSecret]{secretPartition, tenant, isName, func(it table.Item) (webhook.NamedSecret, error) {
		return readSecret(tenant, it), nil
	}}.page(ctx, n.table, page)
}

// DeleteSecret removes a secret, or returns [webhook.ErrNotFound].
func (n *Nouns) DeleteSecret(ctx context.Context, tenant, name string) error {
	return n.remove(ctx, secretKey(tenant, name))
}

// readSecret leaves the value out.
func readSecret(tenant string, it table.Item) webhook.NamedSecret {
	return webhook.NamedSecret{Tenant: tenant, Name: it.Sort, UpdatedAt: it.Fields.Time("u")}
}
