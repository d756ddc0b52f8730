package dynamostore

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/postino/postino/shared/webhook"
)

const (
	typePrefix = "Y#"
	maxTypeKey = 1000 // bytes; a type has at most 512, a sort key 1024
)

// typeKey ends with the type as it is: it stands last, so nothing in it can
// reach another's key.
func typeKey(tenant, typ string) key {
	if !isTypeKey(typ) {
		typ = "!" + webhook.Hash(20, "type", typ)
	}
	return key{"t#" + name(tenant), typePrefix + typ}
}

func isTypeKey(typ string) bool { return typ != "" && len(typ) <= maxTypeKey && utf8.ValidString(typ) }

// PutEventType registers a type, and reports whether it was not.
func (s *Store) PutEventType(ctx context.Context, typ webhook.EventType) (created bool, err error) {
	it := at(typeKey(typ.Tenant, typ.Type))
	it.setText("de", []byte(typ.Description))
	it.setText("sc", typ.Schema)
	it.setText("sm", typ.Sample)
	it.setTime("u", typ.UpdatedAt)
	if typ.Deprecated {
		it.setInt("dp", 1)
	}
	it.fit("sc", "sm", "de")
	out, err := s.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.table, Item: it, ReturnValues: types.ReturnValueAllOld})
	if err != nil {
		return false, fault("put event type", err)
	}
	return out.Attributes == nil, nil
}

// EventTypes returns the types that are registered, by name, consistently.
func (s *Store) EventTypes(ctx context.Context, tenant string, names []string) (map[string]webhook.EventType, error) {
	keys := make([]key, len(names))
	for i, typ := range names {
		keys[i] = typeKey(tenant, typ)
	}
	items, err := s.getAll(ctx, "event types", keys, true)
	if err != nil {
		return nil, err
	}
	found := map[string]webhook.EventType{}
	for _, it := range items {
		typ, err := typeOf(tenant, it)
		if err != nil {
			return nil, err
		}
		if typ.Schema, err = it.text("sc"); err != nil {
			return nil, err
		}
		if typ.Sample, err = it.text("sm"); err != nil {
			return nil, err
		}
		found[typ.Type] = typ
	}
	return found, nil
}

// typeOf leaves schema and sample out.
func typeOf(tenant string, it item) (webhook.EventType, error) {
	description, err := it.text("de")
	return webhook.EventType{
		Tenant: tenant, Type: strings.TrimPrefix(it.str("sk"), typePrefix), Description: string(description),
		Deprecated: it.int("dp") != 0, UpdatedAt: it.time("u"),
	}, err
}

// PageEventTypes lists types by name, without schema and sample.
func (s *Store) PageEventTypes(ctx context.Context, tenant string, page webhook.Page) (types []webhook.EventType, next string, err error) {
	items, next, err := s.pageNamed(ctx, "event types", tenant, typePrefix, page, isTypeKey)
	for _, it := range items {
		typ, err := typeOf(tenant, it)
		if err != nil {
			return nil, "", err
		}
		types = append(types, typ)
	}
	return types, next, err
}

// DeleteEventType removes a type, or returns [webhook.ErrNotFound].
func (s *Store) DeleteEventType(ctx context.Context, tenant, typ string) error {
	return s.deleteNamed(ctx, "delete event type", typeKey(tenant, typ))
}
