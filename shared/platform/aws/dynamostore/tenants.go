package dynamostore

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/postino/postino/shared/webhook"
)

const tenantsPK = "TENANTS"

// EnsureTenant registers the tenant, and reports whether it was not known; a
// repeat changes nothing. While it is being deleted, [webhook.ErrDeleting].
func (s *Store) EnsureTenant(ctx context.Context, tenant string) (created bool, err error) {
	it, mark := at(tenantKey(tenant)), mark()
	it["k"] = mark
	_, err = s.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.table, Item: it, ConditionExpression: absent, ReturnValuesOnConditionCheckFailure: allOld,
	})
	if err == nil {
		return true, nil
	}
	switch stored, known := unmet(err); {
	case !known:
		return false, fault("ensure tenant", err)
	case stored.int("dl") != 0:
		return false, webhook.ErrDeleting
	default:
		return stored.marked(mark), nil
	}
}

// FindTenant returns nil if the tenant is known, [webhook.ErrNotFound] if it is
// not, and [webhook.ErrDeleting] while it is being deleted, consistently.
func (s *Store) FindTenant(ctx context.Context, tenant string) error {
	stored, err := s.get(ctx, "find tenant", tenantKey(tenant))
	switch {
	case err != nil:
		return err
	case len(stored) == 0:
		return webhook.ErrNotFound
	case stored.int("dl") != 0:
		return webhook.ErrDeleting
	}
	return nil
}

// PageTenants lists tenants by name.
func (s *Store) PageTenants(ctx context.Context, page webhook.Page) (tenants []string, next string, err error) {
	list := listNamed("tenants", "")
	after, err := list.end(page.Position, isName)
	if err != nil {
		return nil, "", err
	}
	in := s.rangeQuery(tenantsPK, "0", "~")
	in.ScanIndexForward = aws.Bool(!page.Desc)
	if after != "" {
		in.ExclusiveStartKey = at(key{tenantsPK, after})
	}
	items, err := s.query(ctx, "list tenants", in, page.Limit+1) // one more to see whether there is one
	if err != nil {
		return nil, "", err
	}
	for _, it := range items {
		if len(tenants) == page.Limit {
			return tenants, list.position(tenants[page.Limit-1]), nil
		}
		tenants = append(tenants, it.str("sk"))
	}
	return tenants, "", nil
}

// TenantVersion returns the tenant's change counter, 0 before the first
// change, consistently.
func (s *Store) TenantVersion(ctx context.Context, tenant string) (int64, error) {
	state, err := s.TenantState(ctx, tenant)
	return state.Version, err
}

// TenantState returns the same counter, and the tenant's last deletion, by one
// consistent read.
func (s *Store) TenantState(ctx context.Context, tenant string) (webhook.TenantState, error) {
	it, err := s.get(ctx, "tenant version", counterKey(tenant))
	return webhook.TenantState{Version: it.int("n"), People: it.int("pv"), Deletion: webhook.Deletion{Began: it.time("gb"), Ended: it.time("ge")}}, err
}

// PeopleChanged counts a change of a tenant's computed attributes or segments.
func (s *Store) PeopleChanged(ctx context.Context, tenant string) error {
	return s.setCounter(ctx, "people changed", tenant, "ADD pv :one", nil, item{":one": number(1)})
}

// setCounter changes the item of the tenant's counter.
func (s *Store) setCounter(ctx context.Context, op, tenant, update string, condition *string, values item) error {
	_, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: at(counterKey(tenant)), UpdateExpression: &update,
		ConditionExpression: condition, ExpressionAttributeValues: values,
	})
	if _, other := unmet(err); err == nil || other {
		return nil
	}
	return fault(op, err)
}

// mark of a tenant that is being deleted: nobody makes it known meanwhile.
func (s *Store) markDeleted(ctx context.Context, tenant string) error {
	_, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: at(tenantKey(tenant)), UpdateExpression: aws.String("SET dl = :d"),
		ConditionExpression:       aws.String("attribute_exists(pk)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":d": number(1)},
	})
	if _, absent := unmet(err); absent {
		return webhook.ErrNotFound
	}
	if err != nil {
		return fault("begin deletion", err)
	}
	return nil
}
