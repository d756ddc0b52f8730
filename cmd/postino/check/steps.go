package check

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	maxSkew  = 30 * time.Second // of clocks; receivers take callbacks of five minutes
	sweepLag = 30 * time.Minute // the mark lies 20 minutes behind when all is well
)

// answers asks for the installation's health, and compares clock and version.
func (c *Check) answers(ctx context.Context) (string, error) {
	var health struct{ Status, Version string }
	var header http.Header
	var no *refusal
	_, err := c.until(ctx, func() (done bool, err error) { // a new stack may need a moment
		header, err = c.api.call(ctx, http.MethodGet, "/healthz", nil, &health)
		if errors.As(err, &no) && no.status == http.StatusServiceUnavailable {
			return false, nil
		}
		no = nil
		return true, err
	})
	switch {
	case no != nil && no.code != "":
		return "", fmt.Errorf("storage, a queue or the sealing key does not respond: %w; see the log of manage", no)
	case no != nil:
		return "", no
	case err != nil:
		return "", fmt.Errorf("%w; is %s the output Endpoint?", err, c.Endpoint)
	case health.Status != "ok":
		return "", fmt.Errorf("the server at %s is not Postino; is that the output Endpoint?", c.Endpoint)
	}
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		if skew := time.Until(date).Round(time.Second); skew.Abs() > maxSkew {
			return "", fmt.Errorf("its clock differs from this machine's by %v: one of them is wrong", skew)
		}
	}
	return "version " + health.Version, c.compare("manage", health.Version)
}

// compare holds a version to the one that is expected.
func (c *Check) compare(function, version string) error {
	if c.Version == "" || version == c.Version {
		return nil
	}
	return fmt.Errorf("%s runs version %s, and this program is %s: has the deployment finished, and does the alias live of %s point to the newest version? -any-version skips this check",
		function, version, c.Version, function)
}

// key makes the tenant in which all the rest happens.
func (c *Check) key(ctx context.Context) (string, error) {
	_, err := c.api.call(ctx, http.MethodPut, "/v1/tenants/"+c.api.tenant, nil, nil)
	var no *refusal
	if !errors.As(err, &no) {
		return "tenant " + c.api.tenant, err
	}
	switch no.status {
	case http.StatusUnauthorized:
		return "", fmt.Errorf("%w The key is not the admin key. The output AdminKeyCommand prints it; in local mode it is in admin.key", err)
	case http.StatusForbidden, http.StatusNotFound: // as for a tenant that is not there
		return "", fmt.Errorf("%w It is a key of one tenant: the check needs the admin key. The output AdminKeyCommand prints it", err)
	}
	return "", err
}

// sweep waits for a sweep, if there was none yet.
func (c *Check) sweep(ctx context.Context) (string, error) {
	var health struct {
		Swept *time.Time `json:"swept_through"`
	}
	done, err := c.until(ctx, func() (bool, error) {
		_, err := c.api.call(ctx, http.MethodGet, "/healthz", nil, &health)
		var no *refusal
		if errors.As(err, &no) && no.status == http.StatusServiceUnavailable {
			return false, nil
		}
		return health.Swept != nil, err
	})
	const look = "is the schedule enabled, and what does the log of sweep say?"
	switch {
	case err != nil:
		return "", err
	case !done:
		return "", fmt.Errorf("sweep has not run within %v: %s", c.Wait, look)
	case time.Since(*health.Swept) > sweepLag:
		return "", fmt.Errorf("sweep has not run since %s: %s", health.Swept.Format(time.RFC3339), look)
	}
	return "through " + health.Swept.Format(time.RFC3339), nil
}

// subscribe makes a subscription for the events of its own name, for which the
// receiver has a path.
func (c *Check) subscribe(ctx context.Context, name string, more map[string]any) error {
	body := map[string]any{"id": name, "types": []string{"check." + name}, "retry": map[string]any{"schedule": []string{"1s", "1s"}}}
	if c.receiver.address == "" {
		body["pull"] = true
	} else {
		body["url"] = c.receiver.address + "/" + name
	}
	for field, value := range more {
		body[field] = value
	}
	var made struct{ Secret string }
	if err := c.api.own(ctx, http.MethodPost, "/subscriptions", body, &made); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	c.receiver.trust(name, made.Secret)
	if c.receiver.address == "" {
		go c.receiver.pull(c.over, api{endpoint: c.api.endpoint, key: c.api.key, tenant: c.api.tenant}, name)
	}
	return nil
}

