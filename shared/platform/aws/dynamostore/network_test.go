package dynamostore_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/postino/postino/shared/platform/aws/dynamostore"
)

// network stands between a store and its server, and can do harm to calls.
type network struct {
	dynamodb.HTTPClient
	mu    sync.Mutex
	harms map[string]*harm // by operation, such as "PutItem"
}

// harm befalls the next times calls of an operation; -1 is all of them.
type harm struct {
	times int
	do    func(n *network, call *http.Request) (*http.Response, error)
}

// behind returns a store whose calls go through a network, and repeat at once.
func behind(t *testing.T) (*dynamostore.Store, *network) {
	t.Helper()
	n := &network{harms: map[string]*harm{}}
	return open(t, func(o *dynamodb.Options) {
		n.HTTPClient, o.HTTPClient = o.HTTPClient, n
		o.Retryer = retry.NewStandard(func(r *retry.StandardOptions) {
			r.MaxAttempts = 4
			r.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			r.RateLimiter = ratelimit.None
		})
	}), n
}

// harm replaces what befalls an operation.
func (n *network) harm(operation string, times int, do func(*network, *http.Request) (*http.Response, error)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.harms[operation] = &harm{times, do}
}

// heal lets all calls pass.
func (n *network) heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.harms)
}

// Do makes or harms one call.
func (n *network) Do(call *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(call.Header.Get("X-Amz-Target"), ".")
	if do := n.next(operation); do != nil {
		return do(n, call)
	}
	return n.HTTPClient.Do(call)
}

func (n *network) next(operation string) func(*network, *http.Request) (*http.Response, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, name := range []string{operation, "every"} {
		if h := n.harms[name]; h != nil && h.times != 0 {
			h.times--
			return h.do
		}
	}
	return nil
}

// timeout is the error of a call whose answer does not come.
type timeout struct{}

func (timeout) Error() string   { return "no answer" }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

// unsent is a call that never arrives.
func unsent(_ *network, call *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, call.Body)
	return nil, timeout{}
}

// unanswered is a call that is carried out, but its answer gets lost.
func unanswered(n *network, call *http.Request) (*http.Response, error) {
	answer, err := n.HTTPClient.Do(call)
	if err != nil {
		return nil, err
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	return nil, timeout{}
}

// refused is a call that DynamoDB answers with an error, and does not do.
func refused(code string, more string) func(*network, *http.Request) (*http.Response, error) {
	return func(_ *network, call *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, call.Body)
		return answer(http.StatusBadRequest, fmt.Sprintf(`{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":"quoting: hush"%s}`, code, more)), nil
	}
}

var throttled = refused("ProvisionedThroughputExceededException", "")

// undone is a batch of which nothing gets done.
func undone(_ *network, call *http.Request) (*http.Response, error) {
	var batch struct{ RequestItems json.RawMessage }
	if err := json.NewDecoder(call.Body).Decode(&batch); err != nil {
		return nil, err
	}
	return answer(http.StatusOK, fmt.Sprintf(`{"Responses":{},"UnprocessedKeys":%s,"UnprocessedItems":%s}`, batch.RequestItems, batch.RequestItems)), nil
}

func answer(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader([]byte(body))),
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
	}
}
