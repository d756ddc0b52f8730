package noun

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

const (
	statsPartition = "r"
	// statsShards is the number of items that one hour of a subscription is
	// spread over: each takes 1,000 additions a second.
	statsShards = 4
	// statsGrace is how much longer than Retention an hour is kept: long enough
	// for what /stats shows.
	statsGrace = 45 * 24 * time.Hour
	// statsLimit bounds what one list reads: 31 days and the hours that they begin
	// and end in.
	statsLimit = (31*24 + 1) * statsShards
	// countPrefix begins the fields that hold a count.
	countPrefix = "k_"
	hourLayout  = "2006010215"
)

// statsKey is one of the items that an hour is spread over. The subscription is
// "" for the whole tenant.
func (n *Nouns) statsKey(sub webhook.SubscriptionRef, hour time.Time, shard int) table.Key {
	return n.ofSubscription(statsPartition, sub, hour.UTC().Format(hourLayout)+"#"+string(rune('0'+shard)))
}

// AddStats adds each count to what is stored under its name.
func (n *Nouns) AddStats(ctx context.Context, st webhook.Stats) error {
	key := n.statsKey(webhook.SubscriptionRef{Tenant: st.Tenant, ID: st.Subscription}, st.Hour, rand.IntN(n.spread(statsShards)))
	for names := range slices.Chunk(slices.Sorted(maps.Keys(st.Counts)), table.MaxFields-1) {
		change := table.Change{Add: map[string]int64{}, Expires: st.Hour.Add(n.Retention + statsGrace)}
		for _, name := range names {
			change.Add[countPrefix+name] = st.Counts[name]
		}
		if _, _, err := n.table.Update(ctx, key, change, table.How{Wait: table.ForCommit}); err != nil {
			return err
		}
	}
	return nil
}

// Stats lists what was counted from one time, included, to another, by hour. It
// may lag by seconds.
func (n *Nouns) Stats(ctx context.Context, sub webhook.SubscriptionRef, from, before time.Time) (hours []webhook.Stats, err error) {
	if !from.Before(before) {
		return nil, nil
	}
	lo, hi := n.statsKey(sub, from, 0), n.statsKey(sub, before.Add(-time.Nanosecond), statsShards-1)
	items, err := n.table.Page(ctx, table.Range{Partition: lo.Partition, From: lo.Sort, To: hi.Sort, Lagging: true}, statsLimit)
	if err != nil {
		return nil, err
	}
	for _, it := range items {
		hour, err := hourOf(it)
		if err != nil {
			return nil, err
		}
		if n := len(hours); n == 0 || !hours[n-1].Hour.Equal(hour) {
			hours = append(hours, webhook.Stats{Tenant: sub.Tenant, Subscription: sub.ID, Hour: hour, Counts: map[string]int64{}})
		}
		for field := range it.Fields {
			if name, counts := strings.CutPrefix(field, countPrefix); counts {
				hours[len(hours)-1].Counts[name] += it.Fields.Int(field)
			}
		}
	}
	return hours, nil
}

// hourOf reads what statsKey made.
func hourOf(it table.Item) (time.Time, error) {
	digits := it.Sort[:strings.LastIndexByte(it.Sort, '#')]
	return time.Parse(hourLayout, digits[len(digits)-len(hourLayout):])
}
