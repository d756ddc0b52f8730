package e2e

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// What one partition of DynamoDB takes a second.
const (
	partitionWrites = 1000
	partitionReads  = 3000
)

// load is what was asked of each partition of the table and its indexes: units,
// by "write " or "read " and the partition's key.
type load struct {
	mu    sync.Mutex
	units map[string]float64
}

func (l *load) add(kind, partition string, units float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.units[kind+" "+partition] += units
}

// note adds what a call used. What several keys of one call used, they did in
// equal parts.
func (l *load) note(e exchange) {
	var call map[string]any
	if json.Unmarshal(e.request, &call) != nil {
		return
	}
	kind, index := "read", ""
	if writes[e.operation] {
		kind = "write"
	}
	keys := partitionsIn(call)
	if e.operation == "Query" {
		index, _ = call["IndexName"].(string)
		keys = queried(call)
	}
	m := newMeter()
	m.tableCall(e)
	used := m.soFar()
	for _, key := range keys {
		l.add(kind, key, (used[kind+".table"]+used["read.index"])/float64(len(keys)))
	}
	if index == "" {
		l.noteIndexes(call, used["write.index"], e.operation == "TransactWriteItems")
	}
}

// noteIndexes adds what the items of a call used in indexes: of DynamoDB Local's
// transactions, which do not tell, a unit each.
func (l *load) noteIndexes(call any, units float64, transaction bool) {
	keys := indexKeysIn(call)
	for _, key := range keys {
		if transaction {
			units = float64(len(keys))
		}
		l.add("write", key, units/float64(len(keys)))
	}
}

// queried is the partition of a query, the only key of it that is compared for
// equality.
func queried(call map[string]any) []string {
	values, _ := call["ExpressionAttributeValues"].(map[string]any)
	condition, _ := call["KeyConditionExpression"].(string)
	first, _, _ := strings.Cut(condition, " AND ")
	_, name, _ := strings.Cut(first, "=")
	value, _ := values[strings.TrimSpace(name)].(map[string]any)
	return []string{fmt.Sprint(value["S"])}
}

// indexKeysIn lists the partitions of indexes in which items of a call stand.
func indexKeysIn(call any) (keys []string) {
	switch call := call.(type) {
	case []any:
		for _, part := range call {
			keys = append(keys, indexKeysIn(part)...)
		}
	case map[string]any:
		for name, part := range call {
			value, is := part.(map[string]any)
			if is && (name == "gsi1pk" || name == "gsi2pk") {
				keys = append(keys, name+" "+fmt.Sprint(value["S"]))
				continue
			}
			keys = append(keys, indexKeysIn(part)...)
		}
	}
	return keys
}

// hottest are the partitions that took the largest part of what a partition can,
// if so many events came in a second.
func (l *load) hottest(events, rate int) (name string, part float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, units := range l.units {
		limit := float64(partitionReads)
		if strings.HasPrefix(key, "write ") {
			limit = partitionWrites
		}
		if p := units / float64(events) * float64(rate) / limit; p > part {
			name, part = key, p
		}
	}
	return name, part
}

// flooded has events of one tenant published one at a time, and delivered to so
// many subscriptions, behind a gate that notes what each partition takes.
func flooded(t *testing.T, events, subscriptions int) *load {
	t.Helper()
	l := &load{units: map[string]float64{}}
	on := deploy(t, settings{slow: &slowTable{wait: 5 * time.Millisecond, units: math.Inf(1), note: l.note}})
	p := &player{t: t, system: on, receiver: newReceiver(t), names: names{}, counts: map[string]int{}}
	p.names["receiver"] = p.receiver.URL
	for i := range subscriptions {
		p.do(fmt.Sprintf("PUT /v1/tenants/acme/subscriptions/s%d", i), http.StatusCreated, fmt.Sprintf(`{"url": "$receiver/hook/%d"}`, i))
	}
	l.mu.Lock()
	clear(l.units)
	l.mu.Unlock()
	r := &run{player: p, array: 1}
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i := range events {
		g.Go(func() error { return r.post(oneKB(i)) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	p.await(func() string {
		if got, want := len(p.receiver.at("/hook/*")), subscriptions*events; got < want {
			return fmt.Sprintf("%d callbacks, want %d", got, want)
		}
		return ""
	})
	if dead := on.dead(); len(dead) > 0 {
		t.Errorf("dead letters: %v", dead)
	}
	return l
}

// No machine of ours reaches a partition's limits. So what each partition takes
// for an event is counted, and multiplied.
func TestNoPartitionIsHotForOneTenantOrOneSubscription(t *testing.T) {
	events := 200
	if os.Getenv("POSTINO_PROVE") != "" {
		events = 2000
	}
	for _, tt := range []struct {
		about               string
		subscriptions, rate int
	}{
		{"a tenant with 1,000 single events a second and three subscriptions", 3, 1000},
		{"a subscription with 1,000 deliveries a second", 1, 1000},
	} {
		t.Run(tt.about, func(t *testing.T) {
			l := flooded(t, events, tt.subscriptions)
			name, part := l.hottest(events, tt.rate)
			t.Logf("the hottest: %s, with %.0f %% of what a partition takes", name, 100*part)
			if part > 1 {
				t.Errorf("%s takes %.0f %% of what a partition can: it would be throttled", name, 100*part)
			}
			if name == "" {
				t.Error("nothing was counted")
			}
		})
	}
}

// A twin whose items all stand in one partition is found.
func TestAHotPartitionIsFound(t *testing.T) {
	for _, tt := range []struct {
		operation, used string
		want            float64
	}{
		{"PutItem", `{"Table": {"CapacityUnits": 1.5}, "GlobalSecondaryIndexes": {"GSI1": {"CapacityUnits": 1}}}`, 1.5},
		{"GetItem", `{"Table": {"CapacityUnits": 6}}`, 2},
	} {
		l := &load{units: map[string]float64{}}
		for range 100 {
			l.note(exchange{
				tt.operation, []byte(`{"Item": {"pk": {"S": "all"}, "sk": {"S": "x"}, "gsi1pk": {"S": "listed"}}}`),
				[]byte(`{"ConsumedCapacity": ` + tt.used + `}`),
			})
		}
		if name, part := l.hottest(100, 1000); part != tt.want || !strings.HasSuffix(name, " all") {
			t.Errorf("%s: the hottest is %q with %v, want all with %v", tt.operation, name, part, tt.want)
		}
	}
}
