package queuetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/shared/queue"
)

func testDelay(t *testing.T, s Suite) {
	q := s.open(t)
	late, soon := text("late"), text("soon")
	late.Delay, soon.Delay = 10*time.Minute, 2*time.Second
	sent := time.Now()
	send(t, q, late, soon, text("now"))
	expect(t, q, "now")
	m := receive(t, q, 1)
	if len(m) != 1 || string(m[0].Body) != "soon" {
		t.Fatalf("received %d messages, want the one delayed by 2 s", len(m))
	}
	if waited := time.Since(sent); waited < soon.Delay {
		t.Errorf("received after %v, want %v or more", waited, soon.Delay)
	}
	expectNone(t, q)
}

func testManyDelayed(t *testing.T, s Suite) {
	q := s.open(t)
	const many = 10_000
	messages := make([]queue.Message, many)
	for i := range messages {
		messages[i] = queue.Message{Body: fmt.Append(nil, i), Group: fmt.Sprint("group-", i%50), Delay: 10 * time.Minute}
	}
	send(t, q, messages...)
	for i := range 3 {
		body := fmt.Sprint("now ", i)
		send(t, q, text(body))
		remove(t, q, expect(t, q, body)...)
	}
	if n, err := q.Backlog(t.Context()); n != many || err != nil {
		t.Errorf("Backlog = %d, %v, want %d", n, err, many)
	}
	if !s.Bubble {
		return // time is real: the delayed ones are not waited for
	}
	time.Sleep(10 * time.Minute)
	seen := map[string]bool{}
	for _, m := range receive(t, q, many) {
		seen[string(m.Body)] = true
	}
	if len(seen) != many {
		t.Errorf("received %d of %d delayed messages", len(seen), many)
	}
}

func testRedelivery(t *testing.T, s Suite) {
	q, _ := s.Open(t, Options{Visibility: 2 * time.Second})
	send(t, q, text("a"))
	first := expect(t, q, "a")[0]
	again := receive(t, q, 1)
	if len(again) != 1 {
		t.Fatal("the message did not come again")
	}
	if m := again[0]; m.ID != first.ID || m.Receipt == first.Receipt || m.Received != 2 {
		t.Errorf("received id %q, receipt %q, received %d; first were %q, %q", m.ID, m.Receipt, m.Received, first.ID, first.Receipt)
	}
	remove(t, q, again...)
	time.Sleep(3 * time.Second)
	expectNone(t, q)
}

func testStaleReceipt(t *testing.T, s Suite) {
	q, _ := s.Open(t, Options{Visibility: 2 * time.Second})
	send(t, q, text("a"))
	first := receive(t, q, 1)
	if second := receive(t, q, 1); len(second) != 1 {
		t.Fatal("the message did not come again")
	}
	remove(t, q, first...)
	third := receive(t, q, 1)
	if len(third) != 1 {
		t.Fatal("a stale receipt deleted the message")
	}
	remove(t, q, third[0], third[0]) // twice is as good as once
}

func testDeadLetter(t *testing.T, s Suite) {
	q, dead := s.Open(t, Options{Visibility: time.Second, MaxReceive: 2})
	send(t, q, text("poison"), text("good"))
	for range 2 {
		for _, m := range receive(t, q, 2) {
			if string(m.Body) == "good" {
				remove(t, q, m)
			}
		}
		time.Sleep(1500 * time.Millisecond)
	}
	expectNone(t, q) // SQS looks at the count when it is asked
	got := receive(t, dead, 1)
	if len(got) != 1 || string(got[0].Body) != "poison" || got[0].Group != "group" {
		t.Fatalf("received %d dead letters, want the one that was never deleted", len(got))
	}
	expectNone(t, q)
}

func testRacingReceivers(t *testing.T, s Suite) {
	q := s.open(t)
	const many = 500
	var messages []queue.Message
	for i := range many {
		messages = append(messages, queue.Message{Body: fmt.Append(nil, i), Group: fmt.Sprint(i % 7)})
	}
	send(t, q, messages...)
	var mu sync.Mutex
	seen := map[string]int{}
	var receivers sync.WaitGroup
	for range 8 {
		receivers.Go(func() {
			for {
				got, err := q.Receive(t.Context(), batch, poll)
				if err != nil {
					t.Errorf("Receive: %v", err)
				}
				mu.Lock()
				for _, m := range got {
					seen[m.ID]++
				}
				mu.Unlock()
				if len(got) == 0 {
					return
				}
				remove(t, q, got...)
			}
		})
	}
	receivers.Wait()
	for id, n := range seen {
		if n > 1 {
			t.Errorf("message %s was received %d times", id, n)
		}
	}
	if len(seen) != many {
		t.Errorf("received %d messages, want %d", len(seen), many)
	}
}

