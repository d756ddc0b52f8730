package noun

import (
	"context"
	"unicode/utf8"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

const (
	typePartition = "y"
	maxTypeKey    = 1000 // bytes; a type has at most 512, a sort key 1,024
)

// typeKey has the type as it is: a partition is of one tenant and one kind, so
// nothing in it can reach another's key.
func typeKey(tenant, typ string) table.Key {
	if !isTypeKey(typ) {
		typ = "!" + webhook.Hash(20, "type", typ)
	}
	return table.Key{Partition: of(typePartition, tenant), Sort: typ}
}

func isTypeKey(typ string) bool { return typ != "" && len(typ) <= maxTypeKey && utf8.ValidString(typ) }

// PutEventType registers a type, and reports whether it was not registered.
func (n *Nouns) PutEventType(ctx context.Context, typ webhook.EventType) (created bool, err error) {
	defer n.types.forget(typ.Tenant, typeKey(typ.Tenant, typ.Type))
	fields := table.Fields{
		"de": table.Text(typ.Description), "sc": table.Text(typ.Schema), "sm": table.Text(typ.Sample), "u": table.Nanos(typ.UpdatedAt),
	}
	if typ.Deprecated {
		fields["dp"] = int64(1)
	}
	_, replaced, err := n.table.Put(ctx, table.Item{Key: typeKey(typ.Tenant, typ.Type), Fields: fields}, table.How{})
	return err == nil && !replaced, err
}

// EventTypes returns the types that are registered, by name. What is in them is not
// to be changed.
func (n *Nouns) EventTypes(ctx context.Context, tenant string, names []string) (map[string]webhook.EventType, error) {
	keys := make([]table.Key, len(names))
	for i, typ := range names {
		keys[i] = typeKey(tenant, typ)
	}
	recent, all, changes := n.types.find(keys)
	if all {
		return recent, nil
	}
	items, err := n.table.Get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	found, byKey := map[string]webhook.EventType{}, map[table.Key]webhook.EventType{}
	for key, it := range items {
		typ := readType(tenant, it)
		typ.Schema, typ.Sample = it.Fields.Text("sc"), it.Fields.Text("sm")
		found[typ.Type], byKey[key] = typ, typ
	}
	n.types.put(tenant, keys, byKey, changes)
	return found, nil
}

// PageEventTypes lists types by name, without schema and sample.
func (n *Nouns) PageEventTypes(ctx context.Context, tenant string, page webhook.Page) ([]webhook.EventType, string, error) {
	return list[webhook.EventType]{typePartition, tenant, isTypeKey, func(it table.Item) (webhook.EventType, error) {
		return readType(tenant, it), nil
	}}.page(ctx, n.table, page)
}

// DeleteEventType removes a type, or returns [webhook.ErrNotFound].
func (n *Nouns) DeleteEventType(ctx context.Context, tenant, typ string) error {
	defer n.types.forget(tenant, typeKey(tenant, typ))
	return n.remove(ctx, typeKey(tenant, typ))
}

// readType leaves schema and sample out.
func readType(tenant string, it table.Item) webhook.EventType {
	return webhook.EventType{
		Tenant: tenant, Type: it.Sort, Description: string(it.Fields.Text("de")),
		Deprecated: it.Fields.Int("dp") != 0, UpdatedAt: it.Fields.Time("u"),
	}
}
