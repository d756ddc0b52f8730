package noun

import (
	"context"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

const segmentPartition = "g"

func segmentKey(tenant, id string) table.Key {
	return table.Key{Partition: of(segmentPartition, tenant), Sort: table.Name(id)}
}

// PutSegment stores a segment, and reports whether there was none of its id.
func (n *Nouns) PutSegment(ctx context.Context, s webhook.Segment) (created bool, err error) {
	fields := table.Fields{"nm": s.Name, "fi": table.Text(s.Filter), "u": table.Nanos(s.UpdatedAt)}
	_, replaced, err := n.table.Put(ctx, table.Item{Key: segmentKey(s.Tenant, s.ID), Fields: fields}, table.How{})
	return err == nil && !replaced, err
}

// Segments returns up to limit segments of a tenant, by id.
func (n *Nouns) Segments(ctx context.Context, tenant string, limit int) (segments []webhook.Segment, err error) {
	items, err := n.table.Page(ctx, table.Range{Partition: of(segmentPartition, tenant)}, limit)
	for _, it := range items {
		segments = append(segments, webhook.Segment{
			Tenant: tenant, ID: it.Sort, Name: it.Fields.String("nm"), Filter: it.Fields.Text("fi"), UpdatedAt: it.Fields.Time("u"),
		})
	}
	return segments, err
}

// DeleteSegment removes a segment, or returns [webhook.ErrNotFound].
func (n *Nouns) DeleteSegment(ctx context.Context, tenant, id string) error {
	return n.remove(ctx, segmentKey(tenant, id))
}
