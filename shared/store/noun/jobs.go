package noun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

const jobPartition = "j"

func jobKey(tenant, id string) table.Key {
	return table.Key{Partition: of(jobPartition, tenant), Sort: table.Name(id)}
}

// SaveJob stores j if the stored one still has j.Rev (0: if none is stored),
// with j.Rev+1; otherwise [webhook.ErrConflict]. A job that has ended expires.
// Only its first write is told to a caller: the later ones may be made again.
func (n *Nouns) SaveJob(ctx context.Context, j webhook.Job) error {
	body, err := json.Marshal(j)
	if err != nil {
		return fmt.Errorf("encode job: %w", err)
	}
	it := table.Item{Key: jobKey(j.Tenant, j.ID), Fields: table.Fields{"j": table.Text(body), "rv": j.Rev + 1}}
	if !j.EndedAt.IsZero() {
		it.Expires = j.EndedAt.Add(n.Retention)
	}
	how := table.How{If: table.Revision("rv", j.Rev+1)}
	if j.Rev > 0 {
		how.Wait = table.ForCommit
	}
	_, _, err = n.table.Put(ctx, it, how)
	if errors.Is(err, table.ErrRefused) {
		return webhook.ErrConflict
	}
	return err
}

// Job returns a stored job, or [webhook.ErrNotFound].
func (n *Nouns) Job(ctx context.Context, tenant, id string) (webhook.Job, error) {
	it, err := n.one(ctx, jobKey(tenant, id))
	if err != nil {
		return webhook.Job{}, err
	}
	return readJob(tenant, it)
}

// PageJobs lists jobs by id, which is in order of creation.
func (n *Nouns) PageJobs(ctx context.Context, tenant string, page webhook.Page) ([]webhook.Job, string, error) {
	return list[webhook.Job]{jobPartition, tenant, table.IsName, func(it table.Item) (webhook.Job, error) {
		return readJob(tenant, it)
	}}.page(ctx, n.table, page)
}

func readJob(tenant string, it table.Item) (j webhook.Job, err error) {
	if json.Unmarshal(it.Fields.Text("j"), &j) != nil { // whose error may quote what is stored
		return j, errors.New("stored job is not what we wrote")
	}
	j.Tenant, j.ID, j.Rev = tenant, it.Sort, it.Fields.Int("rv")
	return j, nil
}
