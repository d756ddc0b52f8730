// Package stats counts what becomes of deliveries, by tenant, subscription and
// hour: in memory, and from there every ten seconds into the store.
//
// These are figures for graphs. A process that is killed takes up to ten
// seconds of them with it, and a write whose answer was lost is not repeated.
// Deliveries themselves are exact.
package stats

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/histogram"
	"github.com/postino/postino/shared/webhook"
)

// Store is where counts are added up.
type Store interface {
	// AddStats adds each count to what is stored under its name for the same
	// tenant, subscription and hour. Of concurrent calls each counts; a repeat
	// counts again. [webhook.ErrBusy] means that nothing was added.
	AddStats(ctx context.Context, s webhook.Stats) error
}

// The names of counts. Buckets of histograms, of package histogram, follow
// their prefix.
const (
	succeeded      = "succeeded"
	exhausted      = "exhausted"
	canceled       = "canceled"
	attempts       = "attempts"
	failedPrefix   = "failed_" // and an error class
	attemptPrefix  = "a"       // how long attempts took
	endToEndPrefix = "e"       // from acceptance to a first attempt that succeeded
)

const (
	between = 10 * time.Second
	maxRows = 20_000 // rows in memory, each below 1 KB; what comes beyond is lost
	writers = 16
)

// Recorder collects counts and stores them. Set its fields before the first
// use. It is safe for concurrent use.
type Recorder struct {
	Store Store
	Now   func() time.Time // our clock, whose hours count; nil means time.Now
	Log   *slog.Logger

	mu      sync.Mutex
	rows    map[place]map[string]int64
	lost    int
	flushed time.Time
}

// place is what a row is about.
type place struct {
	tenant, subscription string
	hour                 int64 // Unix
}

// Attempt counts an attempt, which failed unless class is "".
func (r *Recorder) Attempt(sub webhook.SubscriptionRef, class webhook.ErrorClass, took time.Duration) {
	names := []string{attempts, bucket(attemptPrefix, took)}
	if class != "" {
		names = append(names, failedPrefix+string(class))
	}
	r.add(sub, names...)
}

// Ended counts a delivery that ended with that status.
func (r *Recorder) Ended(sub webhook.SubscriptionRef, status webhook.Status) {
	r.add(sub, string(status))
}

// Arrived counts the time from an event's acceptance to the answer to a first
// attempt that succeeded.
func (r *Recorder) Arrived(sub webhook.SubscriptionRef, after time.Duration) {
	r.add(sub, bucket(endToEndPrefix, after))
}

func bucket(prefix string, d time.Duration) string {
	return prefix + strconv.Itoa(histogram.Bucket(d))
}

// add counts one of each name, for the subscription and for its tenant.
func (r *Recorder) add(sub webhook.SubscriptionRef, names ...string) {
	now := time.Now
	if r.Now != nil {
		now = r.Now
	}
	hour := now().UTC().Truncate(time.Hour).Unix()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range []string{sub.ID, ""} {
		row := r.row(place{sub.Tenant, id, hour})
		for _, name := range names {
			if row != nil {
				row[name]++
			}
		}
	}
}

// row returns the row of a place; nil if there is no room for another.
func (r *Recorder) row(p place) map[string]int64 {
	if r.rows == nil {
		r.rows = map[place]map[string]int64{}
	}
	row := r.rows[p]
	if row == nil && len(r.rows) < maxRows {
		row = map[string]int64{}
		r.rows[p] = row
	}
	if row == nil {
		r.lost++
	}
	return row
}

// Flush stores what was counted, unless it last did so less than ten seconds
// ago by the real clock: for the end of each batch.
func (r *Recorder) Flush(ctx context.Context) {
	r.mu.Lock()
	due := time.Since(r.flushed) >= between
	r.mu.Unlock()
	if due {
		r.Close(ctx)
	}
}

// Close stores what was counted: for the end of a process.
func (r *Recorder) Close(ctx context.Context) {
	r.mu.Lock()
	rows, lost := r.rows, r.lost
	r.rows, r.lost = nil, 0
	if len(rows) > 0 {
		r.flushed = time.Now()
	}
	r.mu.Unlock()
	var g errgroup.Group
	g.SetLimit(writers)
	for p, counts := range rows {
		g.Go(func() error {
			err := r.Store.AddStats(ctx, webhook.Stats{
				Tenant: p.tenant, Subscription: p.subscription, Hour: time.Unix(p.hour, 0).UTC(), Counts: counts,
			})
			if errors.Is(err, webhook.ErrBusy) {
				r.back(p, counts)
				return nil
			}
			return err
		})
	}
	if err := g.Wait(); err != nil || lost > 0 {
		r.Log.Warn("statistics are not complete", "lost", lost, "error", err)
	}
}

// back keeps what could not be stored for the next time.
func (r *Recorder) back(p place, counts map[string]int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	row := r.row(p)
	for name, n := range counts {
		if row != nil {
			row[name] += n
		}
	}
}

// Figures are counts, put in order.
type Figures struct {
	Succeeded, Exhausted, Canceled int64 // deliveries that ended
	Attempts                       int64
	Failed                         map[webhook.ErrorClass]int64 // attempts
	Attempt, EndToEnd              histogram.Counts
}

// Add adds stored counts. Names that it does not know it passes over.
func (f *Figures) Add(counts map[string]int64) {
	if f.Failed == nil {
		f.Failed, f.Attempt, f.EndToEnd = map[webhook.ErrorClass]int64{}, histogram.Counts{}, histogram.Counts{}
	}
	plain := map[string]*int64{succeeded: &f.Succeeded, exhausted: &f.Exhausted, canceled: &f.Canceled, attempts: &f.Attempts}
	for name, n := range counts {
		if sum := plain[name]; sum != nil {
			*sum += n
		} else if class, failed := strings.CutPrefix(name, failedPrefix); failed {
			f.Failed[webhook.ErrorClass(class)] += n
		} else if b, err := strconv.Atoi(name[min(1, len(name)):]); err == nil && name[:1] == attemptPrefix {
			f.Attempt[b] += n
		} else if err == nil && name[:1] == endToEndPrefix {
			f.EndToEnd[b] += n
		}
	}
}
