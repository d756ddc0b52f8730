package delivery_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// emitted are the events that callbacks have made.
type emitted struct {
	t      *testing.T
	events []webhook.Event
	refuse int // so many times
}

func (e *emitted) Send(_ context.Context, messages []queue.Message) error {
	if e.refuse > 0 {
		e.refuse--
		return errors.New("the queue is down")
	}
	for _, m := range messages {
		p, err := message.DecodeAs[message.Pack](m.Body)
		if err != nil {
			e.t.Fatal(err)
		}
		e.events = append(e.events, p.Events...)
	}
	return nil
}

// emits has the yard's workers publish to a queue that refuses at first.
func (y *yard) emits(refuse int) *emitted {
	e := &emitted{t: y.t, refuse: refuse}
	for _, d := range y.workers {
		d.Events = e
	}
	return e
}

func emitting(data string) func(*webhook.Subscription) {
	return func(s *webhook.Subscription) {
		s.Emit = &webhook.Emit{On: webhook.EmitOnSuccess, Type: "called", Data: json.RawMessage(data)}
	}
}

func TestACallbackThatSucceedsMakesOneEventThoughItIsRepeated(t *testing.T) {
	onEachStore(t, func(t *testing.T, y *yard) {
		out := y.emits(2)
		s, plain := y.subscribe("s", emitting(`{"status":"{{ response.status }}"}`)), y.subscribe("plain", nil)
		first := y.clock.Add(30 * time.Second)
		y.answers = func(string) int {
			if y.clock.Before(first) {
				return 500 // what fails makes none
			}
			return 202
		}
		id := y.occur(s, 1)
		y.deliver(plain, 1)
		y.play(y.clock.Add(48 * time.Hour))
		if d := y.delivery(id); d.Status != webhook.Succeeded {
			t.Fatalf("the delivery is %s", d.Status)
		}
		var ids []string
		for _, e := range out.events {
			if e.Type != "called" || string(e.Data) != `{"status":202}` || e.Depth != 1 || e.Subject != "u1" {
				t.Errorf("emitted %+v with %s, want the type called, the status, depth 1, and the subject", e, e.Data)
			}
			ids = append(ids, e.Source+" "+e.ID)
		}
		slices.Sort(ids)
		if ids = slices.Compact(ids); len(ids) != 1 {
			t.Errorf("the events are %q, want one: the success is recorded only once it is published", ids)
		}
		if posts := y.takePosts("/s"); len(posts) != 4 {
			t.Errorf("%d posts, want one that fails, and three as two could not be published", len(posts))
		}
	})
}

func TestAChainIsCutAndWhatCannotBeMadeHoldsUpNothing(t *testing.T) {
	onEachStore(t, func(t *testing.T, y *yard) {
		out := y.emits(0)
		deep := y.subscribe("deep", emitting(`{}`))
		e := y.event(1, "u1")
		e.Depth = webhook.MaxDepth
		if _, _, err := y.store.CreateEvent(t.Context(), webhook.StoredEvent{Event: e}); err != nil {
			t.Fatal(err)
		}
		cut := y.deliver(deep, 1)
		wrong := y.occur(y.subscribe("wrong", emitting(`{"x":"{{ 1 | divided_by: 0 }}"}`)), 2)
		y.play(y.clock.Add(time.Hour))
		for _, id := range []string{cut, wrong} {
			if d := y.delivery(id); d.Status != webhook.Succeeded {
				t.Errorf("delivery %s is %s, want it succeeded", id, d.Status)
			}
		}
		if len(out.events) != 0 || y.counts["chains_cut"] != 1 || y.counts["emits_failed"] != 1 {
			t.Errorf("emitted %v, counts %v, want no event, one chain cut, and one that failed", out.events, y.counts)
		}
	})
}

func TestURLAndHeadersTellTheAttemptFromTheFirstOn(t *testing.T) {
	onEachStore(t, func(t *testing.T, y *yard) {
		s := y.subscribe("s", func(s *webhook.Subscription) {
			s.URL = "https://a.example/try/{{ attempt.number }}/{{ sent_at | date: '%H:%M' }}"
		})
		y.answers = func(path string) int {
			if path < "/try/3" {
				return 500
			}
			return 200
		}
		y.occur(s, 1)
		y.play(y.clock.Add(48 * time.Hour))
		var paths []string
		for _, p := range y.posts {
			paths = append(paths, p.path)
		}
		if got := fmt.Sprint(paths); len(paths) != 3 || paths[0] != "/try/1/12:00" || paths[1] != "/try/2/12:01" || paths[2][:7] != "/try/3/" {
			t.Errorf("posted to %s, want the number and the time of each of three attempts", got)
		}
	})
}
