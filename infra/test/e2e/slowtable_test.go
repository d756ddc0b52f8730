package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
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
	wait   time.Duration  // of each call
	units  float64        // writes a second of a partition; DynamoDB's are 1,000
	reads  float64        // reads a second of a partition; 0 for no limit. DynamoDB's are 3,000
	lag    time.Duration  // so long queries of an index miss what was written
	every  int            // so manyth transaction conflicts; 0 for none
	note   func(exchange) // is told of each call that passed; nil for nobody

	mu           sync.Mutex
	partitions   map[string]*bucket
	transactions int
	throttled    int
	unread       int // reads that were throttled
	conflicts    int
	written      map[string]time.Time // items, by their keys, and when
	missed       int                  // items that a query of an index did not find
}

// bucket is what a partition may still take now.
type bucket struct {
	units float64
	since time.Time
}

// start returns the address of the gate.
func (s *slowTable) start(t *testing.T, server string) string {
	s.server, s.partitions, s.written = server, map[string]*bucket{}, map[string]time.Time{}
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
	var call map[string]any
	if err := json.Unmarshal(body, &call); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if refusal := s.refuse(operation, call); refusal != nil {
		refusal(w)
		return
	}
	if s.note != nil {
		body = askForCapacity(operation, body)
	}
	answer, status, header, err := forward(r, s.server, body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if s.note != nil {
		s.note(exchange{operation, body, answer})
	}
	if _, indexed := call["IndexName"]; indexed && s.lag > 0 && status == http.StatusOK {
		answer = s.behind(answer)
		header.Del("X-Amz-Crc32")
		header.Del("Content-Length")
	}
	maps.Copy(w.Header(), header)
	w.WriteHeader(status)
	w.Write(answer)
}

// behind leaves out of a query's answer what was written a moment ago.
func (s *slowTable) behind(answer []byte) []byte {
	var found map[string]any
	if json.Unmarshal(answer, &found) != nil {
		return answer
	}
	items, _ := found["Items"].([]any)
	s.mu.Lock()
	kept := slices.DeleteFunc(items, func(it any) bool {
		keys := keysIn(it)
		return len(keys) == 1 && time.Since(s.written[keys[0]]) < s.lag
	})
	s.missed += len(items) - len(kept)
	s.mu.Unlock()
	found["Items"], found["Count"] = kept, len(kept)
	changed, err := json.Marshal(found)
	if err != nil {
		return answer
	}
	return changed
}

// refuse returns what refuses a call, nil if it may pass.
func (s *slowTable) refuse(operation string, call map[string]any) func(http.ResponseWriter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if reads[operation] {
		return s.refuseRead(operation, call)
	}
	if !writes[operation] {
		return nil
	}
	for _, key := range keysIn(call) {
		s.written[key] = time.Now()
	}
	keys := partitionsIn(call)
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
		if !s.takes(key, cost, s.units) {
			s.throttled++
			if operation == "TransactWriteItems" {
				return canceling(len(keys), "ProvisionedThroughputExceeded")
			}
			return exceeded
		}
	}
	return nil
}

// refuseRead refuses reads of a partition that is asked too often.
func (s *slowTable) refuseRead(operation string, call map[string]any) func(http.ResponseWriter) {
	keys := partitionsIn(call)
	if operation == "Query" {
		keys = queried(call)
	}
	for _, key := range keys {
		if s.reads > 0 && !s.takes("read "+key, 1, s.reads) {
			s.unread++
			return exceeded
		}
	}
	return nil
}

func exceeded(w http.ResponseWriter) {
	fault(w, "ProvisionedThroughputExceededException", `"message":"The level of configured provisioned throughput for the table was exceeded."`)
}

