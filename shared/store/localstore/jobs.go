package localstore

import (
	"context"

	"github.com/postino/postino/shared/localdb"
	"github.com/postino/postino/shared/webhook"
)

// SaveJob stores j if the stored one still has j.Rev (0: if none is stored),
// with j.Rev+1; otherwise [webhook.ErrConflict].
func (s *Store) SaveJob(ctx context.Context, j webhook.Job) error {
	body, err := encode(j)
	if err != nil {
		return err
	}
	sql, args := "INSERT INTO jobs (tenant, id, body, rev) VALUES (?, ?, ?, 1) ON CONFLICT DO NOTHING", []any{j.Tenant, j.ID, body}
	durability := localdb.Durable // somebody is told so
	if j.Rev > 0 {
		sql, args = "UPDATE jobs SET body = ?3, rev = rev + 1 WHERE tenant = ?1 AND id = ?2 AND rev = ?4", append(args, j.Rev)
		durability = localdb.Ordered
	}
	return s.db.Write(ctx, durability, func(tx *localdb.Tx) error {
		n, err := tx.Exec(sql, args...)
		if err == nil && n == 0 {
			return webhook.ErrConflict
		}
		return err
	})
}

const selectJobs = "SELECT id, rev, body FROM jobs WHERE tenant = ?"

// Job returns a stored job, or [webhook.ErrNotFound].
func (s *Store) Job(ctx context.Context, tenant, id string) (j webhook.Job, err error) {
	err = s.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query(selectJobs+" AND id = ?", []any{tenant, id}, func(row *localdb.Row) (err error) {
			j, err = readJob(row, tenant)
			return err
		})
	})
	if err == nil && j.ID == "" {
		err = webhook.ErrNotFound
	}
	return j, err
}

// PageJobs lists jobs by id, which is in order of creation.
func (s *Store) PageJobs(ctx context.Context, tenant string, page webhook.Page) (jobs []webhook.Job, next string, err error) {
	l := newList[webhook.Job](page, "jobs", tenant)
	low, high, err := l.bounds("", "\x7f")
	if err != nil {
		return nil, "", err
	}
	err = s.db.Read(ctx, func(tx *localdb.Tx) error {
		return tx.Query(selectJobs+" AND id >= ? AND id < ? ORDER BY id "+l.order(), []any{tenant, low, high}, func(row *localdb.Row) error {
			return l.row(true, func() string { return row.Text(0) }, func() (webhook.Job, error) { return readJob(row, tenant) })
		})
	})
	return l.page(err)
}

func readJob(row *localdb.Row, tenant string) (j webhook.Job, err error) {
	err = decode(row.Text(2), &j)
	j.Tenant, j.ID, j.Rev = tenant, row.Text(0), row.Int64(1)
	return j, err
}
