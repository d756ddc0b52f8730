package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/infra/tools/testserver"
)

// publications are events that were published one by one, and which of them
// were accepted.
type publications struct {
	mu       sync.Mutex
	next     int
	accepted map[string]bool
	statuses map[int]int
}

// publishUntil publishes until ctx ends, from several connections.
func (p *player) publishUntil(ctx context.Context) *publications {
	all := &publications{accepted: map[string]bool{}, statuses: map[int]int{}}
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for ctx.Err() == nil {
				p.publishOne(all)
			}
		})
	}
	wg.Wait()
	return all
}

func (p *player) publishOne(all *publications) {
	all.mu.Lock()
	id := fmt.Sprintf("e%d", all.next)
	all.next++
	all.mu.Unlock()
	r, err := http.NewRequestWithContext(p.t.Context(), "POST", p.system.URL()+"/v1/tenants/acme/events", strings.NewReader(`{"type":"a.b","id":"`+id+`","data":{"n":"`+id+`"}}`))
	if err != nil {
		p.t.Error(err)
		return
	}
	r.Header.Set("Authorization", "Bearer "+adminKey)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Error(err)
		return
	}
	defer resp.Body.Close()
	var answer struct{ Accepted []string }
	_ = json.NewDecoder(resp.Body).Decode(&answer) // a 202 lists none
	all.mu.Lock()
	defer all.mu.Unlock()
	all.statuses[resp.StatusCode]++
	all.accepted[id] = resp.StatusCode == http.StatusAccepted || len(answer.Accepted) > 0
	if resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") == "" {
		p.t.Errorf("503 without Retry-After")
	}
}

// missing tells which accepted events have not arrived.
func (all *publications) missing(callbacks []callback) string {
	arrived := map[string]bool{}
	for _, c := range callbacks {
		arrived[c.headers.Get("postino-event-id")] = true
	}
	lost, accepted := 0, 0
	for id, ok := range all.accepted {
		if ok {
			accepted++
		}
		if ok && !arrived[id] {
			lost++
		}
	}
	if lost > 0 {
		return fmt.Sprintf("%d of %d accepted events have not arrived", lost, accepted)
	}
	return ""
}

// outage is how long a server stays away: longer than the SDK's own repeats.
const outage = 4 * time.Second

// TestServersThatStopAndComeBackLoseNothing stops the table, and then cuts off
// the queues, in the middle of publishing and delivering. ElasticMQ itself goes
// on, since one that ends may forget what it has just acknowledged, which SQS
// does not.
func TestServersThatStopAndComeBackLoseNothing(t *testing.T) {
	t.Parallel()
	table, queues := testserver.OwnDynamoDB(t), testserver.NewGate(t, testserver.SQS(t))
	on := deploy(t, settings{visibility: 3 * time.Second, dynamo: table, sqs: queues})
	p := begin(t, on, answer{Status: http.StatusNoContent})
	ctx, stop := context.WithCancel(t.Context())
	var all *publications
	var done sync.WaitGroup
	done.Go(func() { all = p.publishUntil(ctx) })
	for _, server := range []interface {
		Stop()
		Start()
	}{table, queues} {
		before := len(p.receiver.at("/hook"))
		p.await(func() string {
			if len(p.receiver.at("/hook")) < before+20 {
				return "it does not go on"
			}
			return ""
		})
		server.Stop()
		if why := pauseFor(t.Context(), outage); why != nil {
			t.Fatal(why)
		}
		server.Start()
	}
	stop()
	done.Wait()
	t.Logf("%v answers of each status", all.statuses)
	if all.statuses[202] == 0 || all.statuses[503] == 0 || all.statuses[202]+all.statuses[503] != all.next {
		t.Errorf("answers %v, want 202 and 503 only", all.statuses)
	}
	p.await(func() string { return all.missing(p.receiver.at("/hook")) })
	bodies := map[string]string{}
	for _, c := range p.receiver.at("/hook") {
		if before, repeat := bodies[c.id()]; repeat && before != c.body {
			t.Errorf("%s came with other bytes", c.id())
		}
		bodies[c.id()] = c.body
	}
	if why := p.receiver.forged(); why != "" {
		t.Error(why)
	}
	if dead := on.dead(); len(dead) > 0 {
		t.Errorf("dead letters: %v", dead)
	}
}

func pauseFor(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
