package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Of the scenario noisy: what waits on each neighbour, how often the healthy
// subscriber gets an event, and how much later it may get it than alone.
const (
	neighbourEvents = 1000
	healthyRate     = 50
	maxSlower       = 2
	prepareTime     = 2 * time.Minute // at most, for fan-out to the neighbours
)

// neighbours is a kind of trouble beside the healthy subscriber.
type neighbours struct {
	name   string
	n      int
	answer func(w http.ResponseWriter, r *http.Request) // nil: nobody listens
}

var neighbourhoods = []neighbours{
	{"one with a 4 s endpoint", 1, slowly(4 * time.Second)},
	{"50 with 4 s endpoints", 50, slowly(4 * time.Second)},
	{"one that refuses connections", 1, nil},
	{"one that hangs", 1, slowly(time.Hour)},
	{"one that answers 500", 1, failing},
}

// noisy measures a healthy subscriber alone, beside each kind of neighbour,
// and alone again. Each time the server is a fresh one.
func noisy(ctx context.Context, b *bench, r *result) error {
	first, err := healthy(ctx, b, neighbours{name: "nobody"})
	if err != nil {
		return err
	}
	measured := make([][]time.Duration, len(neighbourhoods))
	for i, n := range neighbourhoods {
		if measured[i], err = healthy(ctx, b, n); err != nil {
			return fmt.Errorf("beside %s: %w", n.name, err)
		}
	}
	last, err := healthy(ctx, b, neighbours{name: "nobody, again"})
	if err != nil {
		return err
	}
	alone := sorted(first, last)
	for _, share := range []float64{0.50, 0.99} {
		name := fmt.Sprintf("p%.0f ", 100*share)
		base := percentile(alone, share)
		r.add(name+"alone", milliseconds(base), "ms")
		for i, n := range neighbourhoods {
			r.add(name+"beside "+n.name, milliseconds(percentile(measured[i], share)), "ms")
			r.atMost("  ÷ alone", float64(percentile(measured[i], share))/float64(base), "", maxSlower)
		}
	}
	return nil
}

// healthy measures the healthy subscriber while events wait on the neighbours.
func healthy(ctx context.Context, b *bench, n neighbours) ([]time.Duration, error) {
	fmt.Fprintf(b.progress, "  beside %s …\n", n.name)
	t, err := b.start(ctx)
	if err != nil {
		return nil, err
	}
	defer t.stop()
	rec, err := listen()
	if err != nil {
		return nil, err
	}
	defer rec.close() // before the server stops, which waits for answers
	if _, err := subscribeAll(ctx, t, rec, 1); err != nil {
		return nil, err
	}
	f := flow{subscribers: 1, batch: 1, connections: 16, rate: healthyRate}
	if err := f.warm(ctx, b, t, rec); err != nil {
		return nil, err
	}
	if err := n.disturb(ctx, t, rec); err != nil {
		return nil, err
	}
	l := f.newLoad(t, rec, "load")
	f.publish(ctx, l, b.duration)
	if err := awaitAll(ctx, l.ledger); err != nil {
		return nil, err
	}
	if lost := l.ledger.accepted.Load() - l.ledger.arrived.Load(); lost > 0 {
		return nil, fmt.Errorf("%d callbacks of the healthy subscriber did not arrive", lost)
	}
	return l.ledger.latencies(0), nil
}

// disturb makes events wait on the neighbours, and returns when they do.
func (n neighbours) disturb(ctx context.Context, t target, rec *receiver) error {
	if n.n == 0 {
		return nil
	}
	nobody, err := closedPort()
	if err != nil {
		return err
	}
	for i := range n.n {
		path := "/neighbour/" + strconv.Itoa(i)
		url := rec.url + path
		if n.answer == nil {
			url = nobody + path
		}
		rec.serve(path, &endpoint{answer: n.answer})
		fields := fmt.Sprintf(`{"url":"%s","types":["noise"],"retry":{"timeout":"10s"}}`, url)
		if _, err := t.subscribe(ctx, "neighbour"+strconv.Itoa(i), fields); err != nil {
			return err
		}
	}
	const array = 100
	events := "[" + strings.Repeat(`{"type":"noise","data":{}},`, array-1) + `{"type":"noise","data":{}}]`
	for range neighbourEvents / array {
		if _, err := t.call(ctx, http.MethodPost, "/v1/tenants/"+tenant+"/events", events); err != nil {
			return err
		}
	}
	return fannedOut(ctx, t)
}

// closedPort returns an address where nobody listens.
func closedPort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return "http://" + l.Addr().String(), l.Close()
}

// fannedOut waits until no event waits for fan-out.
func fannedOut(ctx context.Context, t target) error {
	ctx, cancel := context.WithTimeout(ctx, prepareTime)
	defer cancel()
	for {
		answer, err := t.call(ctx, http.MethodGet, "/healthz", "")
		if err != nil {
			return err
		}
		var health struct{ Backlog struct{ Events int } }
		if err := json.Unmarshal(answer, &health); err != nil {
			return err
		}
		if health.Backlog.Events == 0 {
			return nil
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}
