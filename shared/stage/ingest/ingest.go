package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/publication"
	"github.com/postino/postino/shared/language/schema"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// Pattern is the path that [Handler] serves, by POST.
const Pattern = "/v1/tenants/{tenant}/events"

// sendTimeout bounds the wait for storage and queue, so that a caller hears of
// trouble from us before its own patience ends.
const sendTimeout = 15 * time.Second

// retryAfter is when a caller should send again what the queue did not take.
const retryAfter = 2 * time.Second

// Handler takes published events. It is safe for concurrent use.
type Handler struct {
	Tenants Tenants
	Types   Types // nil checks no event against a schema
	Strict  bool  // refuses types that are not registered; needs Types
	Made    bool  // takes only tenants that were made: none by its first use
	Events  Sender
	Records Records // of what publishers may repeat; nil remembers nothing
	Auth    httpapi.Authenticator
	Limit   *Limit                   // of what may wait; nil means none
	Intake  *httpapi.Intake          // of bodies in hand; nil bounds nothing
	Now     func() time.Time         // our clock; nil means time.Now
	Count   func(name string, n int) // see package metric; nil counts nothing
	Log     *slog.Logger             // one line for each accepted request; nil means none

	once   sync.Once
	router *httpapi.Router
	known  known
	recent recent

	schemas schema.Cache
}

// ServeHTTP answers POST [Pattern], and everything else with a problem.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.once.Do(func() {
		h.router = httpapi.NewRouter([]httpapi.Route{
			{Method: http.MethodPost, Pattern: Pattern, Roles: httpapi.Publish | httpapi.Manage, Origins: true, Handle: h.counted},
			{Method: http.MethodGet, Pattern: Pattern}, // manage
		}, h.Auth, h.Log)
		h.router.Intake = h.Intake
		h.router.Refused = func() {
			if h.Count != nil {
				h.Count("auth_failures", 1)
			}
		}
		h.router.Failed = func() {
			if h.Count != nil {
				h.Count("requests_failed", 1)
			}
		}
	})
	h.router.ServeHTTP(w, r)
}

// counted is publish, with a count of those who are told to come later.
func (h *Handler) counted(r *httpapi.Request) (httpapi.Response, error) {
	response, err := h.publish(r)
	if h.Count != nil && httpapi.IsLater(err) {
		h.Count("publishes_refused", 1)
	}
	if h.Count != nil && err == nil {
		h.Count("publishes", 1)
	}
	return response, err
}

// publish takes the events of one request: all of them, or none and a problem.
// Only a queue that fails halfway leaves it between, and then the problem says
// which were taken.
func (h *Handler) publish(r *httpapi.Request) (httpapi.Response, error) {
	if err := r.RefuseReserved(); err != nil {
		return httpapi.Response{}, err
	}
	if err := h.Limit.room(r.Context(), r.Tenant); err != nil {
		return httpapi.Response{}, err
	}
	p, err := publication.Read(r, h.now())
	if err != nil {
		return httpapi.Response{}, err
	}
	if len(p.Events) == 0 { // a batch of CloudEvents may be empty
		return httpapi.Response{Status: http.StatusAccepted, Body: several{IDs: []string{}}}, nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), sendTimeout)
	defer cancel()
	if h.Made { // before anything else is said of its events
		if err := h.admit(ctx, r); err != nil {
			return httpapi.Response{}, err
		}
	}
	if err := h.check(ctx, r.Tenant, p); err != nil {
		return httpapi.Response{}, err
	}
	if err := h.admit(ctx, r); err != nil {
		return httpapi.Response{}, err
	}
	if err := h.bind(ctx, r.Tenant, p); err != nil {
		return httpapi.Response{}, err
	}
	events := p.Once()
	messages, sizes := pack(r.Tenant, events)
	if err := h.Events.Send(ctx, messages); err != nil {
		return httpapi.Response{}, unavailable(accepted(idsOf(events), sizes, err), err)
	}
	if h.Count != nil {
		h.Count("events_accepted", len(events))
	}
	r.Note(slog.Int("events", len(events)), slog.String("id", events[0].ID), slog.Int("bytes", p.Size), slog.Int("messages", len(messages)))
	return httpapi.Response{Status: http.StatusAccepted, Body: h.answer(ctx, p)}, nil
}

