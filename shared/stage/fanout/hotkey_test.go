package fanout_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/fanout"
	"github.com/postino/postino/shared/webhook"
)

// slowTable is a store whose calls take 5 ms and whose partition takes as much
// as one of DynamoDB: all parts of a key stand in one.
type slowTable struct {
	*memory
	mu          sync.Mutex
	units       float64 // writes that the partition may still take
	since       time.Time
	underway    map[webhook.StateRef]bool // what transactions write now
	conflicts   int
	throttled   int
	saves, most int // saves, and parts of the largest
}

const (
	callTakes   = 5 * time.Millisecond
	writesOfOne = 1000 // units a second of a partition
)

func (s *slowTable) CreateEvent(ctx context.Context, e webhook.StoredEvent, profiles ...webhook.Profile) (webhook.StoredEvent, bool, error) {
	time.Sleep(callTakes)
	return s.memory.CreateEvent(ctx, e, profiles...)
}

func (s *slowTable) TriggerState(ctx context.Context, refs []webhook.StateRef) ([]webhook.StateItem, error) {
	time.Sleep(callTakes)
	return s.memory.TriggerState(ctx, refs)
}

// SaveTriggerState conflicts with others that write one of the parts meanwhile,
// as transactions do.
func (s *slowTable) SaveTriggerState(ctx context.Context, items []webhook.StateItem) error {
	if err := s.enter(items); err != nil {
		time.Sleep(callTakes)
		return err
	}
	time.Sleep(callTakes)
	s.mu.Lock()
	for _, it := range items {
		delete(s.underway, it.StateRef)
	}
	s.mu.Unlock()
	return s.memory.SaveTriggerState(ctx, items)
}

func (s *slowTable) enter(items []webhook.StateItem) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saves++
	s.most = max(s.most, len(items))
	s.units = min(writesOfOne, s.units+writesOfOne*time.Since(s.since).Seconds())
	s.since = time.Now()
	cost := float64(len(items))
	if len(items) > 1 {
		cost *= 2 // a transaction
	}
	if s.units < cost {
		s.throttled++
		return webhook.ErrBusy
	}
	s.units -= cost
	for _, it := range items {
		if s.underway[it.StateRef] {
			s.conflicts++
			return webhook.ErrConflict
		}
	}
	for _, it := range items {
		s.underway[it.StateRef] = true
	}
	return nil
}

// events is the queue: ten containers take ten messages of it at a time.
type events struct {
	mu    sync.Mutex
	queue []queued
	sent  map[string]bool
	putBy int // messages put off
	held  int // messages that are handled now
}

func (q *events) push(at time.Time, body []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.queue = append(q.queue, queued{at: at, body: body})
}

// take removes up to ten messages whose time has come.
func (q *events) take() (batch []queue.Message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	rest := q.queue[:0]
	for _, m := range q.queue {
		if len(batch) == 10 || m.at.After(time.Now()) {
			rest = append(rest, m)
			continue
		}
		batch = append(batch, queue.Message{ID: fmt.Sprint(len(batch)), Group: "acme", Body: m.body, Received: 1})
	}
	q.queue = rest
	q.held += len(batch)
	return batch
}

func (q *events) handled(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.held -= n
}

func (q *events) left() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.queue) + q.held
}

// Ten containers count 200 events a second of one key, each published alone or
// in arrays. Time is that of the bubble, so that how fast the machine is says
// nothing.
func TestAKeyTakesTwoHundredChangesASecond(t *testing.T) {
	for _, tt := range []struct {
		about   string
		trigger string
		array   int
	}{
		{"single events", `{"every":10}`, 1},
		{"arrays of 25", `{"every":10}`, 25},
		{"single events with distinct values", `{"every":10,"distinct":"data.v"}`, 1},
		{"single events and a cap", `{"every":10,"cap":{"max":100,"per":"1s"}}`, 1},
	} {
		t.Run(tt.about, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { hotKey(t, tt.trigger, tt.array) })
		})
	}
}

func hotKey(t *testing.T, trigger string, array int) {
	const each, total, containers = 200, 4000, 10
	table := &slowTable{memory: newMemory(), underway: map[webhook.StateRef]bool{}, units: writesOfOne, since: time.Now()}
	if _, err := table.SaveSubscription(t.Context(), webhook.Subscription{
		Tenant: "acme", ID: "s", URL: "https://a.example", State: webhook.Active, Trigger: json.RawMessage(trigger),
	}, 0); err != nil {
		t.Fatal(err)
	}
	q := &events{sent: map[string]bool{}}
	begin := time.Now()
	for i := 0; i < total; i += array {
		at := begin.Add(time.Duration(i) * time.Second / each)
		var p message.Pack
		for j := range array {
			p.Events = append(p.Events, webhook.Event{
				Tenant: "acme", ID: fmt.Sprint("e", i+j), Source: "/s", Type: "a", Subject: "u", Time: at, AcceptedAt: at,
				Order: webhook.OrderOf(at, j), Nonce: fmt.Sprint(i + j), Data: json.RawMessage(fmt.Sprintf(`{"v":%d}`, i+j)),
			})
		}
		q.push(at, p.Encode())
	}
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	var failed atomic.Int64
	for range containers {
		f := &fanout.Fanout{
			Store: table, Log: slog.New(slog.DiscardHandler),
			Events: sender(func(m queue.Message) {
				q.mu.Lock()
				q.putBy++
				q.mu.Unlock()
				q.push(time.Now().Add(m.Delay), m.Body)
			}),
			Deliveries: sender(func(m queue.Message) {
				first, err := message.DecodeAs[message.FirstAttempt](m.Body)
				if err != nil {
					t.Error(err)
				}
				q.mu.Lock()
				defer q.mu.Unlock()
				q.sent[first.ID] = true
			}),
		}
		all.Go(func() {
			for ctx.Err() == nil {
				if batch := q.take(); len(batch) > 0 {
					failed.Add(int64(len(f.Handle(ctx, batch))))
					q.handled(len(batch))
				} else {
					time.Sleep(10 * time.Millisecond)
				}
			}
		})
	}
	for q.left() > 0 && time.Since(begin) < 2*time.Minute {
		time.Sleep(100 * time.Millisecond)
	}
	took := time.Since(begin)
	stop()
	all.Wait()
	t.Logf("%d changes took %v: %.0f a second; %d saves of up to %d parts, %d conflicts, %d throttled, %d put off",
		total, took, total/took.Seconds(), table.saves, table.most, table.conflicts, table.throttled, q.putBy)
	if n := failed.Load(); n > 0 {
		t.Errorf("%d receipts failed, want none", n)
	}
	if late := took - total/each*time.Second; late > 3*time.Second {
		t.Errorf("the last change was late by %v, want 3s at most", late)
	}
	if len(q.sent) != total/10 {
		t.Errorf("%d deliveries, want every tenth of %d", len(q.sent), total)
	}
}
