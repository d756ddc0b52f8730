package noun

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// campaignPartition holds the campaigns of a tenant and its caps: who needs them
// needs both, by one read.
const (
	campaignPartition = "m"
	campaignSort      = "C#"
	capSort           = "L#"
)

func campaignKey(tenant, id string) table.Key {
	return table.Key{Partition: of(campaignPartition, tenant), Sort: campaignSort + table.Name(id)}
}

func capKey(tenant, name string) table.Key {
	return table.Key{Partition: of(campaignPartition, tenant), Sort: capSort + table.Name(name)}
}

// SaveCampaign stores a campaign in place of the revision before. It is
// [webhook.ErrConflict] if another revision is stored.
func (n *Nouns) SaveCampaign(ctx context.Context, c webhook.Campaign) error {
	return n.saveRules(ctx, campaignKey(c.Tenant, c.ID), c)
}

// SaveCap stores a cap in place of the revision before. It is [webhook.ErrConflict]
// if another revision is stored.
func (n *Nouns) SaveCap(ctx context.Context, c webhook.Cap) error {
	return n.saveRules(ctx, capKey(c.Tenant, c.Name), webhook.Campaign{Life: c.Life, Spec: c.Spec, Revision: c.Revision, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt})
}

func (n *Nouns) saveRules(ctx context.Context, key table.Key, c webhook.Campaign) error {
	fields := table.Fields{
		"li": c.Life, "sp": table.Text(c.Spec), "rv": c.Revision, "cr": table.Nanos(c.CreatedAt), "u": table.Nanos(c.UpdatedAt),
	}
	_, _, err := n.table.Put(ctx, table.Item{Key: key, Fields: fields}, table.How{If: table.Revision("rv", c.Revision)})
	if errors.Is(err, table.ErrRefused) {
		return webhook.ErrConflict
	}
	return err
}

// Campaigns returns up to limit campaigns and caps of a tenant in all, campaigns by
// id and caps by name.
func (n *Nouns) Campaigns(ctx context.Context, tenant string, limit int) (campaigns []webhook.Campaign, caps []webhook.Cap, err error) {
	items, err := n.table.Page(ctx, table.Range{Partition: of(campaignPartition, tenant)}, limit)
	for _, it := range items {
		name, f := it.Sort[len(campaignSort):], it.Fields
		c := webhook.Campaign{
			Tenant: tenant, ID: name, Life: f.String("li"), Spec: json.RawMessage(f.Text("sp")), Revision: f.Int("rv"),
			CreatedAt: f.Time("cr"), UpdatedAt: f.Time("u"),
		}
		if it.Sort[:len(capSort)] == capSort {
			caps = append(caps, webhook.Cap{Tenant: tenant, Name: name, Life: c.Life, Spec: c.Spec, Revision: c.Revision, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt})
		} else {
			campaigns = append(campaigns, c)
		}
	}
	return campaigns, caps, err
}

// DeleteCampaign removes a campaign, or returns [webhook.ErrNotFound].
func (n *Nouns) DeleteCampaign(ctx context.Context, tenant, id string) error {
	return n.remove(ctx, campaignKey(tenant, id))
}

// DeleteCap removes a cap, or returns [webhook.ErrNotFound].
func (n *Nouns) DeleteCap(ctx context.Context, tenant, name string) error {
	return n.remove(ctx, capKey(tenant, name))
}
