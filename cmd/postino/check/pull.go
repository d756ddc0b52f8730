package check

import (
	"context"
	"fmt"
	"net/http"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// pulled is a delivery with its request, as one that pulls gets it.
type pulled struct {
	ID, Lease string
	Request   struct {
		Headers map[string]string
		Body    string
	}
}

// pull gets a signed request without being reached from outside, and says that it
// has.
func (c *Check) pull(ctx context.Context) (string, error) {
	var made struct{ Secret string }
	wish := map[string]any{"id": "pull", "pull": true, "types": []string{"check.pull"}}
	if err := c.api.own(ctx, http.MethodPost, "/subscriptions", wish, &made); err != nil {
		return "", fmt.Errorf("subscribe: %w", err)
	}
	if err := c.api.publish(ctx, "check.pull", "pull-1"); err != nil {
		return "", err
	}
	began := time.Now()
	got, err := c.pulled(ctx)
	if err != nil {
		return "", err
	}
	took := time.Since(began).Round(time.Millisecond)
	if err := got.genuine(made.Secret); err != nil {
		return "", fmt.Errorf("a request is not genuine: %w; if its time is, compare the clocks", err)
	}
	return fmt.Sprintf("verified, %v after it was published, and acknowledged", took), c.acknowledge(ctx, got)
}

// pulled waits for a delivery.
func (c *Check) pulled(ctx context.Context) (pulled, error) {
	var page struct{ Deliveries []pulled }
	done, err := c.until(ctx, func() (bool, error) {
		err := c.api.own(ctx, http.MethodPost, "/subscriptions/pull/pull", map[string]any{"wait": "2s"}, &page)
		return len(page.Deliveries) > 0, err
	})
	if err == nil && !done {
		err = c.lost(ctx, "pull", 0, 1)
	}
	if err != nil {
		return pulled{}, err
	}
	return page.Deliveries[0], nil
}

// genuine verifies the signature of a request.
func (p pulled) genuine(secret string) error {
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return err
	}
	header := http.Header{}
	for name, value := range p.Request.Headers {
		header.Set(name, value)
	}
	return verifier.Verify([]byte(p.Request.Body), header)
}

// acknowledge sees that what was worked is recorded.
func (c *Check) acknowledge(ctx context.Context, p pulled) error {
	var done struct {
		Deliveries []struct {
			Recorded bool
			Status   string
		}
	}
	asked := map[string]any{"deliveries": []map[string]string{{"id": p.ID, "lease": p.Lease}}}
	if err := c.api.own(ctx, http.MethodPost, "/subscriptions/pull/ack", asked, &done); err != nil {
		return fmt.Errorf("acknowledge: %w", err)
	}
	if len(done.Deliveries) != 1 || !done.Deliveries[0].Recorded || done.Deliveries[0].Status != "succeeded" {
		return fmt.Errorf("%s was acknowledged, and the answer is %+v, want it recorded as succeeded", p.ID, done.Deliveries)
	}
	return nil
}
