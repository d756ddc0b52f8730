package noun

import (
	"context"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

const rulePartition = "a"

func ruleKey(tenant, name string) table.Key {
	key := typeKey(tenant, name)
	key.Partition = of(rulePartition, tenant)
	return key
}

// PutAttributeRule stores the rule of a computed attribute, or what is left of one
// that was deleted.
func (n *Nouns) PutAttributeRule(ctx context.Context, r webhook.AttributeRule) error {
	fields := table.Fields{"sp": table.Text(r.Spec), "ge": r.Generation, "u": table.Nanos(r.UpdatedAt)}
	if r.Kept {
		fields["kp"] = int64(1)
	}
	_, _, err := n.table.Put(ctx, table.Item{Key: ruleKey(r.Tenant, r.Name), Fields: fields}, table.How{})
	return err
}

// AttributeRules returns up to limit rules of a tenant, deleted ones too, by name.
func (n *Nouns) AttributeRules(ctx context.Context, tenant string, limit int) (rules []webhook.AttributeRule, err error) {
	items, err := n.table.Page(ctx, table.Range{Partition: of(rulePartition, tenant)}, limit)
	for _, it := range items {
		rules = append(rules, webhook.AttributeRule{
			Tenant: tenant, Name: it.Sort, Spec: it.Fields.Text("sp"), Generation: it.Fields.String("ge"),
			Kept: it.Fields.Int("kp") != 0, UpdatedAt: it.Fields.Time("u"),
		})
	}
	return rules, err
}

// DeleteAttributeRule removes a rule, and so hides what it computed; or it returns
// [webhook.ErrNotFound].
func (n *Nouns) DeleteAttributeRule(ctx context.Context, tenant, name string) error {
	return n.remove(ctx, ruleKey(tenant, name))
}
