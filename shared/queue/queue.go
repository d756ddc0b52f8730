// Package queue is the contract between the stages and their queues: what a
// message is, what a queue guarantees, and its limits. The test suite queuetest
// checks every adapter.
package queue

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Limits of every queue, SQS's own.
const (
	MaxDelay = 15 * time.Minute // the most a message can be delayed
	MaxBody  = 700 << 10        // bytes of one body as the stages see it: packed for SQS it stays below 1 MiB
	MaxGroup = 128              // characters of a group
)

// The refusals of Send, found by errors.Is in [Unsent].Err.
var (
	ErrDelay    = errors.New("delay is negative or over 15 minutes")
	ErrTooLarge = errors.New("message body is empty or too large")
	ErrGroup    = errors.New("group is empty or over 128 characters")
	ErrBusy     = errors.New("queue takes nothing now")
)

// Message is one unit of work.
type Message struct {
	Body  []byte        // any bytes; at most [MaxBody]
	Group string        // whose work it is, see [Owner]: groups get fair turns; printable ASCII without spaces
	Delay time.Duration // before it can be received; at most [MaxDelay]

	// Set by Receive.
	ID       string // the queue's own, the same at each receipt
	Receipt  string // names this receipt; stale once the message is received again
	Received int    // times received, this one included
}

// Owner returns the owner of a group: the part before the first slash. Queues
// take turns among owners first, and then among the groups of each owner, so that
// an owner does not get more by having more groups.
func Owner(group string) string {
	owner, _, _ := strings.Cut(group, "/")
	return owner
}

// Unsent lists the messages of one Send that the queue did not accept. All others
// are durable in the queue.
type Unsent struct {
	Indexes []int // into the messages given to Send, ascending
	Err     error // the first cause
}

// Error names how many were not sent and why.
func (u *Unsent) Error() string {
	return fmt.Sprintf("%d messages not sent: %v", len(u.Indexes), u.Err)
}

// Unwrap returns the cause.
func (u *Unsent) Unwrap() error { return u.Err }
