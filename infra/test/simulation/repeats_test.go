package simulation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/ingest"
	"github.com/postino/postino/shared/webhook"
)

// said is a publication and how it was answered.
type said struct {
	key    string
	ids    []string // "" of those that we make
	events []string
	status int // 0 for no answer
	Answer struct {
		ID         string
		IDs        []string
		Duplicates []string
		Accepted   []string
	}
}

// send publishes events, and notes what was accepted.
func (w *world) send(key string, ids, events []string) {
	began := w.tick()
	sent := said{key: key, ids: ids, events: events}
	w.callWith(key, "POST", "/events", "["+strings.Join(events, ",")+"]", func(status int, answer []byte) {
		sent.status = status
		if status != 0 {
			if err := json.Unmarshal(answer, &sent.Answer); err != nil {
				w.wrong("publish: %v in %s", err, answer)
			}
		}
		w.said = append(w.said, sent)
		taken := sent.Answer.IDs
		switch status {
		case http.StatusAccepted:
		case http.StatusServiceUnavailable:
			taken = sent.Answer.Accepted
		case 0:
			return
		default:
			if !w.chaotic && key == "" {
				w.wrong("publish: %d %s", status, answer)
			}
			return
		}
		for _, id := range taken {
			if _, known := w.accepted[id]; !known {
				w.accepted[id] = began
			}
			if !slices.Contains(w.eventOrder, id) {
				w.eventOrder = append(w.eventOrder, id)
			}
		}
	})
}

// repeatKeys publishes under one Idempotency-Key: the same twice or three
// times, and in between, perhaps, something else.
func (w *world) repeatKeys() {
	contents := [][]string{}
	for i := range 1 + w.rng.IntN(2) {
		contents = append(contents, []string{fmt.Sprintf(`{"type":"a.x","data":{"n":"key%d"}}`, i), fmt.Sprintf(`{"type":"b.x","data":{"n":"key%d"}}`, i)})
	}
	for range 2 + w.rng.IntN(3) {
		events := contents[w.rng.IntN(len(contents))]
		w.plan(func() { w.send("the-key", []string{"", ""}, events) })
	}
}

// checkSaid sees that what publications were answered is what is stored: one
// content of one key, nothing of what was refused, no duplicate that was not
// published before, and no data that nobody published.
func (w *world) checkSaid() {
	published := map[string]bool{}
	bound := map[string]said{}
	before := map[string]int{}
	for _, s := range w.said {
		for i, event := range s.events {
			var e struct{ Data json.RawMessage }
			if json.Unmarshal([]byte(event), &e) == nil && s.status != http.StatusUnprocessableEntity {
				published[string(e.Data)] = true
			}
			before[s.ids[i]]++
		}
		if s.key != "" && s.status == http.StatusAccepted {
			w.checkKey(bound, s)
		}
		for _, id := range s.Answer.Duplicates {
			if s.key == "" && before[id] < 2 {
				w.wrong("event %s was answered as a duplicate, and was published once", id)
			}
		}
	}
	for id, data := range w.contents {
		if _, ours := w.accepted[id]; ours && !published[data] {
			w.wrong("event %s is stored with %s, which nobody published", id, data)
		}
	}
}

// checkKey sees that what is accepted under one key is one thing, with the same
// ids each time.
func (w *world) checkKey(bound map[string]said, s said) {
	first, known := bound[s.key]
	switch {
	case !known:
		bound[s.key] = s
	case !slices.Equal(first.events, s.events):
		w.wrong("the key %s came with two contents, and both were accepted: %v and %v", s.key, first.events, s.events)
	case !slices.Equal(first.Answer.IDs, s.Answer.IDs):
		w.wrong("the key %s came twice with the same, as %v and as %v", s.key, first.Answer.IDs, s.Answer.IDs)
	}
}

// door is the process that takes publications. It lives until a container of
// its dies, and remembers.
func (w *world) door() http.Handler {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.intake == nil {
		w.intake = &ingest.Handler{Tenants: doorStore{}, Records: doorStore{}, Events: doorStore{}, Auth: httpapi.NewAdminKey(key)}
	}
	return w.intake
}

type doorKey struct{}

// doorStore is storage and queue of whichever container makes the request.
type doorStore struct{}

func (doorStore) of(ctx context.Context) *container { return ctx.Value(doorKey{}).(*container) }

func (d doorStore) EnsureTenant(ctx context.Context, tenant string) (bool, error) {
	return d.of(ctx).store.EnsureTenant(ctx, tenant)
}

func (d doorStore) PageTenants(ctx context.Context, page webhook.Page) ([]string, string, error) {
	return d.of(ctx).store.PageTenants(ctx, page)
}

func (d doorStore) FindTenant(ctx context.Context, tenant string) error {
	return d.of(ctx).store.FindTenant(ctx, tenant)
}

func (d doorStore) TriggerState(ctx context.Context, refs []webhook.StateRef) ([]webhook.StateItem, error) {
	return d.of(ctx).store.TriggerState(ctx, refs)
}

func (d doorStore) SaveTriggerState(ctx context.Context, items []webhook.StateItem) error {
	return d.of(ctx).store.SaveTriggerState(ctx, items)
}

func (d doorStore) TenantState(ctx context.Context, tenant string) (webhook.TenantState, error) {
	return d.of(ctx).store.TenantState(ctx, tenant)
}

func (d doorStore) Send(ctx context.Context, messages []queue.Message) error {
	return d.of(ctx).to("events").Send(ctx, messages)
}