// answer tells the ids, in the order of the request, and which of them are
// known to have been accepted before.
func (h *Handler) answer(ctx context.Context, p publication.Publication) any {
	duplicates := h.duplicates(ctx, p)
	if p.Single {
		return single{p.Events[0].ID, len(duplicates) > 0}
	}
	return several{idsOf(p.Events), duplicates}
}

func idsOf(events []webhook.Event) []string {
	ids := make([]string, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	return ids
}

// The answers to a publication.
type (
	single struct {
		ID        string `json:"id"`
		Duplicate bool   `json:"duplicate,omitempty"`
	}
	several struct {
		IDs        []string `json:"ids"`
		Duplicates []string `json:"duplicates,omitempty"`
	}
)

func (h *Handler) now() time.Time {
	if h.Now != nil {
		return h.Now()
	}
	return time.Now()
}

// admit refuses a tenant that is being deleted and, if only those are taken that
// were made, one that was not.
func (h *Handler) admit(ctx context.Context, r *httpapi.Request) error {
	created, err := h.ensure(ctx, r.Tenant)
	if created {
		r.WarnOfNewTenant(h.Tenants, h.log())
	}
	switch {
	case errors.Is(err, webhook.ErrNotFound):
		return r.NoSuchTenant(h.Tenants, h.log())
	case err != nil && !errors.Is(err, webhook.ErrDeleting):
		return unavailable(nil, err)
	}
	return err
}

// ensure makes the tenant known, or finds it, once a minute and process: so a
// process learns that it was deleted.
func (h *Handler) ensure(ctx context.Context, tenant string) (created bool, err error) {
	now := h.now()
	if h.known.has(tenant, now) {
		return false, nil
	}
	if h.Made {
		err = h.Tenants.FindTenant(ctx, tenant)
	} else {
		created, err = h.Tenants.EnsureTenant(ctx, tenant)
	}
	if err != nil {
		return false, fmt.Errorf("ensure tenant %s: %w", tenant, err)
	}
	h.known.add(tenant, now)
	return created, nil
}

func (h *Handler) log() *slog.Logger {
	if h.Log != nil {
		return h.Log
	}
	return slog.New(slog.DiscardHandler)
}

// accepted returns the ids of events whose messages were sent; sizes tells how
// many each message holds.
func accepted(ids []string, sizes []int, err error) []string {
	var unsent *queue.Unsent
	if !errors.As(err, &unsent) {
		return nil
	}
	lost := make(map[int]bool, len(unsent.Indexes))
	for _, i := range unsent.Indexes {
		lost[i] = true
	}
	var sent []string
	for i, n := range sizes {
		if !lost[i] {
			sent = append(sent, ids[:n]...)
		}
		ids = ids[n:]
	}
	return sent
}

// unavailable is the 503 that lists what was taken nevertheless.
func unavailable(accepted []string, cause error) error {
	p := httpapi.PartiallyAccepted.Problem("Some events could not be queued; accepted lists the queued ones. If the events have your own ids, or the request has an Idempotency-Key, send the same request again. Otherwise send only the other events.").After(retryAfter)
	if len(accepted) == 0 {
		p = httpapi.NotQueued.Problem("The events could not be queued. Send them again.").After(retryAfter)
	}
	p.Accepted = append([]string{}, accepted...)
	return p.Because(cause)
}

// maxKnown bounds the memory of tenants, which is below 1 MB, and knownFor how
// long one is taken for known.
const (
	maxKnown = 10_000
	knownFor = time.Minute
)

// known remembers when tenants were ensured. The zero value knows none.
type known struct {
	mu    sync.RWMutex
	names map[string]time.Time
}

func (k *known) has(tenant string, now time.Time) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	at, ok := k.names[tenant]
	return ok && now.Sub(at).Abs() < knownFor
}

func (k *known) add(tenant string, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.names == nil || len(k.names) >= maxKnown {
		k.names = map[string]time.Time{} // to ensure again costs one write
	}
	k.names[tenant] = now
}
