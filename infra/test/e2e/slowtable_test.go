package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// slowTable stands before DynamoDB Local, which answers at once and never
// refuses. It answers like the table of a busy stack: after a while, with
// throttles of the partitions that are asked too often, by their real keys, and
// with conflicts of transactions.
type slowTable struct {
	server string
	wait   time.Duration // of each call
	units  float64       // writes a second of a partition; DynamoDB's are 1,000
	every  int           // so manyth transaction conflicts; 0 for none

	mu           sync.Mutex
	partitions   map[string]*bucket
	transactions int
	throttled    int
	conflicts    int
}

// bucket is what a partition may still take now.
type bucket struct {
	units float64
	since time.Time
}

// start returns the address of the gate.
func (s *slowTable) start(t *testing.T, server string) string {
	s.server, s.partitions = server, map[string]*bucket{}
	gate := httptest.NewServer(s)
	t.Cleanup(gate.Close)
	return gate.URL
}

// ServeHTTP answers one call.
func (s *slowTable) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	time.Sleep(s.wait)
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if writes[operation] {
		var call any
		if err := json.Unmarshal(body, &call); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if refusal := s.refuse(operation, partitionsIn(call)); refusal != nil {
			refusal(w)
			return
		}
	}
	answer, status, header, err := forward(r, s.server, body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), header)
	w.WriteHeader(status)
	w.Write(answer)
}

// refuse returns what refuses a write, nil if it may pass.
func (s *slowTable) refuse(operation string, keys []string) func(http.ResponseWriter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	cost := 1.0
	if operation == "TransactWriteItems" {
		cost = 2
		if s.transactions++; s.every > 0 && s.transactions%s.every == 0 {
			s.conflicts++
			return canceling(len(keys), "TransactionConflict")
		}
	}
	costs := map[string]float64{}
	for _, key := range keys {
		costs[key] += cost
	}
	for key, cost := range costs {
		if !s.takes(key, cost) {
			s.throttled++
			if operation == "TransactWriteItems" {
				return canceling(len(keys), "ProvisionedThroughputExceeded")
			}
			return func(w http.ResponseWriter) {
				fault(w, "ProvisionedThroughputExceededException", `"message":"The level of configured provisioned throughput for the table was exceeded."`)
			}
		}
	}
	return nil
}

// takes spends units of a partition, which may save up those of a second. A call
// passes if any are left, and may owe the rest: it can be larger than a second's.
func (s *slowTable) takes(key string, cost float64) bool {
	b := s.partitions[key]
	if b == nil {
		b = &bucket{s.units, time.Now()}
		s.partitions[key] = b
	}
	b.units = min(s.units, b.units+s.units*time.Since(b.since).Seconds())
	b.since = time.Now()
	if b.units <= 0 {
		return false
	}
	b.units -= cost
	return true
}

// canceling is the answer to a transaction of n writes of which the first is not
// possible now.
func canceling(n int, code string) func(http.ResponseWriter) {
	reasons := []string{`{"Code":"` + code + `","Message":"..."}`}
	for range n - 1 {
		reasons = append(reasons, `{"Code":"None"}`)
	}
	return func(w http.ResponseWriter) {
		fault(w, "TransactionCanceledException", `"Message":"Transaction cancelled","CancellationReasons":[`+strings.Join(reasons, ",")+`]`)
	}
}

func fault(w http.ResponseWriter, kind, fields string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(http.StatusBadRequest)
	fmt.Fprintf(w, `{"__type":"com.amazonaws.dynamodb.v20120810#%s",%s}`, kind, fields)
}

// partitionsIn lists the partition keys of the items that a call writes.
func partitionsIn(call any) (keys []string) {
	switch call := call.(type) {
	case []any:
		for _, part := range call {
			keys = append(keys, partitionsIn(part)...)
		}
	case map[string]any:
		if pk, is := call["pk"].(map[string]any); is {
			return []string{fmt.Sprint(pk["S"])}
		}
		for _, part := range call {
			keys = append(keys, partitionsIn(part)...)
		}
	}
	return keys
}

// Ten containers count the events of one key, whose partition takes a few
// writes a second. That costs time, never a receipt: a message that is received
// for the third time would be set aside here.
func TestAHotKeyOfATriggerLosesNothingToContentionOrThrottling(t *testing.T) {
	t.Parallel()
	const requests, each, every = 20, 3, 5
	table := &slowTable{wait: 5 * time.Millisecond, units: 12, every: 3}
	t.Cleanup(func() {
		table.mu.Lock()
		defer table.mu.Unlock()
		t.Logf("%d writes were throttled, %d of %d transactions conflicted", table.throttled, table.conflicts, table.transactions)
	})
	on := deploy(t, settings{maxReceive: 2, containers: 10, slow: table})
	p := begin(t, on, answer{Status: http.StatusNoContent})
	p.do("PATCH /v1/tenants/acme/subscriptions/s", http.StatusOK, fmt.Sprintf(`{"trigger": {"every": %d}}`, every))
	var all sync.WaitGroup
	for i := range requests {
		all.Go(func() {
			var list []string
			for j := range each {
				list = append(list, fmt.Sprintf(`{"type": "a.b", "subject": "u1", "id": "e%d-%d", "data": {}}`, i, j))
			}
			s := step{Call: "POST /v1/tenants/acme/events", Status: http.StatusAccepted, Body: []byte("[" + strings.Join(list, ",") + "]")}
			if why := eventually(t.Context(), func() string { return p.call(t.Context(), s) }); why != "" {
				t.Error(why)
			}
		})
	}
	all.Wait()
	p.await(func() string {
		if n := len(p.receiver.at("/hook")); n < requests*each/every {
			return fmt.Sprintf("%d callbacks of %d", n, requests*each/every)
		}
		return ""
	})
	ids := map[string]bool{}
	for _, c := range p.receiver.at("/hook") {
		ids[c.id()] = true
	}
	if want := requests * each / every; len(ids) != want {
		t.Errorf("%d deliveries, want %d: each %dth event", len(ids), want, every)
	}
	if dead := on.dead(); len(dead) > 0 {
		t.Errorf("dead letters: %v", dead)
	}
	table.mu.Lock()
	defer table.mu.Unlock()
	if table.throttled == 0 {
		t.Error("nothing was throttled: the test proves nothing")
	}
	t.Logf("%d writes were throttled, %d of %d transactions conflicted", table.throttled, table.conflicts, table.transactions)
}
