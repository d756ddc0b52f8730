package localqueue_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/postino/postino/shared/platform/local/localqueue"
)

// TestReadingBackReadsItsMessagesAlone holds the amount of work: what is read
// does not depend on how many other messages are stored.
func TestReadingBackReadsItsMessagesAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		db := openDB(t, t.TempDir())
		set, err := localqueue.New(t.Context(), db, localqueue.Config{})
		if err != nil {
			t.Fatal(err)
		}
		q := openQueue(t, set, "q", localqueue.QueueConfig{})
		other := openQueue(t, set, "other", localqueue.QueueConfig{})
		for i := range 500 {
			later := message(fmt.Sprint("g", i), "later")
			later.Delay = time.Minute
			sendAll(t, other, message("g", "spilled"), later) // nobody reads it
			sendAll(t, q, later)
		}
		due := message("g", "due")
		due.Delay = time.Second
		sendAll(t, q, due, message("g", "spilled"))
		before := db.RowsRead()
		if got := receiveAll(t, q); len(got) != 1 {
			t.Errorf("received %d, want the one that is not delayed", len(got))
		}
		time.Sleep(time.Second)
		if got := receiveAll(t, q); len(got) != 1 {
			t.Errorf("received %d, want the one that is due", len(got))
		}
		if read := db.RowsRead() - before; read > 10 {
			t.Errorf("%d rows were read for two messages, want at most 10", read)
		}
	})
}
