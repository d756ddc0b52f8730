package fanout_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// sends keeps what was sent, call by call, and refuses the groups in refused.
type sends struct {
	calls   [][]queue.Message
	refused string
}

func (s *sends) Send(_ context.Context, messages []queue.Message) error {
	s.calls = append(s.calls, messages)
	var unsent queue.Unsent
	for i, m := range messages {
		if s.refused != "" && strings.HasSuffix(m.Group, s.refused) {
			unsent.Add(i, errors.New("refused"))
		}
	}
	return unsent.Result(len(messages))
}

// firsts are the first attempts in a message.
func firsts(t *testing.T, m queue.Message) (list []message.FirstAttempt) {
	t.Helper()
	bodies := [][]byte{m.Body}
	if several, err := message.DecodeAs[message.FirstAttempts](m.Body); err == nil {
		bodies = several
	}
	for _, body := range bodies {
		f, err := message.DecodeAs[message.FirstAttempt](body)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, f)
	}
	return list
}

// together is a stand whose first attempts share messages, four each.
func together(t *testing.T) (*stand, *sends) {
	s, out := newStand(t), &sends{}
	s.stage.Bundle, s.stage.Deliveries = 4, out
	return s, out
}

// batch is a message for each event.
func (s *stand) batch(events ...webhook.Event) (batch []queue.Message) {
	for _, e := range events {
		batch = append(batch, queue.Message{ID: e.ID, Group: "acme", Body: message.Pack{Events: []webhook.Event{e}}.Encode(), Received: 1})
	}
	return batch
}

func TestABatchesFirstAttemptsOfOneSubscriptionShareMessages(t *testing.T) {
	s, out := together(t)
	s.subscribe(webhook.Subscription{ID: "s1"})
	s.subscribe(webhook.Subscription{ID: "s2", Types: []string{"a.b"}})
	var events []webhook.Event
	for i := range 6 {
		events = append(events, s.event([]string{"a.b", "c"}[i%2], "u", s.now(), fmt.Sprintf(`{"n":%d}`, i)))
	}
	if failed := s.stage.Handle(t.Context(), s.batch(events...)); len(failed) > 0 {
		t.Fatalf("failed: %v", failed)
	}
	if len(out.calls) != 1 {
		t.Fatalf("%d calls of Send, want one for the batch", len(out.calls))
	}
	got := map[string][]int{} // how many first attempts each message of a group carries
	ids := map[string]bool{}
	for _, m := range out.calls[0] {
		list := firsts(t, m)
		got[m.Group] = append(got[m.Group], len(list))
		for _, f := range list {
			ids[f.ID] = true
			if group := message.SubscriptionGroup(f.Tenant, f.Subscription); group != m.Group {
				t.Errorf("a message of group %s carries an attempt of %s", m.Group, group)
			}
		}
	}
	want := map[string][]int{"acme/s1": {3, 3}, "acme/s2": {3}} // of events with one plan: their outcomes are recorded together
	if diff := cmp.Diff(want, got); diff != "" || len(ids) != 9 {
		t.Errorf("%d deliveries, want 9; first attempts by message (-want +got):\n%s", len(ids), diff)
	}
}

// At low rates each message to SQS is paid for alone.
func TestTheFewFirstAttemptsOfATenantShareOneMessage(t *testing.T) {
	s, out := together(t)
	for _, id := range []string{"s1", "s2", "s3"} {
		s.subscribe(webhook.Subscription{ID: id})
	}
	if failed := s.stage.Handle(t.Context(), s.batch(s.event("a.b", "u", s.now(), `{}`))); len(failed) > 0 {
		t.Fatalf("failed: %v", failed)
	}
	if len(out.calls) != 1 || len(out.calls[0]) != 1 {
		t.Fatalf("sent %v, want one message", out.calls)
	}
	to := map[string]bool{}
	for _, f := range firsts(t, out.calls[0][0]) {
		to[f.Subscription] = true
	}
	if len(to) != 3 {
		t.Errorf("its first attempts go to %v, want all three", to)
	}
}

func TestOnlyTheEventsWhoseAttemptsWereNotQueuedComeAgain(t *testing.T) {
	s, out := together(t)
	out.refused = "/s2"
	s.subscribe(webhook.Subscription{ID: "s1"})
	s.subscribe(webhook.Subscription{ID: "s2", Types: []string{"a.b"}})
	events := []webhook.Event{
		s.event("c", "u", s.now(), `{}`), s.event("a.b", "u", s.now(), `{}`), s.event("c", "u", s.now(), `{}`), s.event("a.b", "u", s.now(), `{}`),
	}
	batch := s.batch(events...)
	failed := s.stage.Handle(t.Context(), batch)
	if want := []string{events[1].ID, events[3].ID}; !slices.Equal(failed, want) {
		t.Errorf("failed %v, want %v", failed, want)
	}
	out.refused = ""
	if failed := s.stage.Handle(t.Context(), []queue.Message{batch[1], batch[3]}); len(failed) > 0 {
		t.Errorf("the second time %v failed", failed)
	}
	got := 0
	for _, m := range out.calls[1] {
		for _, f := range firsts(t, m) {
			if f.Subscription == "s2" {
				got++
			}
		}
	}
	if got != 2 {
		t.Errorf("%d first attempts of s2 at the second handling, want 2", got)
	}
}

func TestLargeFirstAttemptsTravelAlone(t *testing.T) {
	s, out := together(t)
	s.subscribe(webhook.Subscription{ID: "s1"})
	large := fmt.Sprintf(`{"x":%q}`, strings.Repeat("x", 40<<10))
	batch := s.batch(s.event("a", "u", s.now(), large), s.event("a", "u", s.now(), large), s.event("a", "u", s.now(), `{}`))
	if failed := s.stage.Handle(t.Context(), batch); len(failed) > 0 {
		t.Fatalf("failed: %v", failed)
	}
	for _, m := range out.calls[0] {
		if len(m.Body) > 64<<10 {
			t.Errorf("a message of %d bytes, want no more than SQS bills as one request", len(m.Body))
		}
	}
	if len(out.calls[0]) != 2 {
		t.Errorf("%d messages, want 2", len(out.calls[0]))
	}
}
