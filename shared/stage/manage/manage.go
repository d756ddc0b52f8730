// Package manage is the API except publishing: subscriptions, events,
// deliveries, jobs, and the server's health. Each of its nouns is a file; see
// nouns.
package manage

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/callback/bell"
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// Sealer keeps secrets from whoever reads the store: see package secret.
type Sealer interface {
	Seal(plain []byte, place ...string) ([]byte, error)
	Open(sealed []byte, place ...string) ([]byte, error)
}

// Resender is a queue of what is asked for by hand.
type Resender interface {
	// Send queues the messages durably; see ingest's Sender for its errors.
	Send(ctx context.Context, messages []queue.Message) error
}

// Backlog tells how much waits in a queue, delayed and in flight included;
// approximately.
type Backlog interface {
	Backlog(ctx context.Context) (int, error)
}

// Backlogs are the queues whose length [Handler] reports.
type Backlogs struct{ Events, Deliveries, Retries Backlog }

// Handler serves every route of the API but publishing. It is safe for
// concurrent use.
type Handler struct {
	Store        Store
	Resend       Resender
	Events       Resender // replays, and operational events; nil publishes none of the latter
	Secrets      Sealer
	Destinations subscription.Destinations
	Tester       Tester
	Puller       Puller
	Bells        *bell.Bells // rung when something may be pulled; nil if that is not heard here
	Auth         httpapi.Authenticator
	Backlogs     Backlogs
	Failed       func() error      // why nothing can be written now, for /healthz; nil knows no such thing
	Intake       *httpapi.Intake   // of bodies in hand; nil bounds nothing
	Retention    webhook.Retention // of what is shown; zero means [webhook.DefaultRetention]
	Quota        webhook.Quota     // of each tenant; zero bounds nothing
	Made         bool              // takes only tenants that were made: none by its first use
	Version      string            // of this build, as /healthz shows it
	Now          func() time.Time  // our clock; nil means time.Now
	Random       io.Reader         // for ids; nil means crypto/rand
	Counter      lifecycle.Counter // of deliveries that it cancels
	Log          *slog.Logger      // one line for each accepted write; nil means none

	once   sync.Once
	router *httpapi.Router
	trials trials
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.once.Do(func() {
		h.router = httpapi.NewRouter(h.routes(), h.Auth, h.Log)
		h.router.Intake = h.Intake
		h.router.Refused = func() {
			if h.Counter.Count != nil {
				h.Counter.Count("auth_failures", 1)
			}
		}
		h.router.Failed = func() {
			if h.Counter.Count != nil {
				h.Counter.Count("requests_failed", 1)
			}
		}
	})
	h.router.ServeHTTP(w, r)
}

// now is our clock in the precision that is stored.
func (h *Handler) now() time.Time {
	clock := time.Now
	if h.Now != nil {
		clock = h.Now
	}
	return clock().UTC().Truncate(time.Millisecond)
}

func (h *Handler) log() *slog.Logger {
	if h.Log != nil {
		return h.Log
	}
	return slog.New(slog.DiscardHandler)
}

// resend queues what is asked for by hand.
func (h *Handler) resend(ctx context.Context, asked message.Task, delay time.Duration) error {
	if err := h.Resend.Send(ctx, []queue.Message{message.Queued(asked, delay)}); err != nil {
		return httpapi.NotQueued.Problem("The message could not be queued. Send the request again.").After(time.Second).Because(fmt.Errorf("resend %T: %w", asked, err))
	}
	return nil
}

// maxTries bounds how often a write is tried anew when others were faster.
const maxTries = 20

// retry calls write until nobody else changed what it changes.
func retry(ctx context.Context, write func() error) error {
	err := write()
	for n := 1; n < maxTries && isConflict(err) && ctx.Err() == nil; n++ {
		err = write()
	}
	if isConflict(err) {
		return httpapi.ChangedMeanwhile.Problem("Other requests changed the same object at the same time. Send the request again.").After(time.Second).Because(err)
	}
	return err
}
