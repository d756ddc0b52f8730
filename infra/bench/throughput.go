package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"time"

	"github.com/postino/postino/verify"
)

// bench is one run of this program.
type bench struct {
	start    func(ctx context.Context) (target, error)              // a fresh server
	startOn  func(ctx context.Context, data string) (target, error) // one on a data folder, which it leaves
	dir      string                                                 // for what is built and stored
	duration time.Duration                                          // of the loaded part of a scenario
	beside   *regexp.Regexp                                         // which neighbours noisy measures
	progress io.Writer
}

const (
	eventSize  = 1024
	maxEvents  = 1 << 20         // of one ledger, so that memory stays bounded
	drainTime  = 2 * time.Minute // at most, for what was accepted to arrive
	quietAfter = 15 * time.Second
)

// flow is a scenario in which every event goes to a number of healthy
// subscribers.
type flow struct {
	subscribers int
	batch       int
	connections int
	rate        float64 // requests a second of an open loop; 0 is a closed loop
	events      int     // that the ledger has room for; 0 means maxEvents for all subscribers
	judge       func(r *result, m *measured)
}

// measured is what a flow gave.
type measured struct {
	ledger     *ledger
	took       time.Duration // of publishing
	drained    time.Duration // from its end to the last arrival
	perSecond  float64       // deliveries, to the last arrival
	latencies  []time.Duration
	lost       int64
	forged     int64
	floor      float64         // posts a second
	floorCost  time.Duration   // processor time of a bare post, with its arrival
	floorTimes []time.Duration // of the floor's open loop
	serverCost time.Duration   // the server's processor time for each callback, publishing included
	ownCost    time.Duration   // ours: publishing, receiving and verifying
	peak       int64           // the server's resident bytes, at most
}

// run measures the flow: floor, load, drain, floor again, so that what else
// the machine does meets both.
func (f flow) run(ctx context.Context, b *bench, r *result) error {
	t, err := b.start(ctx)
	if err != nil {
		return err
	}
	defer t.stop()
	rec, err := listen()
	if err != nil {
		return err
	}
	defer rec.close()
	secrets, err := subscribeAll(ctx, t, rec, f.subscribers)
	if err != nil {
		return err
	}
	if err := f.warm(ctx, b, t, rec); err != nil {
		return err
	}
	before, err := f.floor(ctx, b, t, rec, secrets)
	if err != nil {
		return err
	}
	m, err := f.load(ctx, b, t, rec)
	if err != nil {
		return err
	}
	after, err := f.floor(ctx, b, t, rec, secrets)
	if err != nil {
		return err
	}
	m.floor, m.floorCost = (before.perSecond+after.perSecond)/2, (before.cost+after.cost)/2
	m.floorTimes = sorted(before.times, after.times)
	f.report(r, m)
	return nil
}

// subscribeAll makes the subscribers 0 to n-1, whose types are "load".
func subscribeAll(ctx context.Context, t target, rec *receiver, n int) ([]string, error) {
	secrets := make([]string, n)
	for i := range secrets {
		path := "/" + strconv.Itoa(i)
		fields := fmt.Sprintf(`{"url":"%s%s","types":["load"]}`, rec.url, path)
		var err error
		if secrets[i], err = t.subscribe(ctx, "s"+strconv.Itoa(i), fields); err != nil {
			return nil, err
		}
		v, err := verify.New(secrets[i])
		if err != nil {
			return nil, err
		}
		rec.serve(path, &endpoint{number: i, verifier: v})
	}
	return secrets, nil
}

func (f flow) newLoad(t target, rec *receiver, run string) *load {
	l := newLedger(cmp.Or(f.events, maxEvents/f.subscribers), f.subscribers)
	rec.ledger.Store(l)
	return &load{target: t, ledger: l, run: run, kind: "load", size: eventSize, batch: f.batch, connections: f.connections}
}

// warm publishes for a moment, so that connections and caches are there.
func (f flow) warm(ctx context.Context, b *bench, t target, rec *receiver) error {
	l := f.newLoad(t, rec, "warm")
	f.publish(ctx, l, min(time.Second, b.duration/4))
	return awaitAll(ctx, l.ledger)
}

func (f flow) publish(ctx context.Context, l *load, d time.Duration) (took time.Duration) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	if f.rate > 0 {
		l.open(ctx, f.rate)
	} else {
		l.closed(ctx)
	}
	return time.Since(began)
}

// floorFigures is what the bare client reached.
type floorFigures struct {
	perSecond float64
	cost      time.Duration   // processor time of a post, with its arrival
	times     []time.Duration // of an open loop
}

// floor measures the bare client.
func (f flow) floor(ctx context.Context, b *bench, t target, rec *receiver, secrets []string) (floorFigures, error) {
	l := f.newLoad(t, rec, "floor")
	bare, err := newFloor(rec, secrets, l)
	if err != nil {
		return floorFigures{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, min(3*time.Second, b.duration))
	defer cancel()
	began, cpu := time.Now(), ownCPU()
	if f.rate > 0 {
		bare.open(ctx, f.rate)
	} else {
		bare.closed(ctx)
	}
	posted := max(1, bare.posted.Load())
	got := floorFigures{
		perSecond: float64(posted) / time.Since(began).Seconds(),
		cost:      (ownCPU() - cpu) / time.Duration(posted),
		times:     l.ledger.latencies(0),
	}
	fmt.Fprintf(b.progress, "  floor: %.0f bare posts/s to the same receiver\n", got.perSecond)
	return got, nil
}

// load publishes, and waits until all has arrived or nothing more comes.
func (f flow) load(ctx context.Context, b *bench, t target, rec *receiver) (*measured, error) {
	l := f.newLoad(t, rec, "load")
	before, own := usageOf(t.pid), ownCPU()
	stop := showProgress(b.progress, l.ledger)
	took := f.publish(ctx, l, b.duration)
	ended := l.ledger.since(time.Now())
	err := awaitAll(ctx, l.ledger)
	stop()
	if err != nil {
		return nil, err
	}
	after := usageOf(t.pid)
	last, arrived := l.ledger.last.Load(), l.ledger.arrived.Load()
	return &measured{
		ledger: l.ledger, took: took, drained: time.Duration(max(0, last-ended)),
		perSecond:  float64(arrived) / max(took, time.Duration(last)).Seconds(),
		latencies:  l.ledger.latencies(0),
		lost:       l.ledger.accepted.Load()*int64(f.subscribers) - arrived,
		forged:     rec.forged.Load(),
		serverCost: (after.cpu - before.cpu) / time.Duration(max(1, arrived)),
		ownCost:    (ownCPU() - own) / time.Duration(max(1, arrived)),
		peak:       after.peak,
	}, nil
}
