package manage

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
)

// health serves what can be known of the server from outside.
type health struct {
	*Handler
	Store Sweeping
	last  looked
}

func (h *health) routes() []httpapi.Route {
	return []httpapi.Route{{Method: get, Pattern: "/healthz", Roles: httpapi.Anyone, Handle: h.look}}
}

// Sweeping is what is known of due pointers.
type Sweeping interface {
	// CountDue counts the due pointers up to a time that wait to be swept, at
	// most limit.
	CountDue(ctx context.Context, through time.Time, limit int) (int, error)
	// LowWater returns the minute before which no due pointer is left, zero
	// before the first sweep.
	LowWater(ctx context.Context) (time.Time, error)
}

const (
	healthFor     = time.Second // how long one look is good for: health checks must not cost reads
	healthTimeout = 5 * time.Second
	maxDue        = 10_000 // due pointers that are counted
)

// looked remembers the last look. The zero value has none.
type looked struct {
	mu      sync.Mutex
	at      time.Time // by the real clock, also where ours stands still
	backlog backlogView
	swept   time.Time
}

type healthView struct {
	Status  string       `json:"status"` // "ok"; anything else is a problem document
	Version string       `json:"version"`
	Backlog backlogView  `json:"backlog"`
	Swept   httpapi.Time `json:"swept_through"` // all that was due before it has been sent; null before the first sweep
}

// backlogView counts what waits: messages by queue, about, and due pointers, up
// to 10,000.
type backlogView struct {
	Events     int `json:"events"`
	Deliveries int `json:"deliveries"`
	Retries    int `json:"retries"`
	Due        int `json:"due"`
}

// look says that storage and queues answer, and how much waits in them.
func (h *health) look(r *httpapi.Request) (httpapi.Response, error) {
	backlog, swept, err := h.backlog(r.Context())
	if err == nil && h.Failed != nil {
		err = h.Failed()
	}
	if err != nil {
		return httpapi.Response{}, httpapi.Unavailable.Problem("Storage or a queue does not answer.").After(time.Second).Because(err)
	}
	return httpapi.OK(healthView{Status: "ok", Version: h.Version, Backlog: backlog, Swept: httpapi.Time(swept)}), nil
}

// backlog counts what waits, and tells how far sweep has come.
func (h *health) backlog(ctx context.Context) (b backlogView, swept time.Time, err error) {
	h.last.mu.Lock() // whoever asks meanwhile waits and gets the same answer
	defer h.last.mu.Unlock()
	if time.Since(h.last.at) < healthFor && !h.last.at.IsZero() {
		return h.last.backlog, h.last.swept, nil
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	if swept, err = h.Store.LowWater(ctx); err != nil {
		return b, swept, fmt.Errorf("read how far sweep has come: %w", err)
	}
	if b.Due, err = h.Store.CountDue(ctx, h.now(), maxDue); err != nil {
		return b, swept, fmt.Errorf("count due: %w", err)
	}
	for _, q := range []struct {
		name    string
		backlog Backlog
		n       *int
	}{
		{"events", h.Backlogs.Events, &b.Events}, {"deliveries", h.Backlogs.Deliveries, &b.Deliveries}, {"retries", h.Backlogs.Retries, &b.Retries},
	} {
		if *q.n, err = q.backlog.Backlog(ctx); err != nil {
			return b, swept, fmt.Errorf("backlog of %s: %w", q.name, err)
		}
	}
	h.last.at, h.last.backlog, h.last.swept = time.Now(), b, swept
	return b, swept, nil
}
