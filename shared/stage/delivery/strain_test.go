package delivery_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postino/postino/shared/callback/breaker"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/delivery"
	"github.com/postino/postino/shared/webhook"
)

// counter answers after a while and counts who waits for it meanwhile.
type counter struct {
	mu        sync.Mutex
	status    int
	after     time.Duration
	now, most int
}

func (c *counter) Do(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	c.now++
	c.most = max(c.most, c.now)
	status, after := c.status, c.after
	c.mu.Unlock()
	time.Sleep(after)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now--
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
}

// TestATenantWhoseWorkIsAllTroubleBeginsLittleAtATime: of a tenant whose attempts
// fail at once a few are made together, of another one, and of the same one when
// its subscribers are silent, all.
func TestATenantWhoseWorkIsAllTroubleBeginsLittleAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, client := inLocalMode(t), &counter{}
		d := &delivery.Deliverer{
			Store: store, Retries: nowhere{}, Resend: nowhere{}, Exhausted: nowhere{}, Client: client, Secrets: open{},
			Class: func(error) webhook.ErrorClass { return webhook.ErrorReset }, Now: time.Now,
			Breaker: breaker.Rule{Window: time.Hour, Attempts: 1 << 30, Percent: 100}, // never opens
			Version: "test", Log: slog.New(slog.DiscardHandler),
		}
		batches := 0
		attempt := func(tenant string, n, status int, after time.Duration) (most int) {
			batches++
			client.status, client.after, client.most = status, after, 0
			d.Handle(t.Context(), firstsOf(t, store, tenant, batches, n))
			return client.most
		}
		for range 10 {
			attempt("strained", 10, 500, 0)
		}
		for _, tt := range []struct {
			tenant string
			after  time.Duration
			least  int
			most   int
		}{
			{"strained", 10 * time.Millisecond, 1, 4},
			{"modest", 10 * time.Millisecond, 60, 60},
			{"strained", 20 * time.Second, 60, 60},
		} {
			if got := attempt(tt.tenant, 60, 500, tt.after); got < tt.least || got > tt.most {
				t.Errorf("of 60 attempts of the %s tenant that take %v %d are made at a time, want %d to %d", tt.tenant, tt.after, got, tt.least, tt.most)
			}
		}
		for range 10 {
			attempt("strained", 10, 204, 0)
		}
		if got := attempt("strained", 60, 204, 10*time.Millisecond); got != 60 {
			t.Errorf("of 60 attempts %d are made at a time once they succeed again, want all", got)
		}
	})
}

// firstsOf asks for first attempts of n events of one subscription of the tenant.
func firstsOf(t *testing.T, store delivery.Store, tenant string, batch, n int) (messages []queue.Message) {
	t.Helper()
	s, err := store.(interface {
		SaveSubscription(context.Context, webhook.Subscription, int64) (webhook.Subscription, error)
	}).SaveSubscription(t.Context(), webhook.Subscription{
		Tenant: tenant, ID: fmt.Sprint("s", batch), URL: "https://a.example/", Signing: "v1", State: webhook.Active,
		Retry: webhook.RetrySpec{Schedule: []string{"1m"}, Timeout: "25s", Success: []string{"2xx"}},
	}, 0)
	if err != nil {
		t.Fatal(err)
	}
	source := "/tenants/" + tenant
	for i := range n {
		event := fmt.Sprint("e", batch, ".", i)
		messages = append(messages, queue.Message{ID: event, Body: message.FirstAttempt{
			Tenant: tenant, ID: webhook.DeliveryID(tenant, webhook.EventKey(source, event), noon, s.ID, ""), Event: event, Source: source,
			Created: noon, Subscription: s.ID, Version: s.Version, Target: webhook.Target{URL: webhook.Text{Plain: s.URL}},
			Method: "POST", ContentType: "application/json", Body: `{}`,
		}.Encode()})
	}
	return messages
}
