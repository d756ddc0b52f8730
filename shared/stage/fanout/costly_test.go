package fanout_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// repeated joins n JSON values into a list.
func repeated(n int, value func(i int) string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = value(i)
	}
	return "[" + strings.Join(all, ",") + "]"
}

// costlyFilter cannot be judged on costlyData within the steps of a match.
var (
	costlyFilter = json.RawMessage(`{"data":{"a":` + repeated(2500, func(i int) string { return fmt.Sprintf(`{"wildcard":"*%d*"}`, i) }) + `}}`)
	costlyData   = `{"a":` + repeated(40_000, func(int) string { return `"xyz"` }) + `,"b":1}`
)

func (s *stand) canceled(sub string) (reasons []webhook.Reason) {
	s.t.Helper()
	list, _, err := s.store.PageDeliveries(s.t.Context(), "acme", webhook.DeliveryFilter{Subscription: sub}, webhook.Page{Limit: 10})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, d := range list {
		reasons = append(reasons, d.Reason)
	}
	return reasons
}

func TestWhatCannotBeMatchedInTimeIsCanceledForItsOwnerToSee(t *testing.T) {
	s := newStand(t)
	s.subscribe(webhook.Subscription{ID: "costly", Filter: costlyFilter})
	s.subscribe(webhook.Subscription{ID: "counts", Filter: costlyFilter, Trigger: json.RawMessage(`{"every":1}`)})
	s.subscribe(webhook.Subscription{ID: "cheap", Filter: json.RawMessage(`{"data":{"b":[1]}}`)})
	e := s.event("t", "", s.now(), costlyData)
	s.publish(e)
	var sent []string
	for _, f := range s.sent {
		sent = append(sent, f.Subscription)
	}
	if !slices.Equal(sent, []string{"cheap"}) {
		t.Errorf("sent to %q, want only to cheap", sent)
	}
	for _, sub := range []string{"costly", "counts"} {
		if got := s.canceled(sub); !slices.Equal(got, []webhook.Reason{webhook.ReasonFilterCost}) {
			t.Errorf("deliveries of %s ended by %q, want one by %q", sub, got, webhook.ReasonFilterCost)
		}
	}
}

func TestACancelClauseThatCannotBeMatchedIsTold(t *testing.T) {
	s := newStand(t)
	s.subscribe(webhook.Subscription{ID: "s", Types: []string{"start"}, Trigger: json.RawMessage(
		`{"key":["subject"],"delay":"1h","cancel":[{"types":["stop"],"filter":` + string(costlyFilter) + `},{"types":["stop"]}]}`)})
	s.publish(s.event("start", "k", s.now(), `{}`))
	s.publish(s.event("stop", "k", s.now(), costlyData))
	s.advance(2 * 3600e9)
	s.want("after a stop that a second clause met in full")
	if got := s.canceled("s"); !slices.Contains(got, webhook.ReasonFilterCost) {
		t.Errorf("deliveries ended by %q, want one by %q", got, webhook.ReasonFilterCost)
	}
}

func TestAHandlerThatIsToStopStopsBetweenSubscriptions(t *testing.T) {
	s := newStand(t)
	for i := range 20 {
		s.subscribe(webhook.Subscription{ID: fmt.Sprintf("s%02d", i)})
	}
	e := s.event("t", "", s.now(), `{}`)
	m := []queue.Message{{ID: "m", Group: "acme", Body: message.Pack{Events: []webhook.Event{e}}.Encode(), Received: 1}}
	ctx, cancel := context.WithCancelCause(t.Context())
	s.store.versions = func() { cancel(errors.New("asked to stop")) } // while it carries out
	faults := 0
	s.stage.Count = func(name string, n int) {
		if name == "messages_failed" {
			faults += n
		}
	}
	if failed := s.stage.Handle(ctx, m); !slices.Equal(failed, []string{"m"}) || len(s.sent) > 0 || faults != 1 {
		t.Errorf("failed %q with %d sent and %d faults counted, want the message, nothing and one", failed, len(s.sent), faults)
	}
	s.store.versions = nil
	if failed := s.stage.Handle(t.Context(), m); len(failed) > 0 || len(s.sent) != 20 {
		t.Errorf("when it came again: failed %q, sent %d, want none and 20", failed, len(s.sent))
	}
}
