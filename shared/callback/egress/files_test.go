package egress

import "testing"

// A Lambda function may open 1,024 files. One more fails whatever needs it, a
// call to the table as well as a callback.
func TestAFunctionHasFilesForAllThatItKeepsAndDoes(t *testing.T) {
	const (
		kept     = functionSecure + functionPlain + maxPrivate*2*maxPrivateIdle
		inHand   = 10 * 10 * 2 // the callbacks of a batch, each by two addresses at a time
		table    = 64          // connections to DynamoDB
		queues   = 6 * 10      // to SQS, of each client
		ofRun    = 16          // the runtime's own, the log, name servers
		mayOpen  = 1024
		together = kept + inHand + table + queues + ofRun
	)
	if together > mayOpen {
		t.Errorf("%d files: %d connections kept, %d callbacks and %d of others, want %d at most", together, kept, inHand, table+queues+ofRun, mayOpen)
	}
}
