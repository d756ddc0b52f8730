package main

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Of the scenario soak: how much of what the machine can do it asks for, and
// how much the last third of its time may differ from the first.
const (
	soakShare    = 0.7
	ceilingTime  = 15 * time.Second
	soakEvents   = 8 << 20 // room in the ledger: 200 MB
	soakSamples  = 120
	grownMemory  = 1.25 // of resident bytes, medians; and room for caches that fill
	grownP50     = 1.5
	grownP99     = 2
	cachesFill   = 32 << 20
	moreRoutines = 20
	moreHandles  = 10
	openFiles    = 500 // as many as the engine keeps open
)

// sample is what the server held at one moment.
type sample struct {
	memory, disk        int64 // bytes
	goroutines, handles int64 // handles but those of files of the data
	files               int64 // handles of files of the data
}

// soak measures the ceiling with publishers that wait for their answers, then
// publishes at 70 % of it for the whole duration, and compares the first third
// of that with the last.
func soak(ctx context.Context, b *bench, r *result) error {
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
	if _, err := subscribeAll(ctx, t, rec, 1); err != nil {
		return err
	}
	f := flow{subscribers: 1, batch: 1, connections: 64}
	if err := f.warm(ctx, b, t, rec); err != nil {
		return err
	}
	short := *b
	short.duration = min(ceilingTime, b.duration)
	top, err := f.load(ctx, &short, t, rec)
	if err != nil {
		return err
	}
	r.add("ceiling, callbacks a second", top.perSecond, "/s")
	f.rate, f.events = soakShare*top.perSecond, soakEvents
	return f.soak(ctx, b, t, rec, r)
}

// soak publishes at the flow's rate, with a look at the server now and then.
func (f flow) soak(ctx context.Context, b *bench, t target, rec *receiver, r *result) error {
	l := f.newLoad(t, rec, "soak")
	watching, stop := context.WithCancel(ctx)
	watched := make(chan []sample, 1)
	go func() { watched <- watch(watching, t, b.duration/soakSamples) }()
	began := time.Duration(l.ledger.since(time.Now()))
	took := f.publish(ctx, l, b.duration)
	stop()
	samples := <-watched
	if err := awaitAll(ctx, l.ledger); err != nil {
		return err
	}
	if len(samples) < 3 {
		return fmt.Errorf("only %d looks at the server", len(samples))
	}
	r.add("events accepted a second", float64(l.ledger.accepted.Load())/took.Seconds(), "/s")
	r.add("events accepted", float64(l.ledger.accepted.Load()), "")
	r.atMost("events refused", float64(l.ledger.refused.Load()), "", 0)
	r.atMost("callbacks lost", float64(l.ledger.accepted.Load()-l.ledger.arrived.Load()), "", 0)
	r.atMost("callbacks twice", float64(l.ledger.duplicates.Load()), "", 0)
	third := took / 3
	compareThirds(r, l.ledger.latenciesOf(0, began+third), l.ledger.latenciesOf(began+2*third, began+took), samples)
	return nil
}

// compareThirds adds the figures of the first and last third.
func compareThirds(r *result, first, last []time.Duration, samples []sample) {
	for _, p := range []struct {
		name         string
		share, grown float64
	}{{"p50", 0.50, grownP50}, {"p99", 0.99, grownP99}} {
		a, z := milliseconds(percentile(first, p.share)), milliseconds(percentile(last, p.share))
		r.add(p.name+", first third", a, "ms")
		r.atMost(p.name+", last third", z, "ms", math.Ceil(p.grown*a+1)) // a millisecond is noise
	}
	n := len(samples) / 3
	begin, end := samples[:n], samples[len(samples)-n:]
	for _, h := range []struct {
		name, unit string
		of         func(sample) int64
		most       func(first float64) float64
		scale      float64
	}{
		{"memory", "MB", func(s sample) int64 { return s.memory }, func(a float64) float64 { return grownMemory*a + cachesFill/1e6 }, 1e-6},
		{"goroutines", "", func(s sample) int64 { return s.goroutines }, func(a float64) float64 { return a + moreRoutines }, 1},
		{"handles", "", func(s sample) int64 { return s.handles }, func(a float64) float64 { return a + moreHandles }, 1},
		{"open files of the data", "", func(s sample) int64 { return s.files }, func(float64) float64 { return openFiles }, 1},
	} {
		a, z := h.scale*float64(median(begin, h.of)), h.scale*float64(median(end, h.of))
		r.add(h.name+", first third", a, h.unit)
		r.atMost(h.name+", last third", z, h.unit, math.Ceil(h.most(a)))
	}
	r.add("data on the disk at the end", float64(samples[len(samples)-1].disk)/1e6, "MB")
}

func median(samples []sample, of func(sample) int64) int64 {
	var all []int64
	for _, s := range samples {
		all = append(all, of(s))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// watch looks at the server until ctx ends.
func watch(ctx context.Context, t target, every time.Duration) (samples []sample) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return samples
		case <-tick.C:
			samples = append(samples, look(ctx, t))
		}
	}
}

var goroutineLine = regexp.MustCompile(`(?m)^postino_goroutines ([0-9]+)$`)

// look reads what the server holds; what cannot be read is zero.
func look(ctx context.Context, t target) sample {
	s := sample{memory: usageOf(t.pid).memory}
	data, err := filepath.Abs(t.data)
	if err != nil {
		return s
	}
	if handles, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", t.pid)); err == nil {
		for _, h := range handles {
			switch file, err := os.Readlink(h); {
			case err != nil: // closed meanwhile
			case strings.HasPrefix(file, data):
				s.files++
			default:
				s.handles++
			}
		}
	}
	if text, err := t.call(ctx, "GET", "/metrics", ""); err == nil {
		if found := goroutineLine.FindSubmatch(text); found != nil {
			s.goroutines, _ = strconv.ParseInt(string(found[1]), 10, 64)
		}
	}
	_ = filepath.WalkDir(t.data, func(_ string, f fs.DirEntry, err error) error { // files come and go meanwhile
		if err == nil && !f.IsDir() {
			if info, err := f.Info(); err == nil {
				s.disk += info.Size()
			}
		}
		return nil
	})
	return s
}

// missed names the targets of a report that were not met.
func (r *report) missed() (names []string) {
	for _, s := range r.Results {
		for _, f := range s.Figures {
			if f.Met != nil && !*f.Met {
				names = append(names, s.Scenario+": "+f.Name)
			}
		}
	}
	return names
}
