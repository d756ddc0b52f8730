package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
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
	answer func(w http.ResponseWriter, r *http.Request) (taken bool) // nil: nobody listens
	calm   bool                                                      // measure when each event was tried or set aside once
	tenant string                                                    // whose they are; "" for that of the healthy subscriber
	harm   bool                                                      // instead of answer: each is hostile in its own way
}

var neighbourhoods = []neighbours{
	{name: "one with a 4 s endpoint", n: 1, answer: slowly(4 * time.Second)},
	{name: "50 with 4 s endpoints", n: 50, answer: slowly(4 * time.Second)},
	{name: "one that refuses connections", n: 1},
	{name: "one that hangs", n: 1, answer: slowly(time.Hour)},
	{name: "one that answers 500", n: 1, answer: failing},
	{name: "50 that answer 500, breakers open", n: 50, answer: failing, calm: true},
	{name: "20 that are hostile, breakers open", n: 20, answer: hostile, calm: true},
	{name: "20 hostile ones of another tenant", n: 20, tenant: "hostile", harm: true},
	{name: "20 hostile ones of another tenant, breakers open", n: 20, tenant: "hostile", harm: true, calm: true},
	{name: "300 that hang, of another tenant", n: 300, answer: slowly(time.Hour), tenant: "hanging"},
}

// pairs is how often each kind of neighbour is measured, in turns with a server
// that has none: a machine that does other things meanwhile slows both alike.
const pairs = 5

// settleTime lets a server that was stopped catch up before it is measured.
const settleTime = 300 * time.Millisecond

// noisy measures a healthy subscriber of a server without neighbours and, in
// turns, of one with each kind of them. The server that is not measured is
// stopped meanwhile, in the middle of whatever it does.
func noisy(ctx context.Context, b *bench, r *result) error {
	alone, err := b.place(ctx)
	if err != nil {
		return err
	}
	defer alone.close()
	for _, n := range neighbourhoods {
		if !b.beside.MatchString(n.name) {
			continue
		}
		fmt.Fprintf(b.progress, "  beside %s …\n", n.name)
		c, err := compare(ctx, b, alone, n)
		if err != nil {
			return fmt.Errorf("beside %s: %w", n.name, err)
		}
		c.report(r, n.name)
	}
	return nil
}

// comparison is the latencies of each pair's halves, ascending.
type comparison struct{ alone, beside [][]time.Duration }

// compare measures both places in turns.
func compare(ctx context.Context, b *bench, alone *place, n neighbours) (c comparison, err error) {
	noisy, err := b.place(ctx)
	if err != nil {
		return c, err
	}
	defer noisy.close()
	if err := noisy.disturb(ctx, n); err != nil {
		return c, err
	}
	if n.calm {
		if err := calm(ctx, noisy.target); err != nil {
			return c, err
		}
	}
	for i := range pairs {
		first, second := alone, noisy
		if i%2 == 1 {
			first, second = noisy, alone
		}
		for _, p := range []*place{first, second} {
			other, half := noisy, &c.alone
			if p == noisy {
				other, half = alone, &c.beside
			}
			times, err := p.measure(ctx, b.duration/pairs, other)
			if err != nil {
				return c, err
			}
			*half = append(*half, times)
		}
		if err := noisy.replenish(ctx); err != nil {
			return c, err
		}
	}
	return c, nil
}

// report adds p50 and p99: of all pairs together, and the median of the pairs'
// ratios, which no single moment of a busy machine moves.
func (c comparison) report(r *result, name string) {
	for _, share := range []float64{0.50, 0.99} {
		percent := fmt.Sprintf("p%.0f ", 100*share)
		base, beside := percentile(sorted(c.alone...), share), percentile(sorted(c.beside...), share)
		r.add(percent+"beside "+name, milliseconds(beside), "ms")
		r.add("  alone, in turns with it", milliseconds(base), "ms")
		r.atMost("  ÷ alone, all together", float64(beside)/float64(base), "", maxSlower)
		r.atMost("  ÷ alone, median of the pairs", c.ratio(share), "", maxSlower)
	}
}

