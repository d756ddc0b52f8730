package manage_test

import (
	"context"
	"testing"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/webhook"
)

// watch is a subscriber that sees how long a test may take.
type watch struct{ patience time.Duration }

func (w *watch) Test(ctx context.Context, _ webhook.Subscription, _ webhook.Trial) (webhook.Attempt, error) {
	if until, ok := ctx.Deadline(); ok {
		w.patience = time.Until(until)
	}
	return webhook.Attempt{Number: 1, Error: webhook.ErrorTimeout}, nil
}

func TestATestOutlastsTheLongestAttempt(t *testing.T) {
	w, seen := open(t), &watch{}
	w.Tester = seen
	w.must(t, 201, "PUT", "/subscriptions/s", `{"url":"https://a.example","retry":{"timeout":"25s"}}`)
	w.must(t, 200, "POST", "/subscriptions/s/test", `{"event":{"type":"a","data":{}}}`)
	const toAnswer = time.Second // after the attempt
	if least := retry.MaxTimeout + toAnswer; seen.patience < least || seen.patience > httpapi.Longest {
		t.Errorf("a test may take %v, want %v to %v", seen.patience, least, httpapi.Longest)
	}
}
