package breaker

import (
	"sync"
	"time"

	"github.com/postino/postino/shared/language/weighed"
	"github.com/postino/postino/shared/webhook"
)

// Counter counts, in one process, the attempts to each subscription in the
// current window, and says when it is time to add them to what all processes
// count. What it holds when its process stops is a second's counts, and lost.
// It is safe for concurrent use.
type Counter struct {
	Rule Rule

	mu     sync.Mutex
	window time.Time
	counts *weighed.Cache[webhook.SubscriptionRef, *count]
}

// count is one subscription's.
type count struct {
	all    webhook.Tally // of this window
	shared webhook.Tally // of these, what has been reported
	at     time.Time     // when
}

// between is the least time between two reports of one subscription.
const between = time.Second

// Bounds of the subscriptions that are counted. Beyond them counting begins afresh
// for those that had no attempt for longest, first of a tenant that has more than
// its share.
const (
	maxCounts   = 20_000
	ownedCounts = 5_000
	countWeight = 192 // bytes
)

func newCounts() *weighed.Cache[webhook.SubscriptionRef, *count] {
	const one = countWeight + weighed.Overhead
	return weighed.New[webhook.SubscriptionRef, *count](maxCounts*one, ownedCounts*one, nil)
}

// News is what to do about an attempt.
type News struct {
	Opens  bool          // what this process counted opens the breaker
	Window time.Time     // begin of the window
	Report webhook.Tally // to be added to what all count; nothing if it has no attempts
}

// Note counts an attempt. Nothing is reported unless something failed, and at
// most once a second.
func (c *Counter) Note(sub webhook.SubscriptionRef, failed bool, now time.Time) News {
	c.mu.Lock()
	defer c.mu.Unlock()
	if window := c.Rule.Start(now); !window.Equal(c.window) || c.counts == nil {
		c.window, c.counts = window, newCounts()
	}
	k, ok := c.counts.Get(sub)
	if !ok {
		k = &count{}
		c.counts.Put(sub.Tenant, sub, k, countWeight)
	}
	k.all.Attempts++
	news := News{Window: c.window}
	if !failed {
		return news
	}
	k.all.Failed++
	if c.Rule.Opens(k.all) {
		*k = count{at: now} // and if it fails to open, counting begins again
		news.Opens = true
		return news
	}
	if !k.at.IsZero() && now.Sub(k.at) < between {
		return news
	}
	news.Report = webhook.Tally{Attempts: k.all.Attempts - k.shared.Attempts, Failed: k.all.Failed - k.shared.Failed}
	k.shared, k.at = k.all, now
	return news
}
