// Package stats counts the outcomes of deliveries by tenant, subscription and
// hour. It counts in memory, and adds the counts to the store every ten
// seconds.
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
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/measure/histogram"
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
	few     = 100    // counts of events: so few may wait longer, see Recorder
	maxRows = 20_000 // rows in memory, each below 1 KB, half of them of one tenant; what comes beyond is lost
	writers = 16
)

// Recorder collects counts and stores them. Set its fields before the first
// use. It is safe for concurrent use.
type Recorder struct {
	Store Store
	Now   func() time.Time // our clock, whose hours count; nil means time.Now
	Log   *slog.Logger
	// Spare is how long few counts wait until they are stored: where each write is
	// paid for, and processes come and go at low rates. Zero means ten seconds.
	Spare time.Duration

	mu      sync.Mutex
	news    int                        // counted since it was flushed
	rows    map[place]map[string]int64 // of subscriptions
	shares  map[string]int             // of tenants in rows
	late    map[place]map[string]int64 // what a busy store refused; of tenants too
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
	failed := ""
	if class != "" {
		failed = failedPrefix + string(class)
	}
	r.add(sub, attempts, attemptBuckets[histogram.Bucket(took)], failed)
}

// Ended counts a delivery that has ended, in the hour in which it did.
func (r *Recorder) Ended(d webhook.Delivery) {
	r.addAt(d.EndedAt, webhook.SubscriptionRef{Tenant: d.Tenant, ID: d.Subscription}, string(d.Status))
}

// Arrived counts the time from an event's acceptance, or from the request for a replay, to the answer to a first
// attempt that succeeded.
func (r *Recorder) Arrived(sub webhook.SubscriptionRef, after time.Duration) {
	r.add(sub, endToEndBuckets[histogram.Bucket(after)], "", "")
}

// The names of all buckets, so that none is put together for each delivery.
var attemptBuckets, endToEndBuckets = buckets(attemptPrefix), buckets(endToEndPrefix)

func buckets(prefix string) (names [histogram.Last + 1]string) {
	for b := range names {
		names[b] = prefix + strconv.Itoa(b)
	}
	return names
}

// add counts one of each name that is not "", now.
func (r *Recorder) add(sub webhook.SubscriptionRef, names ...string) {
	now := time.Now
	if r.Now != nil {
		now = r.Now
	}
	r.addAt(now(), sub, names...)
}

func (r *Recorder) addAt(at time.Time, sub webhook.SubscriptionRef, names ...string) {
	hour := at.Unix() / 3600 * 3600
	r.mu.Lock()
	defer r.mu.Unlock()
	r.news++
	row := r.counted(place{sub.Tenant, sub.ID, hour})
	for _, name := range names {
		if row != nil && name != "" {
			row[name]++
		}
	}
}

// counted returns the row of a subscription; nil if there is no room for
// another, or its tenant has half of it.
func (r *Recorder) counted(p place) map[string]int64 {
	if row := r.rows[p]; row != nil {
		return row
	}
	if r.shares[p.tenant] >= maxRows/2 {
		r.lost++
		return nil
	}
	row := r.row(&r.rows, p)
	if row != nil {
		if r.shares == nil {
			r.shares = map[string]int{}
		}
		r.shares[p.tenant]++
	}
	return row
}

// row returns the row of a place; nil if there is no room for another.
func (r *Recorder) row(rows *map[place]map[string]int64, p place) map[string]int64 {
	if *rows == nil {
		*rows = map[place]map[string]int64{}
	}
	row := (*rows)[p]
	if row == nil && len(*rows) < maxRows {
		row = map[string]int64{}
		(*rows)[p] = row
	}
	if row == nil {
		r.lost++
	}
	return row
}

// Flush stores what was counted, unless it last did so less than ten seconds
// ago by the real clock, or less than Spare and few was counted: for the end of
// each batch.
func (r *Recorder) Flush(ctx context.Context) {
	r.mu.Lock()
	wait := between
	if r.news < few {
		wait = max(wait, r.Spare)
	}
	due := time.Since(r.flushed) >= wait
	r.mu.Unlock()
	if due {
		r.Close(ctx)
	}
}

// Close stores what was counted: for the end of a process.
func (r *Recorder) Close(ctx context.Context) {
	r.mu.Lock()
	rows, lost := withTenants(r.rows, r.late), r.lost
	r.rows, r.shares, r.late, r.lost, r.news = nil, nil, nil, 0, 0
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

// withTenants adds up a row for each tenant as a whole, and what is late.
func withTenants(rows, late map[place]map[string]int64) map[place]map[string]int64 {
	all := make(map[place]map[string]int64, len(rows)+len(late)+1)
	for p, counts := range rows {
		merge(all, p, counts)
		merge(all, place{p.tenant, "", p.hour}, counts)
	}
	for p, counts := range late {
		merge(all, p, counts)
	}
	return all
}

func merge(all map[place]map[string]int64, p place, counts map[string]int64) {
	if all[p] == nil {
		all[p] = make(map[string]int64, len(counts))
	}
	for name, n := range counts {
		all[p][name] += n
	}
}

// back keeps what a busy store refused for the next time.
func (r *Recorder) back(p place, counts map[string]int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.row(&r.late, p) != nil {
		merge(r.late, p, counts)
	}
}
