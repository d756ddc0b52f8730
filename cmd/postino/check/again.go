package check

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// retry lets an attempt fail and waits for the next, of the same id.
func (c *Check) retry(ctx context.Context) (string, error) {
	c.receiver.fail("retry", true)
	if err := c.subscribe(ctx, "retry", nil); err != nil {
		return "", err
	}
	if err := c.api.publish(ctx, "check.retry", "retry-1"); err != nil {
		return "", err
	}
	got, err := c.wait(ctx, "retry", 2)
	if err != nil {
		return "", err
	}
	c.receiver.fail("retry", false)
	if got[0].id != got[1].id {
		return "", fmt.Errorf("the webhook-id of the second attempt differs from the first: %s and %s", got[0].id, got[1].id)
	}
	return fmt.Sprintf("again after %v", got[1].at.Sub(got[0].at).Round(time.Millisecond)), nil
}

// trigger publishes two events of which the second one fires.
func (c *Check) trigger(ctx context.Context) (string, error) {
	if err := c.subscribe(ctx, "trigger", map[string]any{"trigger": map[string]any{"every": 2}}); err != nil {
		return "", err
	}
	for _, id := range []string{"trigger-1", "trigger-2"} {
		if err := c.api.publish(ctx, "check.trigger", id); err != nil {
			return "", err
		}
	}
	got, err := c.wait(ctx, "trigger", 1)
	if err == nil && len(got) > 1 {
		err = fmt.Errorf("the second of two events must fire, but %d fired", len(got))
	}
	return "the second event fired", err
}

// recover lets a delivery exhaust its schedule, and sends it again.
func (c *Check) recover(ctx context.Context) (string, error) {
	c.receiver.fail("recover", true)
	if err := c.subscribe(ctx, "recover", map[string]any{"retry": map[string]any{"schedule": []string{}}}); err != nil {
		return "", err
	}
	if err := c.api.publish(ctx, "check.recover", "recover-1"); err != nil {
		return "", err
	}
	done, err := c.until(ctx, func() (bool, error) {
		list, err := c.api.deliveries(ctx, "recover")
		return len(list) > 0 && list[0].Status == "exhausted", err
	})
	if err != nil || !done {
		return "", errors.Join(err, c.lost(ctx, "recover", 0, 1))
	}
	c.receiver.fail("recover", false)
	return "sent again", c.recovered(ctx)
}

// listLag is how long what has just ended may be missing in lists.
const listLag = 2 * time.Second

// recovered starts the job and waits for its end.
func (c *Check) recovered(ctx context.Context) error {
	time.Sleep(listLag)
	var job struct {
		ID, Status, Detail string
		Counts             struct{ Sent int }
	}
	if err := c.api.own(ctx, http.MethodPost, "/subscriptions/recover/recover", map[string]any{"after": c.since.Add(-time.Hour)}, &job); err != nil {
		return err
	}
	done, err := c.until(ctx, func() (bool, error) {
		err := c.api.own(ctx, http.MethodGet, "/jobs/"+job.ID, nil, &job)
		return job.Status != "running", err
	})
	switch {
	case err != nil:
		return err
	case !done:
		return fmt.Errorf("the job %s still runs after %v: is the mapping of the queue resend enabled, and what does the log of delivery say, AccessDenied perhaps?", job.ID, c.Wait)
	case job.Status != "done" || job.Counts.Sent != 1:
		return fmt.Errorf("the job %s is %s, %s, and has sent %d deliveries, want one", job.ID, job.Status, job.Detail, job.Counts.Sent)
	}
	_, err = c.wait(ctx, "recover", 2)
	return err
}

// delete begins to remove the tenant, which takes five minutes at least.
func (c *Check) delete(ctx context.Context) (string, error) {
	var job struct{ ID, Status string }
	if _, err := c.api.call(ctx, http.MethodDelete, "/v1/tenants/"+c.api.tenant, nil, &job); err != nil {
		return "", err
	}
	return "tenant " + c.api.tenant + " is being deleted by job " + job.ID, nil
}
