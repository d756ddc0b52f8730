package dynamostore

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/postino/postino/shared/webhook"
)

const keyPrefix = "K#"

func keyKey(tenant, id string) key {
	return key{"t#" + name(tenant), keyPrefix + name(id)}
}

// PutKey stores a key under its id. It does not expire by TTL, which DynamoDB
// may take days over: who reads it compares.
func (s *Store) PutKey(ctx context.Context, k webhook.Key) error {
	it := at(keyKey(k.Tenant, k.ID))
	it["b"] = &types.AttributeValueMemberB{Value: k.Hash}
	it.setStr("ro", string(k.Role))
	it.setStr("nm", k.Name)
	it.setTime("c", k.CreatedAt)
	it.setTime("un", k.ExpiresAt)
	return s.put(ctx, "put key", it)
}

// Key returns a tenant's key, consistently, or [webhook.ErrNotFound].
func (s *Store) Key(ctx context.Context, tenant, id string) (webhook.Key, error) {
	it, err := found(s.get(ctx, "key", keyKey(tenant, id)))
	if err != nil {
		return webhook.Key{}, err
	}
	k := keyOf(tenant, it)
	if b, ok := it["b"].(*types.AttributeValueMemberB); ok {
		k.Hash = b.Value
	}
	return k, nil
}

// keyOf leaves the hash out.
func keyOf(tenant string, it item) webhook.Key {
	return webhook.Key{
		Tenant: tenant, ID: strings.TrimPrefix(it.str("sk"), keyPrefix), Role: webhook.KeyRole(it.str("ro")), Name: it.str("nm"),
		CreatedAt: it.time("c"), ExpiresAt: it.time("un"),
	}
}

// PageKeys lists keys by id, without their hashes.
func (s *Store) PageKeys(ctx context.Context, tenant string, page webhook.Page) (keys []webhook.Key, next string, err error) {
	items, next, err := s.pageNamed(ctx, "keys", tenant, keyPrefix, page, isName)
	for _, it := range items {
		keys = append(keys, keyOf(tenant, it))
	}
	return keys, next, err
}

// pageNamed reads one page of a tenant's items whose sort keys begin with a
// prefix, in order of what follows it, and the position of the next.
func (s *Store) pageNamed(ctx context.Context, route, tenant, prefix string, page webhook.Page, valid func(string) bool) (items []item, next string, err error) {
	list := listNamed(route, tenant)
	after, err := list.end(page.Position, valid)
	if err != nil {
		return nil, "", err
	}
	in := s.prefixQuery("t#"+name(tenant), prefix)
	in.ScanIndexForward = aws.Bool(!page.Desc)
	if after != "" {
		in.ExclusiveStartKey = at(key{"t#" + name(tenant), prefix + after})
	}
	items, err = s.query(ctx, "list "+route, in, page.Limit+1) // one more to see whether there is one
	if err != nil || len(items) <= page.Limit {
		return items, "", err
	}
	items = items[:page.Limit]
	return items, list.position(strings.TrimPrefix(items[page.Limit-1].str("sk"), prefix)), nil
}

// DeleteKey removes a key, or returns [webhook.ErrNotFound].
func (s *Store) DeleteKey(ctx context.Context, tenant, id string) error {
	return s.deleteNamed(ctx, "delete key", keyKey(tenant, id))
}

// deleteNamed removes an item, or returns [webhook.ErrNotFound].
func (s *Store) deleteNamed(ctx context.Context, op string, k key) error {
	_, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &s.table, Key: at(k), ConditionExpression: aws.String("attribute_exists(pk)"),
	})
	if _, gone := unmet(err); gone {
		return webhook.ErrNotFound
	}
	if err != nil {
		return fault(op, err)
	}
	return nil
}
