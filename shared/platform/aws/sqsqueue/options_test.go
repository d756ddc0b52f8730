package sqsqueue

import (
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// Without a bound the first silent connection takes all the time that a
// function has, 25 seconds at least, and the second try never comes.
func TestACallIsTriedAgainWhileItsFunctionStillRuns(t *testing.T) {
	var o sqs.Options
	Options(&o)
	client, ok := o.HTTPClient.(*awshttp.BuildableClient)
	if !ok || client.GetTimeout() <= 0 {
		t.Fatalf("a try of a call may take for ever: %T", o.HTTPClient)
	}
	tries := time.Duration(o.Retryer.MaxAttempts())
	if longest := tries*client.GetTimeout() + (tries-1)*longestPause; tries < 2 || longest >= 25*time.Second {
		t.Errorf("%d tries of %v take up to %v, want two or more within 25 s", tries, client.GetTimeout(), longest)
	}
}
