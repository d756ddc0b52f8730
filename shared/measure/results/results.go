// Package results counts what campaigns lead to: how many events and how many
// different people they matched, skipped, held out, sent to and won.
//
// It counts in memory, and adds the counts to the store every ten seconds, as
// package stats does. What is counted once is not counted again when its event
// comes again: who decides counts, and only if the decision is stored by him. A
// process that is killed takes up to ten seconds of counts with it; of a message that
// fails half-way and comes again, some may stay uncounted, but none counts twice. Of
// people it keeps HyperLogLog sketches, which are right to about 2 %.
package results

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/axiomhq/hyperloglog"
	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/webhook"
)

// Store is where results are added up.
type Store interface {
	// AddResults adds each count to what is stored under its name for the hour and
	// the day. Of concurrent calls each counts; a repeat counts again.
	AddResults(ctx context.Context, r webhook.Results) error
	// Sketches lists those of the days from one time, included, to another.
	Sketches(ctx context.Context, of webhook.ResultsOf, kind string, from, before time.Time) ([]webhook.Sketch, error)
	// SaveSketch stores a sketch in place of the revision before, or returns
	// [webhook.ErrConflict].
	SaveSketch(ctx context.Context, s webhook.Sketch) error
}

// Kinds are the counts of which the different people are counted too.
var Kinds = []string{webhook.ResultMatched, webhook.ResultHeldOut, webhook.ResultSent, webhook.ResultConverted, webhook.ResultConvertedHeld}

// precision of sketches: 4,096 registers of a byte, an error of 1.6 %.
const precision = 12

const (
	between = 10 * time.Second
	few     = 100   // counts: so few may wait longer, see Recorder
	maxRows = 2_000 // in memory, each with sketches of at most 20 KB, half of them of one tenant; what comes beyond is lost
	writers = 8
	tries   = 8 // of a sketch that others change too
)

// Recorder collects counts and stores them. Set its fields before the first use. It
// is safe for concurrent use. A nil Recorder counts nothing.
type Recorder struct {
	Store Store
	Now   func() time.Time // our clock, whose hours count; nil means time.Now
	Log   *slog.Logger
	Spare time.Duration // how long few counts wait until they are stored; zero means ten seconds

	mu      sync.Mutex
	rows    map[place]*row
	shares  map[string]int // of tenants in rows
	news    int
	lost    int
	flushed time.Time
}

// place is what a row is about.
type place struct {
	of   webhook.ResultsOf
	hour int64 // Unix
}

type row struct {
	counts   map[string]int64
	sketches map[string]*hyperloglog.Sketch // by kind, of those seen since the last flush
}

// Count adds n to a count of a campaign and of its subscription, if it is not "", and
// the subject to the people of that count.
func (r *Recorder) Count(tenant, campaign, subscription, subject, name string, n int64) {
	if r == nil || campaign == "" || n == 0 {
		return
	}
	now := time.Now
	if r.Now != nil {
		now = r.Now
	}
	hour := now().Unix() / 3600 * 3600
	r.mu.Lock()
	defer r.mu.Unlock()
	r.news++
	for _, of := range []webhook.ResultsOf{{Tenant: tenant, Campaign: campaign}, {Tenant: tenant, Subscription: subscription}} {
		if of.Campaign == "" && subscription == "" {
			continue
		}
		if row := r.row(place{of, hour}); row != nil {
			row.add(subject, name, n)
		}
	}
}

func (r *Recorder) row(p place) *row {
	if r.rows == nil {
		r.rows, r.shares = map[place]*row{}, map[string]int{}
	}
	found := r.rows[p]
	if found == nil && len(r.rows) < maxRows && r.shares[p.of.Tenant] < maxRows/2 {
		found = &row{map[string]int64{}, map[string]*hyperloglog.Sketch{}}
		r.rows[p] = found
		r.shares[p.of.Tenant]++
	}
	if found == nil {
		r.lost++
	}
	return found
}

