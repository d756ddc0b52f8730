// Package queuetest is the test suite for queue adapters, and a queue with
// deliberate faults for tests of stages.
package queuetest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/delivery"
	"github.com/postino/postino/shared/stage/fanout"
	"github.com/postino/postino/shared/stage/ingest"
	"github.com/postino/postino/shared/stage/manage"
	"github.com/postino/postino/shared/stage/sweep"
)

// Queue is all that stages and doors ask of a queue.
type Queue interface {
	ingest.Sender
	fanout.Sender
	delivery.Sender
	manage.Resender
	manage.Backlog
	sweep.Sender

	// Receive hands out up to limit messages and hides them for the visibility
	// timeout. It waits up to wait for the first; none is no error. A message's
	// group may be a coarser one than it was sent with, of the same owner.
	Receive(ctx context.Context, limit int, wait time.Duration) ([]queue.Message, error)
	// Delete removes received messages for good. A receipt of a message that
	// was received again since deletes nothing and is no error. One whose
	// visibility timeout has passed without that may delete or not.
	Delete(ctx context.Context, receipts []string) error
}

// Options are what a case asks of its queue.
type Options struct {
	Visibility time.Duration // whole seconds
	MaxReceive int           // receipts before a message becomes a dead letter; 0 means no limit
}

// Suite says how to make the queues under test.
type Suite struct {
	// Open returns an empty queue and the one for its dead letters, which is
	// only looked at if MaxReceive is set, or messages are moved.
	Open func(t *testing.T, o Options) (q, dead Queue)
	// Move moves up to limit messages from one queue of Open to the other; nil
	// if the adapter has no part in that.
	Move func(t *testing.T, from, to Queue, limit int) (moved int)
	// Fair says that owners and groups take turns strictly, not just
	// statistically, and that messages keep their groups.
	Fair bool
	// Bubble runs each case in a testing/synctest bubble.
	Bubble bool
}

// limits of the calls that receivers make, those of SQS.
const (
	batch = 10
	poll  = time.Second
)

// Run runs all cases that apply.
func (s Suite) Run(t *testing.T) {
	cases := map[string]func(*testing.T, Suite){
		"AMessageArrivesOnceAndIsDeleted":         testArrival,
		"AnyBytesArriveIntact":                    testBytes,
		"ALargeBodyArrivesIntact":                 testLargestBody,
		"AWrongBodyIsRefusedAlone":                testWrongBody,
		"AWrongDelayIsRefusedAlone":               testWrongDelay,
		"AWrongGroupRefusesAll":                   testWrongGroup,
		"TheSendersBytesAreItsOwn":                testReusedBody,
		"ManyMessagesGoInOneSend":                 testManyPerSend,
		"NoMessageIsASendToo":                     testEmptySend,
		"ACanceledSendSendsNothing":               testCanceledSend,
		"ADelayIsKept":                            testDelay,
		"DelayedMessagesDoNotHoldUpOthers":        testManyDelayed,
		"AMessageNotDeletedComesAgain":            testRedelivery,
		"AStaleReceiptDeletesNothing":             testStaleReceipt,
		"TooManyReceiptsMakeADeadLetter":          testDeadLetter,
		"RacingReceiversNeverShareAMessage":       testRacingReceivers,
		"ReceiveWaitsForAMessage":                 testWait,
		"BacklogCountsWaitingDelayedAndHandedOut": testBacklog,
	}
	if s.Fair {
		cases["GroupsTakeTurns"] = testTurns
		cases["OwnersTakeTurnsBeforeTheirGroups"] = testOwners
	}
	if s.Move != nil {
		cases["MovedMessagesAreReceivedFromTheOtherQueue"] = testMove
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			if !s.Bubble {
				t.Parallel()
				test(t, s)
				return
			}
			synctest.Test(t, func(t *testing.T) { test(t, s) })
		})
	}
}

// open opens a queue whose messages stay hidden long enough for any case.
func (s Suite) open(t *testing.T) Queue {
	t.Helper()
	q, _ := s.Open(t, Options{Visibility: time.Minute})
	return q
}

func send(t *testing.T, q Queue, messages ...queue.Message) {
	t.Helper()
	if err := q.Send(t.Context(), messages); err != nil {
		t.Fatalf("Send of %d messages: %v", len(messages), err)
	}
}

func remove(t *testing.T, q Queue, messages ...queue.Message) {
	t.Helper()
	receipts := make([]string, len(messages))
	for i, m := range messages {
		receipts[i] = m.Receipt
	}
	for len(receipts) > 0 {
		n := min(len(receipts), batch)
		if err := q.Delete(t.Context(), receipts[:n]); err != nil {
			t.Fatalf("Delete of %d receipts: %v", n, err)
		}
		receipts = receipts[n:]
	}
}

// receive receives until there are n messages, or none came for a while.
func receive(t *testing.T, q Queue, n int) (messages []queue.Message) {
	t.Helper()
	for idle := 0; len(messages) < n && idle < 5; {
		got, err := q.Receive(t.Context(), min(batch, n-len(messages)), poll)
		if err != nil {
			t.Fatalf("Receive: %v", err)
		}
		if len(got) > min(batch, n-len(messages)) {
			t.Fatalf("Receive handed out %d messages, want at most %d", len(got), min(batch, n-len(messages)))
		}
		if messages = append(messages, got...); len(got) == 0 {
			idle++
		}
	}
	return messages
}

// expect receives exactly the bodies, in any order, and nothing after them.
func expect(t *testing.T, q Queue, bodies ...string) []queue.Message {
	t.Helper()
	messages := receive(t, q, len(bodies))
	want := map[string]int{}
	for _, b := range bodies {
		want[b]++
	}
	for _, m := range messages {
		if want[string(m.Body)]--; want[string(m.Body)] < 0 {
			t.Errorf("received %s, which was not sent that often", quote(m.Body))
		}
	}
	if len(messages) < len(bodies) {
		t.Fatalf("received %d messages, want %d", len(messages), len(bodies))
	}
	expectNone(t, q)
	return messages
}

func expectNone(t *testing.T, q Queue) {
	t.Helper()
	messages, err := q.Receive(t.Context(), batch, 0)
	if err != nil {
		t.Fatalf("Receive: %v", err)
	}
	for _, m := range messages {
		t.Errorf("received %s, want nothing", quote(m.Body))
	}
}
