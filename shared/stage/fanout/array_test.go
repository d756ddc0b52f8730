package fanout_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/store/storetest"
	"github.com/postino/postino/shared/webhook"
)

// flights are events of one subject, as one array.
func (s *stand) flights(n int) []webhook.Event {
	events := make([]webhook.Event, n)
	for i := range events {
		events[i] = s.event("flight", "u", s.now(), fmt.Sprintf(`{"flight":%d}`, i+1))
		events[i].Order = webhook.OrderOf(s.now(), i)
	}
	return events
}

// parts takes an array apart.
func parts(events []webhook.Event, sizes ...int) (bodies [][]byte) {
	p := message.Pack{Request: events[0].Nonce}
	for i, n := range sizes {
		p.Events, events = events[:n], events[n:]
		p.Last = i == len(sizes)-1
		bodies = append(bodies, p.Encode())
		p.First += n
	}
	return bodies
}

func TestTheFifthOfAnArrayIsTheFifth(t *testing.T) {
	for _, others := range []int{0, 150} { // with many subscribers, plans have pages
		s := newStand(t)
		for i := range others {
			s.subscribe(webhook.Subscription{ID: fmt.Sprintf("o%03d", i), Types: []string{"flight"}, URL: "https://b.example"})
		}
		s.subscribe(webhook.Subscription{ID: "s", Types: []string{"flight"}, Trigger: json.RawMessage(`{"at":5}`)})
		for user := range 20 {
			events := s.flights(6)
			for i := range events {
				events[i].Subject = fmt.Sprint("u", user)
			}
			s.sent = nil
			s.handle(message.Pack{Events: events}.Encode())
			s.settle()
			all := s.sent
			s.sent = nil
			for _, f := range all {
				if f.Subscription == "s" {
					s.sent = append(s.sent, f)
				}
			}
			if len(all) != 6*others+1 {
				t.Errorf("with %d others, %d deliveries, want one for each and one of the trigger", others, len(all))
			}
			s.want(fmt.Sprintf("user %d, %d others", user, others), events[4])
		}
	}
}

func TestPartsOfAnArrayWaitForThoseBefore(t *testing.T) {
	synctest.Test(t, partsWait)
}

func partsWait(t *testing.T) {
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {2, 0, 1}} {
		s := newStand(t)
		s.subscribe(webhook.Subscription{ID: "s", Types: []string{"flight"}, Trigger: json.RawMessage(`{"every":4}`)})
		events := s.flights(9)
		bodies := parts(events, 3, 4, 2)
		for _, i := range order {
			s.handle(bodies[i])
		}
		for range 3 {
			s.advance(time.Minute)
		}
		s.want(fmt.Sprintf("parts in order %v", order), events[3], events[7])
	}
}

func TestAPartGivesUpWaitingForWhatNeverComes(t *testing.T) {
	synctest.Test(t, partGivesUp)
}

func partGivesUp(t *testing.T) {
	s := newStand(t)
	s.subscribe(webhook.Subscription{ID: "s", Types: []string{"flight"}, Trigger: json.RawMessage(`{"at":1}`)})
	events := s.flights(2)
	s.handle(parts(events, 1, 1)[1])
	for range 58 {
		s.advance(time.Minute)
	}
	s.want("within an hour")
	for range 10 {
		s.advance(time.Minute)
	}
	s.want("after an hour", events[1])
}

// stumbling fails to store one event until it is told to.
type stumbling struct {
	storetest.Store
	over string
}

func (s *stumbling) CreateEvent(ctx context.Context, e webhook.StoredEvent, profiles ...webhook.Profile) (webhook.StoredEvent, bool, error) {
	if e.ID == s.over {
		return webhook.StoredEvent{}, false, errors.New("stumbled")
	}
	return s.Store.CreateEvent(ctx, e, profiles...)
}

func TestAnArrayOfWhichOneFailsKeepsItsOrder(t *testing.T) {
	synctest.Test(t, oneFails)
}

func oneFails(t *testing.T) {
	for _, received := range []int{1, 4} { // a pack that fails again and again is taken apart
		s := newStand(t)
		odd := &stumbling{Store: s.store.Store}
		s.store.Store = odd
		s.subscribe(webhook.Subscription{ID: "s", Types: []string{"flight"}, Trigger: json.RawMessage(`{"at":3}`)})
		s.subscribe(webhook.Subscription{ID: "all", Types: []string{"flight"}, URL: "https://b.example"})
		events := s.flights(5)
		odd.over = events[1].ID
		body := message.Pack{Events: events}.Encode()
		if failed := s.stage.Handle(t.Context(), []queue.Message{{ID: "m", Group: "acme", Body: body, Received: 1}}); len(failed) != 1 {
			t.Fatal("a pack of which an event could not be stored was acknowledged")
		}
		s.sent, odd.over = nil, ""
		if failed := s.stage.Handle(t.Context(), []queue.Message{{ID: "m", Group: "acme", Body: body, Received: received}}); len(failed) != 0 {
			t.Fatal("the pack failed again")
		}
		for range 5 {
			s.advance(time.Minute)
		}
		fired := 0
		for _, f := range s.sent {
			if f.Subscription == "s" {
				if fired++; f.Event != events[2].ID {
					t.Errorf("received %d times: %s fired, want %s, the third", received, f.Event, events[2].ID)
				}
			}
		}
		if fired == 0 {
			t.Errorf("received %d times: nothing fired", received)
		}
	}
}
