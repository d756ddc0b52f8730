package fanout_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/fanout"
	"github.com/postino/postino/shared/webhook"
)

// sleeper is a store and a queue whose messages come after their time, by the
// real clock, or what a bubble takes for it.
type sleeper struct {
	*memory
	stage *fanout.Fanout
	mu    sync.Mutex
	sent  map[string]time.Time
	kept  time.Time
}

func (s *sleeper) PutDue(_ context.Context, due webhook.Due) error {
	fire, err := message.OfDue(due)
	if err == nil {
		s.wait(time.Until(due.At), fire.Encode())
	}
	return err
}

func (s *sleeper) KeepEvent(_ context.Context, _, _ string, until time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = until
	return nil
}

func (s *sleeper) wait(d time.Duration, body []byte) {
	time.AfterFunc(d, func() {
		s.stage.Handle(context.Background(), []queue.Message{{ID: "m", Group: "acme", Body: body, Received: 1}})
	})
}

func (s *sleeper) deliver(m queue.Message) {
	f, _ := message.DecodeAs[message.FirstAttempt](m.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent[f.Event] = time.Now()
}

// told returns when the event e was sent, and until when it is kept.
func (s *sleeper) told() (at, kept time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent["e"], s.kept
}

func TestDaysOfDelayPassInMilliseconds(t *testing.T) {
	for text, delay := range map[string]time.Duration{"3s": 3 * time.Second, "15m": 15 * time.Minute, "3d": 72 * time.Hour, "365d": 365 * 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			s := &sleeper{memory: newMemory(), sent: map[string]time.Time{}}
			s.stage = &fanout.Fanout{
				Store: s, Deliveries: sender(s.deliver), Log: slog.New(slog.DiscardHandler),
				Events: sender(func(m queue.Message) { s.wait(m.Delay, m.Body) }),
			}
			_, err := s.SaveSubscription(t.Context(), webhook.Subscription{
				Tenant: "acme", ID: "s", URL: "https://a.example", State: webhook.Active, Trigger: json.RawMessage(`{"delay":"` + text + `"}`),
			}, 0)
			if err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			e := webhook.Event{Tenant: "acme", ID: "e", Source: "/s", Type: "a", Subject: "u", Time: begin, AcceptedAt: begin, Nonce: "n"}
			s.wait(0, message.Pack{Events: []webhook.Event{e}}.Encode())
			time.Sleep(delay - 1)
			synctest.Wait()
			if at, _ := s.told(); !at.IsZero() {
				t.Errorf("after %s: sent a moment too early", delay-1)
			}
			time.Sleep(time.Second)
			synctest.Wait()
			at, kept := s.told()
			if !at.Equal(begin.Add(delay)) {
				t.Errorf("sent after %s, want %s", at.Sub(begin), delay)
			}
			if far := delay > 30*24*time.Hour; far == kept.IsZero() || far && kept.Before(begin.Add(delay)) {
				t.Errorf("with a delay of %s, the event is kept until %s", delay, kept)
			}
		})
	}
}

func TestManyEventsOfOneKeyAtOnceAreCountedExactly(t *testing.T) {
	s := newStand(t)
	s.subscribe(webhook.Subscription{ID: "s", Trigger: json.RawMessage(`{"every":10}`)})
	stages := []*fanout.Fanout{s.stage}
	for range 2 { // processes of their own, whose turns do not help each other
		stages = append(stages, &fanout.Fanout{
			Store: s.store, Events: s.stage.Events, Deliveries: s.stage.Deliveries, Now: s.now, Log: slog.New(slog.DiscardHandler),
		})
	}
	var events []webhook.Event
	for range 400 {
		events = append(events, s.event("a", "u1", epoch, `{}`))
	}
	work := make(chan []byte, len(events))
	for chunk := range slices.Chunk(append(events, events[:200]...), 20) {
		work <- message.Pack{Events: chunk}.Encode()
	}
	close(work)
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			for body := range work {
				for received := 1; ; received++ {
					failed := stages[i%len(stages)].Handle(t.Context(), []queue.Message{{ID: fmt.Sprint(i), Group: "acme", Body: body, Received: 1}})
					if len(failed) == 0 {
						break
					}
				}
			}
		})
	}
	wg.Wait()
	for soon := s.takeSoon(t); soon != nil; soon = s.takeSoon(t) { // what was put off
		s.stage.Handle(t.Context(), []queue.Message{{ID: "m", Group: "acme", Body: soon, Received: 1}})
	}
	ids := map[string]bool{}
	for _, f := range s.sent {
		ids[f.ID] = true
	}
	if len(ids) != 40 {
		t.Errorf("%d deliveries for 400 events, want every tenth: 40", len(ids))
	}
}
