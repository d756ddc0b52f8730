package simulation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// ledger is what happened to deliveries, as the store saw it: the truth that
// statistics, metrics and jobs are held against.
type ledger struct {
	mu       sync.Mutex
	ends     map[end]int // ends that were stored, and whose caller learned so
	attempts int         // attempts likewise
	rounds   int         // rounds that began after the first, whoever learned so
	unheard  int         // ends whose caller was told that they failed, or died
}

// end is the end of deliveries of one subscription in one hour.
type end struct {
	subscription string
	status       webhook.Status
	hour         int64 // Unix
}

// note keeps what a stored write made of a delivery.
func (l *ledger) note(before, after webhook.Delivery, fresh, heard bool) {
	if after.Tenant != tenant {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ends == nil {
		l.ends = map[end]int{}
	}
	ends := after.Status != webhook.Pending && (fresh || before.Status != after.Status)
	switch {
	case ends && heard:
		l.ends[end{after.Subscription, after.Status, after.EndedAt.Truncate(time.Hour).Unix()}]++
	case ends:
		l.unheard++
	}
	if heard {
		l.attempts += after.Attempts - before.Attempts
	}
	l.rounds += after.Round - before.Round
}

// ended is how many deliveries ended so, in all subscriptions and hours.
func (l *ledger) ended(status webhook.Status) (n int) {
	for e, times := range l.ends {
		if e.status == status {
			n += times
		}
	}
	return n
}

// endings are all ways in which a delivery ends.
var endings = []webhook.Status{webhook.Succeeded, webhook.Exhausted, webhook.Canceled}

// checkFigures sees that metrics and statistics say what was stored: every end
// and every attempt that its writer learned of is counted, once, for its
// subscription and in the hour in which it happened.
func (w *world) checkFigures() {
	for _, status := range endings {
		if got, want := w.counts["deliveries_"+string(status)], w.ledger.ended(status); got != want {
			w.wrong("the metric counts %d deliveries as %s, stored were %d", got, status, want)
		}
	}
	if got, want := w.counts["attempts"], w.ledger.attempts; got != want {
		w.wrong("the metric counts %d attempts, stored were %d", got, want)
	}
	w.stats.Close(context.Background())
	for i := range w.subs {
		w.checkStats(subID(i))
	}
	w.checkStats("")
}

// checkStats compares GET /stats of a subscription, or of the tenant, with the
// ledger, hour by hour.
func (w *world) checkStats(sub string) {
	path := fmt.Sprintf("/stats?after=%s&before=%s", w.begin.Add(-time.Hour).UTC().Format(time.RFC3339), w.begin.Add((31*24-1)*time.Hour).UTC().Format(time.RFC3339))
	if sub != "" {
		path += "&subscription=" + sub
	}
	var told struct {
		Hours []struct {
			Hour       time.Time
			Deliveries map[webhook.Status]int
		}
	}
	w.ask(path, func(status int, answer []byte) {
		if err := json.Unmarshal(answer, &told); err != nil || status != 200 {
			w.wrong("GET %s: %d %s", path, status, answer)
		}
	})
	got, want := map[end]int{}, map[end]int{}
	for _, h := range told.Hours {
		for status, n := range h.Deliveries {
			got[end{sub, status, h.Hour.Unix()}] = n
		}
	}
	for e, n := range w.ledger.ends {
		if sub == "" || e.subscription == sub {
			want[end{sub, e.status, e.hour}] += n
		}
	}
	for e := range merged(got, want) {
		if got[e] != want[e] {
			w.wrong("/stats of %q counts %d deliveries as %s in the hour of %v, stored were %d", sub, got[e], e.status, time.Unix(e.hour, 0).UTC(), want[e])
		}
	}
}

func merged(a, b map[end]int) map[end]bool {
	all := map[end]bool{}
	for e := range a {
		all[e] = true
	}
	for e := range b {
		all[e] = true
	}
	return all
}