// takes spends units of a partition, which may save up those of a second. A call
// passes if any are left, and may owe the rest: it can be larger than a second's.
func (s *slowTable) takes(key string, cost, units float64) bool {
	b := s.partitions[key]
	if b == nil {
		b = &bucket{units, time.Now()}
		s.partitions[key] = b
	}
	b.units = min(units, b.units+units*time.Since(b.since).Seconds())
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

// keyOf is an item's key in a call or an answer.
type keyOf struct{ partition, sort string }

// partitionsIn lists the partition keys of the items that a call names.
func partitionsIn(call any) (partitions []string) {
	for _, k := range itemsIn(call) {
		partitions = append(partitions, k.partition)
	}
	return partitions
}

// keysIn lists the whole keys.
func keysIn(call any) (keys []string) {
	for _, k := range itemsIn(call) {
		keys = append(keys, k.partition+" "+k.sort)
	}
	return keys
}

func itemsIn(call any) (keys []keyOf) {
	switch call := call.(type) {
	case []any:
		for _, part := range call {
			keys = append(keys, itemsIn(part)...)
		}
	case map[string]any:
		pk, is := call["pk"].(map[string]any)
		sk, _ := call["sk"].(map[string]any)
		if is {
			return []keyOf{{fmt.Sprint(pk["S"]), fmt.Sprint(sk["S"])}}
		}
		for _, part := range call {
			keys = append(keys, itemsIn(part)...)
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

// Reads are throttled as writes are. That costs time, and no receipt.
func TestThrottledReadsLoseNothing(t *testing.T) {
	t.Parallel()
	const events = 20
	table := &slowTable{wait: 5 * time.Millisecond, units: math.Inf(1), reads: 2}
	on := deploy(t, settings{maxReceive: 3, slow: table})
	p := begin(t, on, answer{Status: http.StatusNoContent})
	for i := range events {
		s := step{Call: "POST /v1/tenants/acme/events", Status: http.StatusAccepted, Body: fmt.Appendf(nil, `{"type": "a.b", "id": "e%d", "data": {}}`, i)}
		if why := eventually(t.Context(), func() string { return p.call(t.Context(), s) }); why != "" {
			t.Fatal(why)
		}
	}
	p.await(func() string {
		if n := len(p.receiver.at("/hook")); n < events {
			return fmt.Sprintf("%d callbacks of %d", n, events)
		}
		return ""
	})
	if dead := on.dead(); len(dead) > 0 {
		t.Errorf("dead letters: %v", dead)
	}
	table.mu.Lock()
	defer table.mu.Unlock()
	if table.unread == 0 {
		t.Error("no read was throttled: the test proves nothing")
	}
	t.Logf("%d reads were throttled", table.unread)
}

// An index shows what was written a moment ago only later. Lists are late by that,
// and nothing else is: what decides reads the table.
func TestIndexesThatLagDelayListsAndNothingElse(t *testing.T) {
	t.Parallel()
	const events = 10
	table := &slowTable{wait: 5 * time.Millisecond, units: math.Inf(1), lag: 2 * time.Second}
	on := deploy(t, settings{slow: table})
	p := begin(t, on, answer{Status: http.StatusInternalServerError})
	p.do("PATCH /v1/tenants/acme/subscriptions/s", http.StatusOK, `{"retry": {"schedule": []}}`)
	p.publish(1, events)
	listed := func(query string, want int) func() string {
		list := make([]any, want)
		for i := range list {
			list[i] = map[string]any{} // anything
		}
		s := step{Call: "GET /v1/tenants/acme/" + query, Status: http.StatusOK, Want: map[string]any{"data": list}}
		return func() string { return p.call(t.Context(), s) }
	}
	p.await(listed("events?limit=100", events))
	p.await(listed("deliveries?status=exhausted&limit=100", events))
	p.receiver.answer(map[string][]answer{"/hook": {{Status: http.StatusNoContent}}})
	p.do("POST /v1/tenants/acme/subscriptions/s/recover", http.StatusAccepted, `{"after": "2020-01-01T00:00:00Z"}`)
	p.await(listed("deliveries?status=succeeded&limit=100", events))
	p.await(listed("deliveries?status=exhausted&limit=100", 0))
	table.mu.Lock()
	defer table.mu.Unlock()
	if table.missed == 0 {
		t.Error("no query missed anything: the test proves nothing")
	}
	t.Logf("queries of indexes missed %d items", table.missed)
}