func testWait(t *testing.T, s Suite) {
	q := s.open(t)
	start := time.Now()
	if got, err := q.Receive(t.Context(), 1, time.Second); len(got) != 0 || err != nil {
		t.Errorf("Receive from an empty queue: %d messages, %v", len(got), err)
	}
	if waited := time.Since(start); waited < time.Second {
		t.Errorf("Receive waited %v, want 1s", waited)
	}
	var sender sync.WaitGroup
	sender.Go(func() {
		time.Sleep(time.Second)
		send(t, q, text("a"))
	})
	if got, err := q.Receive(t.Context(), 1, 20*time.Second); len(got) != 1 || err != nil {
		t.Errorf("Receive: %d messages, %v, want the one sent meanwhile", len(got), err)
	}
	sender.Wait()
}

func testBacklog(t *testing.T, s Suite) {
	q := s.open(t)
	late := text("late")
	late.Delay = 10 * time.Minute
	check := func(when string, want int) {
		t.Helper()
		if n, err := q.Backlog(t.Context()); n != want || err != nil {
			t.Errorf("Backlog %s = %d, %v, want %d", when, n, err, want)
		}
	}
	check("of an empty queue", 0)
	send(t, q, late, text("a"), text("b"))
	got := receive(t, q, 1)
	check("with one waiting, one delayed and one handed out", 3)
	remove(t, q, got...)
	check("after a delete", 2)
}

func testTurns(t *testing.T, s Suite) {
	q := s.open(t)
	var busy []queue.Message
	for i := range 1000 {
		busy = append(busy, queue.Message{Body: fmt.Append(nil, i), Group: "busy"})
	}
	send(t, q, busy...)
	first := receive(t, q, 20)
	for _, g := range []string{"quiet-1", "quiet-2", "quiet-3"} {
		send(t, q, queue.Message{Body: []byte(g), Group: g})
	}
	groups := map[string]int{}
	for _, m := range receive(t, q, 8) {
		groups[m.Group]++
	}
	if groups["busy"] != 5 || len(groups) != 4 {
		t.Errorf("8 messages after %d of the busy group are of %v, want 3 quiet groups and the busy one", len(first), groups)
	}
	if rest := receive(t, q, 1000); len(rest) != 1000-20-5 {
		t.Errorf("received %d more, want the busy group's other 975", len(rest))
	}
}

// testOwners: fifty groups of one owner get the turns of one.
func testOwners(t *testing.T, s Suite) {
	q := s.open(t)
	const groups, each = 50, 20
	var greedy []queue.Message
	for i := range groups * each {
		greedy = append(greedy, queue.Message{Body: fmt.Append(nil, i), Group: fmt.Sprint("greedy/", i%groups)})
	}
	send(t, q, greedy...)
	first := receive(t, q, 20)
	for _, g := range []string{"calm/1", "calm/2", "other/1"} {
		send(t, q, queue.Message{Body: []byte(g), Group: g})
	}
	owners := map[string]int{}
	for _, m := range receive(t, q, 6) {
		owners[queue.Owner(m.Group)]++
	}
	if owners["greedy"] != 3 || owners["calm"] != 2 || owners["other"] != 1 {
		t.Errorf("6 messages after %d of the greedy owner are of %v, want 3 of it, 2 calm ones and 1 other", len(first), owners)
	}
	if rest := receive(t, q, groups*each); len(rest) != groups*each-20-3 {
		t.Errorf("received %d more, want the greedy owner's other %d", len(rest), groups*each-20-3)
	}
}

func testMove(t *testing.T, s Suite) {
	q, dead := s.Open(t, Options{Visibility: time.Minute})
	var bodies []string
	for i := range 30 {
		bodies = append(bodies, fmt.Sprint("letter ", i))
		send(t, dead, queue.Message{Body: []byte(bodies[i]), Group: fmt.Sprint("group-", i%3)})
	}
	if moved := s.Move(t, dead, q, 100); moved != 30 {
		t.Errorf("moved %d, want 30", moved)
	}
	for _, m := range expect(t, q, bodies...) {
		if m.Received != 1 || m.Group == "" {
			t.Errorf("moved message has group %q and was received %d times", m.Group, m.Received)
		}
	}
	expectNone(t, dead)
}
