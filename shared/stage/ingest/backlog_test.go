package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/ingest"
	"github.com/postino/postino/shared/webhook"
)

// line is a queue of which only the length matters.
type line struct {
	total  int
	own    map[string]int
	counts int
	down   error
}

func (l *line) Backlog(context.Context) (int, error) {
	l.counts++
	return l.total, l.down
}

func (l *line) Waiting(tenant string) int { return l.own[tenant] }

func TestABacklogRefusesPublishersAndATenantBeforeTheOthers(t *testing.T) {
	events, deliveries := &line{}, &line{}
	refused := 0
	h := (&outside{}).handler()
	h.Limit = &ingest.Limit{Messages: 100, Queues: []ingest.Backlog{events, deliveries}, Shares: []ingest.Share{events, deliveries}}
	h.Count = func(name string, n int) {
		if name == "publishes_refused" {
			refused += n
		}
	}
	for _, tt := range []struct {
		name               string
		events, deliveries int
		own                int // of acme, in each
		status             int
	}{
		{"nothing waits", 0, 0, 0, 202},
		{"less than the limit", 50, 49, 0, 202},
		{"the limit, of others", 50, 50, 0, 503},
		{"less than its share", 40, 40, 24, 202},
		{"its share", 40, 40, 25, 429},
	} {
		events.total, deliveries.total = tt.events, tt.deliveries
		events.own, deliveries.own = map[string]int{"acme": tt.own}, map[string]int{"acme": tt.own}
		before := refused
		got := post(t, h, `{"type":"a","data":1}`)
		later := tt.status != 202
		if got.status != tt.status || (got.header.Get("Retry-After") != "") != later || (refused > before) != later {
			t.Errorf("%s: %d with Retry-After %q, %d counted, want %d", tt.name, got.status, got.header.Get("Retry-After"), refused-before, tt.status)
		}
		if other := do(t, h, "POST", "/v1/tenants/other/events", `{"type":"a","data":1}`); tt.status == 429 && other.status != 202 {
			t.Errorf("%s: another tenant gets %d, want 202", tt.name, other.status)
		}
	}
}

func TestACountIsGoodForAWhileAndAFailedOneRefusesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events := &line{total: 10}
		h := (&outside{}).handler()
		h.Limit = &ingest.Limit{Messages: 10, Queues: []ingest.Backlog{events}, Every: 5 * time.Second}
		var statuses []int
		ask := func() { statuses = append(statuses, post(t, h, `{"type":"a","data":1}`).status) }
		ask()
		events.total = 0
		ask() // still by the first count
		time.Sleep(5 * time.Second)
		ask()
		events.total, events.down = 10, errors.New("throttled")
		time.Sleep(5 * time.Second)
		ask()
		if diff := cmp.Diff([]int{503, 503, 202, 202}, statuses); diff != "" || events.counts != 3 {
			t.Errorf("statuses differ, or %d counts are not 3 (-want +got):\n%s", events.counts, diff)
		}
	})
}

func TestWhatRefusesForAWhileIs503WithRetryAfter(t *testing.T) {
	throttled := fmt.Errorf("dynamostore: EnsureTenant: ThrottlingException: %w", webhook.ErrBusy)
	for name, o := range map[string]*outside{
		"a table that throttles":     {ensure: throttled},
		"a queue that throttles":     {refuse: func([]queue.Message) error { return fmt.Errorf("send: %w", queue.ErrBusy) }},
		"a disk that is full":        {refuse: func([]queue.Message) error { return fmt.Errorf("%w: disk full", webhook.ErrBusy) }},
		"a queue that never answers": {refuse: func([]queue.Message) error { return context.DeadlineExceeded }},
	} {
		got := post(t, o.handler(), `{"type":"a","data":1}`)
		if got.status != 503 || got.header.Get("Retry-After") == "" || got.Accepted == nil || len(got.Accepted) > 0 {
			t.Errorf("%s: %d %s, want 503, nothing accepted, and when to come back", name, got.status, got.body)
		}
	}
}