func (w *row) add(subject, name string, n int64) {
	w.counts[name] += n
	if subject == "" || !isKind(name) {
		return
	}
	if w.sketches[name] == nil {
		w.sketches[name] = newSketch()
	}
	w.sketches[name].Insert([]byte(subject))
}

func isKind(name string) bool {
	for _, kind := range Kinds {
		if kind == name {
			return true
		}
	}
	return false
}

func newSketch() *hyperloglog.Sketch {
	s, err := hyperloglog.NewSketch(precision, true)
	if err != nil {
		panic(err) // the precision is one that there is
	}
	return s
}

// Flush stores what was counted, unless it last did so less than ten seconds ago by
// the real clock, or less than Spare and few was counted: for the end of each batch.
func (r *Recorder) Flush(ctx context.Context) {
	if r == nil {
		return
	}
	r.mu.Lock()
	wait := between
	if r.news < few {
		wait = max(wait, r.Spare)
	}
	due := r.news > 0 && time.Since(r.flushed) >= wait
	r.mu.Unlock()
	if due {
		r.Close(ctx)
	}
}

// Close stores what was counted: for the end of a process.
func (r *Recorder) Close(ctx context.Context) {
	if r == nil {
		return
	}
	r.mu.Lock()
	rows, lost := r.rows, r.lost
	r.rows, r.lost, r.news = nil, 0, 0
	if len(rows) > 0 {
		r.flushed = time.Now()
	}
	r.mu.Unlock()
	var g errgroup.Group
	g.SetLimit(writers)
	for p, row := range rows {
		g.Go(func() error { return r.store(ctx, p, row) })
	}
	if err := g.Wait(); err != nil || lost > 0 {
		r.Log.Warn("results are not complete", "lost", lost, "error", err)
	}
}

// store adds a row to what is stored.
func (r *Recorder) store(ctx context.Context, p place, w *row) error {
	at := time.Unix(p.hour, 0).UTC()
	err := r.Store.AddResults(ctx, webhook.Results{Of: p.of, At: at, Counts: w.counts})
	for kind, seen := range w.sketches {
		err = errors.Join(err, r.merge(ctx, p.of, at.Truncate(24*time.Hour), kind, seen))
	}
	return err
}

// merge adds people to the sketch of a day.
func (r *Recorder) merge(ctx context.Context, of webhook.ResultsOf, day time.Time, kind string, seen *hyperloglog.Sketch) error {
	for try := 0; ; try++ {
		stored, err := r.Store.Sketches(ctx, of, kind, day, day.Add(24*time.Hour))
		if err != nil {
			return err
		}
		next, all := webhook.Sketch{Of: of, Day: day, Kind: kind, Revision: 1}, seen
		if len(stored) > 0 {
			if all, err = read(stored[0].Data); err != nil {
				return err
			}
			if err := all.Merge(seen); err != nil {
				return err
			}
			next.Revision = stored[0].Revision + 1
		}
		if next.Data, err = all.MarshalBinary(); err != nil {
			return err
		}
		if err = r.Store.SaveSketch(ctx, next); !errors.Is(err, webhook.ErrConflict) && !errors.Is(err, webhook.ErrBusy) || try == tries {
			return err
		}
		select { // the read lags: who was faster is seen soon
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(try+1) * 20 * time.Millisecond):
		}
	}
}

func read(data []byte) (*hyperloglog.Sketch, error) {
	s := newSketch()
	if len(data) == 0 {
		return s, nil
	}
	if err := s.UnmarshalBinary(data); err != nil {
		return nil, errors.New("a sketch is not what we wrote")
	}
	return s, nil
}

// People is about how many different people the sketches have seen in all.
func People(sketches []webhook.Sketch) (int64, error) {
	all := newSketch()
	for _, stored := range sketches {
		s, err := read(stored.Data)
		if err != nil {
			return 0, err
		}
		if err := all.Merge(s); err != nil {
			return 0, err
		}
	}
	return int64(all.Estimate()), nil
}
