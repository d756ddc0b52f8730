package fanout_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/platform/local/localstore"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/fanout"
	"github.com/postino/postino/shared/store/storetest"
	"github.com/postino/postino/shared/webhook"
)

// stand is fan-out on a local store with a clock that is moved by hand.
type stand struct {
	t     *testing.T
	store *standStore
	stage *fanout.Fanout

	mu    sync.Mutex
	clock time.Time
	queue []queued
	sent  []message.FirstAttempt
	ids   int
}

// standStore notes the due pointers.
type standStore struct {
	storetest.Store
	s        *stand
	versions func() // called after versions are read; nil for nothing
}

func (d *standStore) Versions(ctx context.Context, refs []webhook.VersionRef) ([]webhook.Subscription, error) {
	if d.versions != nil {
		defer d.versions()
	}
	return d.Store.Versions(ctx, refs)
}

func (d *standStore) PutDue(_ context.Context, due webhook.Due) error {
	fire, err := message.OfDue(due)
	if err != nil {
		return err
	}
	d.s.push(queued{at: due.At, body: fire.Encode()})
	return nil
}

func newStand(t *testing.T) *stand {
	db, err := engine.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	store := localstore.In(db)
	s := &stand{t: t, clock: epoch}
	s.store = &standStore{Store: store, s: s}
	s.stage = newStage(s)
	return s
}

// newStage is a process of its own.
func newStage(s *stand) *fanout.Fanout {
	return &fanout.Fanout{Store: s.store, Events: sender(s.enqueue), Deliveries: sender(s.deliver), Now: s.now, Log: slog.New(slog.DiscardHandler)}
}

type sender func(queue.Message)

func (s sender) Send(_ context.Context, messages []queue.Message) error {
	for _, m := range messages {
		s(m)
	}
	return nil
}

func (s *stand) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock
}

func (s *stand) push(q queued) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, q)
}

func (s *stand) enqueue(m queue.Message) { s.push(queued{at: s.now().Add(m.Delay), body: m.Body}) }

func (s *stand) deliver(m queue.Message) {
	f, err := message.DecodeAs[message.FirstAttempt](m.Body)
	if err != nil {
		s.t.Error(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, f)
}

// subscribe saves a subscription, as a change if it exists.
func (s *stand) subscribe(sub webhook.Subscription) webhook.Subscription {
	s.t.Helper()
	sub.Tenant = "acme"
	if sub.URL == "" {
		sub.URL = "https://a.example"
	}
	if sub.State == "" {
		sub.State = webhook.Active
	}
	saved, err := s.store.SaveSubscription(s.t.Context(), sub, sub.Version)
	if err != nil {
		s.t.Fatal(err)
	}
	return saved
}

// spec compiles a subscription's trigger.
func (s *stand) spec(sub webhook.Subscription) *trigger.Spec {
	s.t.Helper()
	spec, err := trigger.Compile(sub)
	if err != nil {
		s.t.Fatal(err)
	}
	return spec
}

// event makes one of the given type, subject, time and data, with an id of
// its own.
func (s *stand) event(typ, subject string, at time.Time, data string) webhook.Event {
	s.ids++
	return webhook.Event{
		Tenant: "acme", ID: fmt.Sprintf("e%03d", s.ids), Source: "/s", Type: typ, Subject: subject, Time: at,
		Data: json.RawMessage(data), AcceptedAt: s.now(), Nonce: fmt.Sprint(s.ids),
	}
}

// publish has events handled one after the other.
func (s *stand) publish(events ...webhook.Event) {
	s.t.Helper()
	for _, e := range events {
		s.handle(message.Pack{Events: []webhook.Event{e}}.Encode())
	}
	s.settle()
}

func (s *stand) handle(body []byte) {
	s.t.Helper()
	if failed := s.stage.Handle(s.t.Context(), []queue.Message{{ID: "m", Group: "acme", Body: body, Received: 1}}); len(failed) > 0 {
		s.t.Error("a message was not handled")
	}
}

// settle handles what is due.
func (s *stand) settle() {
	s.t.Helper()
	for {
		s.mu.Lock()
		i := slices.IndexFunc(s.queue, func(q queued) bool { return !q.at.After(s.clock) })
		if i < 0 {
			s.mu.Unlock()
			return
		}
		body := s.queue[i].body
		s.queue = slices.Delete(s.queue, i, i+1)
		s.mu.Unlock()
		s.handle(body)
	}
}

// advance moves the clock and handles what falls due.
func (s *stand) advance(by time.Duration) {
	s.t.Helper()
	s.mu.Lock()
	s.clock = s.clock.Add(by)
	s.mu.Unlock()
	s.settle()
}

// want compares the events of the deliveries sent since the last call, in
// their order.
func (s *stand) want(when string, events ...webhook.Event) {
	s.t.Helper()
	got, want := []string{}, []string{}
	for _, f := range s.sent {
		if !slices.Contains(got, f.Event) {
			got = append(got, f.Event)
		}
	}
	for _, e := range events {
		want = append(want, e.ID)
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("%s: deliveries of %q, want %q", when, got, want)
	}
	s.sent = nil
}
