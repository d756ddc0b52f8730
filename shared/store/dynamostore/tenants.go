package dynamostore

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// EnsureTenant registers the tenant; a repeat changes nothing.
func (s *Store) EnsureTenant(ctx context.Context, tenant string) error {
	_, err := s.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.table, Item: at(tenantKey(tenant)), ConditionExpression: absent,
	})
	if _, known := unmet(err); err == nil || known {
		return nil
	}
	return fault("ensure tenant", err)
}

// TenantVersion returns the tenant's change counter, 0 before the first
// change, consistently.
func (s *Store) TenantVersion(ctx context.Context, tenant string) (int64, error) {
	it, err := s.get(ctx, "tenant version", counterKey(tenant))
	return it.int("n"), err
}
