package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/postino/postino/verify"
)

// receiver verifies every callback and notes in the ledger those that it takes.
type receiver struct {
	*httptest.Server
	status   atomic.Int32 // that it answers; only 2xx takes
	posts    atomic.Int64
	mu       sync.Mutex
	verifier *verify.Verifier
}

func newReceiver(t *testing.T, l *ledger) *receiver {
	r := &receiver{}
	r.status.Store(http.StatusOK)
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return // the sender was killed
		}
		r.mu.Lock()
		v := r.verifier
		r.mu.Unlock()
		if err := v.Verify(req.Header, body); err != nil {
			l.reject("a callback is not genuine: " + err.Error())
		}
		status := int(r.status.Load())
		if status < 300 {
			l.arrive(req.Header.Get("Postino-Event-Id"), req.Header.Get("Webhook-Id"), string(body))
		}
		r.posts.Add(1)
		w.WriteHeader(status)
	}))
	t.Cleanup(r.Close)
	return r
}

// subscribe makes the subscription, with more fields, and learns its secret.
func (r *receiver) subscribe(t *testing.T, p *process, id, more string) {
	t.Helper()
	status, answer := p.call(t.Context(), http.DefaultClient, "PUT", "/subscriptions/"+id, `{"url":"`+r.URL+`/hook"`+more+`}`)
	var made struct {
		Secret string `json:"secret"`
	}
	if err := json.Unmarshal(answer, &made); err != nil || status != 201 {
		t.Fatalf("subscribe: %d %s", status, answer)
	}
	v, err := verify.New(made.Secret)
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.verifier = v
}

// publish publishes from many connections until stopped, and notes in the
// ledgers what was acknowledged. It returns how often it was refused by 429 or
// 503, and ends early when there is no answer.
func publish(ctx context.Context, p *process, run string, connections int, ledgers ...*ledger) (refused int64) {
	var wg sync.WaitGroup
	var later atomic.Int64
	transport := &http.Transport{MaxIdleConnsPerHost: connections}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for c := range connections {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				id := fmt.Sprintf("%s-%d-%d", run, c, n)
				switch status, _ := p.call(ctx, client, "POST", "/events", `{"type":"a.b","id":"`+id+`","data":{"n":"`+id+`"}}`); status {
				case http.StatusAccepted:
					for _, l := range ledgers {
						l.accept(id)
					}
				case http.StatusServiceUnavailable, http.StatusTooManyRequests:
					later.Add(1)
				case 0:
					return
				default:
					ledgers[0].reject(fmt.Sprintf("publishing was answered %d", status))
					return
				}
			}
		})
	}
	wg.Wait()
	return later.Load()
}

// publishSome publishes n events, each of which must be accepted.
func publishSome(t *testing.T, p *process, run string, n int, ledgers ...*ledger) {
	t.Helper()
	for first := 0; first < n; first += 100 {
		body := ""
		for i := first; i < min(first+100, n); i++ {
			body += fmt.Sprintf(`,{"type":"a.b","id":"%s-%d","data":{"n":%d}}`, run, i, i)
		}
		if status, answer := p.call(t.Context(), http.DefaultClient, "POST", "/events", "["+body[1:]+"]"); status != 202 {
			t.Fatalf("publish: %d %s", status, answer)
		}
	}
	for i := range n {
		for _, l := range ledgers {
			l.accept(fmt.Sprintf("%s-%d", run, i))
		}
	}
}
