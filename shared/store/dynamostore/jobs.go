package dynamostore

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/postino/postino/shared/webhook"
)

const jobPrefix = "J#"

func jobKey(tenant, id string) key { return key{"t#" + name(tenant), jobPrefix + name(id)} }

// SaveJob stores j if the stored one still has j.Rev (0: if none is stored),
// with j.Rev+1; otherwise [webhook.ErrConflict]. A job that has ended expires.
func (s *Store) SaveJob(ctx context.Context, j webhook.Job) error {
	body, err := json.Marshal(j)
	if err != nil {
		return fmt.Errorf("dynamostore: encode job: %w", err)
	}
	it := at(jobKey(j.Tenant, j.ID))
	it.setText("j", body)
	it.setInt("rv", j.Rev+1)
	if j.Status != webhook.JobRunning {
		it.setInt("expires", s.now().Add(s.Retention).Unix())
	}
	it.fit("j")
	return s.putRevision(ctx, "save job", it, j.Rev)
}

// Job returns a stored job, consistently, or [webhook.ErrNotFound].
func (s *Store) Job(ctx context.Context, tenant, id string) (webhook.Job, error) {
	it, err := found(s.get(ctx, "job", jobKey(tenant, id)))
	if err != nil {
		return webhook.Job{}, err
	}
	return jobOf(tenant, it)
}

// PageJobs lists jobs by id, which is in order of creation.
func (s *Store) PageJobs(ctx context.Context, tenant string, page webhook.Page) (jobs []webhook.Job, next string, err error) {
	items, next, err := s.pageNamed(ctx, "jobs", tenant, jobPrefix, page, isName)
	for _, it := range items {
		j, err := jobOf(tenant, it)
		if err != nil {
			return nil, "", err
		}
		jobs = append(jobs, j)
	}
	return jobs, next, err
}

func jobOf(tenant string, it item) (j webhook.Job, err error) {
	err = it.json("j", &j)
	j.Tenant, j.ID, j.Rev = tenant, strings.TrimPrefix(it.str("sk"), jobPrefix), it.int("rv")
	return j, err
}
