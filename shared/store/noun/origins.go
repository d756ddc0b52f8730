package noun

import (
	"context"
	"strings"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

const originsPartition = "o"

func originsKey(tenant string) table.Key {
	return table.Key{Partition: of(originsPartition, tenant), Sort: "o"}
}

// PutOrigins stores the web pages that may show a tenant's portal, in place of
// those before.
func (n *Nouns) PutOrigins(ctx context.Context, o webhook.Origins) error {
	_, _, err := n.table.Put(ctx, table.Item{Key: originsKey(o.Tenant), Fields: table.Fields{
		"l": table.Text(strings.Join(o.List, " ")), "u": table.Nanos(o.UpdatedAt),
	}}, table.How{})
	return err
}

// Origins returns the web pages that may show a tenant's portal, or
// [webhook.ErrNotFound] if nobody has said.
func (n *Nouns) Origins(ctx context.Context, tenant string) (webhook.Origins, error) {
	it, err := n.one(ctx, originsKey(tenant))
	if err != nil {
		return webhook.Origins{}, err
	}
	return webhook.Origins{Tenant: tenant, List: strings.Fields(string(it.Fields.Text("l"))), UpdatedAt: it.Fields.Time("u")}, nil
}
