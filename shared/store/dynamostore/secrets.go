package dynamostore

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/postino/postino/shared/webhook"
)

const secretPrefix = "X#"

func secretKey(tenant, secret string) key {
	return key{"t#" + name(tenant), secretPrefix + name(secret)}
}

// PutSecret stores a secret under its name, and returns it with whether there
// was none. If keep, one that was there keeps its Portal.
func (s *Store) PutSecret(ctx context.Context, secret webhook.NamedSecret, keep bool) (stored webhook.NamedSecret, created bool, err error) {
	values := item{":b": &types.AttributeValueMemberB{Value: secret.Sealed}, ":p": &types.AttributeValueMemberBOOL{Value: secret.Portal}}
	values.setTime(":u", secret.UpdatedAt)
	portal := ":p"
	if keep {
		portal = "if_not_exists(p, :p)"
	}
	out, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: at(secretKey(secret.Tenant, secret.Name)), UpdateExpression: aws.String("SET b = :b, u = :u, p = " + portal),
		ExpressionAttributeValues: values, ReturnValues: types.ReturnValueAllOld,
	})
	if err != nil {
		return stored, false, fault("put secret", err)
	}
	if stored = secret; keep && out.Attributes != nil {
		stored.Portal = isPortal(out.Attributes)
	}
	return stored, out.Attributes == nil, nil
}

// isPortal reads what stands in the item of a secret that was made for portal
// keys.
func isPortal(it item) bool {
	b, _ := it["p"].(*types.AttributeValueMemberBOOL)
	return b != nil && b.Value
}

// Secrets returns the named secrets that exist, sealed, by name, consistently.
func (s *Store) Secrets(ctx context.Context, tenant string, names []string) (map[string]webhook.NamedSecret, error) {
	keys := make([]key, len(names))
	for i, secret := range names {
		keys[i] = secretKey(tenant, secret)
	}
	found, err := s.getAll(ctx, "secrets", keys, true)
	if err != nil {
		return nil, err
	}
	secrets := map[string]webhook.NamedSecret{}
	for k, it := range found {
		secret := webhook.NamedSecret{Tenant: tenant, Name: strings.TrimPrefix(k.sk, secretPrefix), Portal: isPortal(it), UpdatedAt: it.time("u")}
		if b, ok := it["b"].(*types.AttributeValueMemberB); ok {
			secret.Sealed = b.Value
		}
		secrets[secret.Name] = secret
	}
	return secrets, nil
}

// PageSecrets lists secrets by name, without their values.
func (s *Store) PageSecrets(ctx context.Context, tenant string, page webhook.Page) (secrets []webhook.NamedSecret, next string, err error) {
	list := listNamed("secrets", tenant)
	after, err := list.end(page.Position, isName)
	if err != nil {
		return nil, "", err
	}
	lo, hi := secretPrefix, secretPrefix+"~"
	if after != "" && page.Desc {
		hi = secretPrefix + after
	} else if after != "" {
		lo = secretPrefix + after
	}
	in := s.rangeQuery("t#"+name(tenant), lo, hi)
	in.ScanIndexForward = aws.Bool(!page.Desc)
	items, err := s.query(ctx, "list secrets", in, page.Limit+2) // the one before, and one to see whether there is more
	if err != nil {
		return nil, "", err
	}
	for _, it := range items {
		secret := strings.TrimPrefix(it.str("sk"), secretPrefix)
		if secret == after {
			continue
		}
		if len(secrets) == page.Limit {
			return secrets, list.position(secrets[page.Limit-1].Name), nil
		}
		secrets = append(secrets, webhook.NamedSecret{Tenant: tenant, Name: secret, Portal: isPortal(it), UpdatedAt: it.time("u")})
	}
	return secrets, "", nil
}

// DeleteSecret removes a secret, or returns [webhook.ErrNotFound].
func (s *Store) DeleteSecret(ctx context.Context, tenant, secret string) error {
	_, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &s.table, Key: at(secretKey(tenant, secret)), ConditionExpression: aws.String("attribute_exists(pk)"),
	})
	if _, gone := unmet(err); gone {
		return webhook.ErrNotFound
	}
	if err != nil {
		return fault("delete secret", err)
	}
	return nil
}
