package simulation_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/postino/postino/shared/queue"
)

// visibility is how long a message that was received stays hidden, and most is
// how often it may be received before a real queue would set it aside.
const (
	visibility   = 100 * time.Second
	mostReceived = 20
)

// item is a message in a queue.
type item struct {
	queue.Message
	at   time.Time // when it can be received
	gone bool
}

// queueNames are the queues, in the order in which the world looks at them.
var queueNames = []string{"events", "deliveries", "retries", "resend"}

func (w *world) put(name string, m queue.Message) {
	w.messages++
	m.ID = fmt.Sprint("m", w.messages)
	w.queues[name] = append(w.queues[name], &item{Message: m, at: time.Now().Add(m.Delay)})
}

// sweepGone forgets what was deleted.
func (w *world) sweepGone(name string) {
	kept := w.queues[name][:0]
	for _, it := range w.queues[name] {
		if !it.gone {
			kept = append(kept, it)
		}
	}
	w.queues[name] = kept
}

// ready picks one of the messages that can be received now, in no order.
func (w *world) ready() (name string, picked *item) {
	n, now := 0, time.Now()
	for _, q := range queueNames {
		for _, it := range w.queues[q] {
			if it.gone || it.at.After(now) {
				continue
			}
			if n++; w.rng.IntN(n) == 0 {
				name, picked = q, it
			}
		}
	}
	return name, picked
}

// next is when something falls due; zero if nothing ever does.
func (w *world) next() (at time.Time) {
	soonest := func(t time.Time) {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	for _, q := range queueNames {
		for _, it := range w.queues[q] {
			if !it.gone {
				soonest(it.at)
			}
		}
	}
	if due, found := w.store.NextDue(); found {
		soonest(later(due.Add(-time.Minute).Truncate(time.Minute), w.swept.Add(time.Minute)))
	}
	if len(w.plans) > 0 {
		soonest(w.plans[0].at)
	}
	return at
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

var errUnsent = errors.New("the queue's answer was lost")

type heldSend struct {
	queue    string
	messages []queue.Message
}

// send is one SendMessageBatch.
func (c *container) send(name string, messages []queue.Message) error {
	var unsent queue.Unsent
	err := c.cross("Send "+name, func() error {
		for i, m := range messages {
			fault := 0
			if c.w.chaos() && c.w.rng.IntN(60) == 0 {
				fault = 1 + c.w.rng.IntN(3)
			}
			switch fault {
			case 1: // refused
				unsent.Add(i, errUnsent)
				continue
			case 2: // taken, and reported as refused
				unsent.Add(i, errUnsent)
			case 3:
				c.w.put(name, m)
			}
			c.w.put(name, m)
		}
		return unsent.Result(len(messages))
	})
	return err
}