// posted has the event of the callback posted to nobody too, if callbacks are
// pulled: that an attempt is made shows that delivery can make one.
func (c *Check) posted(ctx context.Context) error {
	if c.receiver.address != "" {
		return nil
	}
	body := map[string]any{"id": "posted", "url": "https://postino-check.invalid/", "types": []string{"check.callback"}}
	if err := c.api.own(ctx, http.MethodPost, "/subscriptions", body, nil); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	return nil
}

// callback publishes an event and waits for what it causes.
func (c *Check) callback(ctx context.Context) (string, error) {
	if err := c.subscribe(ctx, "callback", nil); err != nil {
		return "", err
	}
	if err := c.posted(ctx); err != nil {
		return "", err
	}
	if err := c.api.publish(ctx, "check.callback", "callback-1"); err != nil {
		return "", fmt.Errorf("publish: %w; see the log of ingest", err)
	}
	began := time.Now()
	got, err := c.wait(ctx, "callback", 1)
	if err != nil {
		return "", err
	}
	agent, _, _ := strings.Cut(strings.TrimPrefix(got[0].agent, "Postino/"), " ")
	said := fmt.Sprintf("verified, %v after it was published", got[0].at.Sub(began).Round(time.Millisecond))
	if c.receiver.address == "" {
		return "pulled, " + said, errors.Join(c.compare("manage", agent), c.attempted(ctx, "posted"))
	}
	return said, c.compare("delivery", agent)
}

// wait waits until a subscriber has got so many callbacks, all genuine.
func (c *Check) wait(ctx context.Context, name string, n int) ([]callback, error) {
	var got []callback
	done, err := c.until(ctx, func() (bool, error) {
		var broken error
		if got, broken = c.receiver.got(name); broken != nil {
			return false, broken
		}
		for _, one := range got {
			if one.err != nil {
				return false, fmt.Errorf("a callback is not genuine: %w; if its time is, compare the clocks", one.err)
			}
		}
		return len(got) >= n, nil
	})
	if err == nil && !done {
		err = c.lost(ctx, name, len(got), n)
	}
	return got, err
}

// attempted waits until a delivery of a subscription had an attempt.
func (c *Check) attempted(ctx context.Context, name string) error {
	done, err := c.until(ctx, func() (bool, error) {
		list, err := c.api.deliveries(ctx, name)
		return len(list) > 0 && list[0].Attempts > 0, err
	})
	if err == nil && !done {
		err = c.lost(ctx, name, 0, 1)
	}
	return err
}

// lost says how far an event came.
func (c *Check) lost(ctx context.Context, name string, got, want int) error {
	came := fmt.Sprintf("%d of %d callbacks arrived within %v", got, want, c.Wait)
	var backlog struct {
		Backlog struct{ Events, Deliveries, Retries int }
	}
	if _, err := c.api.call(ctx, http.MethodGet, "/healthz", nil, &backlog); err != nil {
		return fmt.Errorf("%s, and /healthz says %w", came, err)
	}
	list, err := c.api.deliveries(ctx, name)
	b := backlog.Backlog
	switch {
	case err != nil:
		return fmt.Errorf("%s, and the list of deliveries: %w", came, err)
	case b.Events > 0:
		return fmt.Errorf("%s: %d messages wait in the queue events: is its mapping to fanout enabled, and what does the log of fanout say?", came, b.Events)
	case b.Deliveries > 0:
		return fmt.Errorf("%s: %d messages wait in the queue deliveries: is its mapping to delivery enabled, and what does the log of delivery say?", came, b.Deliveries)
	case b.Retries > 0:
		return fmt.Errorf("%s: %d messages wait in the queue retries: is its mapping to delivery enabled, and what does the log of delivery say?", came, b.Retries)
	case len(list) > 0 && list[0].Attempts > 0:
		return fmt.Errorf("%s: attempts fail; GET /v1/tenants/%s/deliveries/%s says why", came, c.api.tenant, list[0].ID)
	}
	return fmt.Errorf("%s, and no message waits: see the logs of fanout and delivery", came)
}