// ratio is the median of the pairs' ratios.
func (c comparison) ratio(share float64) float64 {
	var ratios []float64
	for i := range c.alone {
		ratios = append(ratios, float64(percentile(c.beside[i], share))/float64(percentile(c.alone[i], share)))
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

// place is a server with a healthy subscriber.
type place struct {
	target   target
	receiver *receiver
	flow     flow
	runs     int

	neighbours int
	tenant     string       // of the neighbours
	stopHarm   func()       // nil without hostile neighbours
	served     atomic.Int64 // callbacks that neighbours have answered for good
	published  int64        // events for neighbours
}

func (b *bench) place(ctx context.Context) (*place, error) {
	t, err := b.start(ctx)
	if err != nil {
		return nil, err
	}
	rec, err := listen()
	if err != nil {
		return nil, errors.Join(err, t.stop())
	}
	p := &place{target: t, receiver: rec, flow: flow{subscribers: 1, batch: 1, connections: 16, rate: healthyRate}}
	_, err = subscribeAll(ctx, t, rec, 1)
	if err == nil {
		err = p.flow.warm(ctx, b, t, rec)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// close closes the receiver first: the server waits for answers.
func (p *place) close() {
	p.receiver.close()
	if p.stopHarm != nil {
		p.stopHarm()
	}
	_ = p.target.stop()
}

// measure publishes for the healthy subscriber while the other place stands
// still, and returns the times to its arrivals, ascending.
func (p *place) measure(ctx context.Context, d time.Duration, other *place) ([]time.Duration, error) {
	other.target.freeze(true)
	defer other.target.freeze(false)
	if err := pause(ctx, settleTime); err != nil {
		return nil, err
	}
	p.runs++
	l := p.flow.newLoad(p.target, p.receiver, fmt.Sprint("load", p.runs))
	p.flow.publish(ctx, l, d)
	if err := awaitAll(ctx, l.ledger); err != nil {
		return nil, err
	}
	if lost := l.ledger.accepted.Load() - l.ledger.arrived.Load(); lost > 0 || l.ledger.arrived.Load() == 0 {
		return nil, fmt.Errorf("%d callbacks of the healthy subscriber did not arrive, %d did", lost, l.ledger.arrived.Load())
	}
	return l.ledger.latencies(0), nil
}

// disturb makes events wait on the neighbours, and returns when they do.
func (p *place) disturb(ctx context.Context, n neighbours) error {
	p.neighbours, p.tenant = n.n, cmp.Or(n.tenant, tenant)
	urls, err := p.settle(n)
	if err != nil {
		return err
	}
	for i, url := range urls {
		route := "/v1/tenants/" + p.tenant + "/subscriptions/neighbour" + strconv.Itoa(i)
		fields := fmt.Sprintf(`{"url":"%s","types":["noise"],"retry":{"timeout":"10s"}}`, url)
		if _, err := p.target.call(ctx, http.MethodPut, route, fields); err != nil {
			return err
		}
	}
	return p.replenish(ctx)
}

// settle makes the neighbours' endpoints and returns where they are.
func (p *place) settle(n neighbours) (urls []string, err error) {
	if n.harm {
		urls, p.stopHarm, err = startHostile(n.n)
		return urls, err
	}
	nobody, err := closedPort()
	if err != nil {
		return nil, err
	}
	for i := range n.n {
		path := "/neighbour/" + strconv.Itoa(i)
		if n.answer == nil {
			urls = append(urls, nobody+path)
			continue
		}
		p.receiver.serve(path, &endpoint{answer: func(w http.ResponseWriter, r *http.Request) {
			if n.answer(w, r) {
				p.served.Add(1)
			}
		}})
		urls = append(urls, p.receiver.url+path)
	}
	return urls, nil
}

// replenish publishes as many events for the neighbours as they have taken, so
// that neighbourEvents wait on each, and returns when they do.
func (p *place) replenish(ctx context.Context) error {
	const array = 100
	events := "[" + strings.Repeat(`{"type":"noise","data":{}},`, array-1) + `{"type":"noise","data":{}}]`
	for p.published-p.served.Load()/int64(p.neighbours) < neighbourEvents {
		if _, err := p.target.call(ctx, http.MethodPost, "/v1/tenants/"+p.tenant+"/events", events); err != nil {
			return err
		}
		p.published += array
	}
	return fannedOut(ctx, p.target)
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
	return awaitBacklog(ctx, t, func(b backlog) bool { return b.Events == 0 })
}

// calm waits until no first attempt waits either: what failed is set aside.
func calm(ctx context.Context, t target) error {
	return awaitBacklog(ctx, t, func(b backlog) bool { return b.Events+b.Deliveries == 0 })
}

// backlog is what waits, as /healthz says it.
type backlog struct{ Events, Deliveries int }

func awaitBacklog(ctx context.Context, t target, enough func(backlog) bool) error {
	ctx, cancel := context.WithTimeout(ctx, prepareTime)
	defer cancel()
	for {
		answer, err := t.call(ctx, http.MethodGet, "/healthz", "")
		if err != nil {
			return err
		}
		var health struct{ Backlog backlog }
		if err := json.Unmarshal(answer, &health); err != nil {
			return err
		}
		if enough(health.Backlog) {
			return nil
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}
