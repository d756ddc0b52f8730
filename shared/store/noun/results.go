package noun

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

const (
	resultsPartition = "i"
	// resultsShards is the number of partitions that a tenant's results are spread
	// over, by what they are of.
	resultsShards = 16
	hourResults   = "H#"
	dayResults    = "D#"
	daySketches   = "P#"
	dayLayout     = "20060102"
	// daysKept is how long what was counted of a day is kept, as long as claims that
	// hold for ever.
	daysKept = 400 * 24 * time.Hour
	// resultsLimit bounds what one list reads: 31 days of hours, or 400 days.
	resultsLimit = 31*24 + 1
)

func resultsShard(tenant string, shard int) string {
	return of(resultsPartition, tenant) + "#" + strconv.Itoa(shard)
}

// resultsKey is an item of results: its sort key begins with what they are of.
func (n *Nouns) resultsKey(r webhook.ResultsOf, sort string) table.Key {
	kind, id := "C#", r.Campaign
	if id == "" {
		kind, id = "S#", r.Subscription
	}
	shard := 0
	for _, b := range []byte(webhook.Hash(5, "results", kind, id)) {
		shard = (shard*31 + int(b)) % n.spread(resultsShards)
	}
	return table.Key{Partition: resultsShard(r.Tenant, shard), Sort: kind + table.Name(id) + "#" + sort}
}

// AddResults adds each count to what is stored under its name for the hour, and for
// its day. A repeat counts again. [webhook.ErrBusy] means that nothing was added of
// some of them.
func (n *Nouns) AddResults(ctx context.Context, r webhook.Results) error {
	for _, row := range []struct {
		sort string
		kept time.Duration
	}{
		{hourResults + r.At.UTC().Format(hourLayout), n.Retention + statsGrace},
		{dayResults + r.At.UTC().Format(dayLayout), daysKept},
	} {
		for names := range slices.Chunk(slices.Sorted(maps.Keys(r.Counts)), table.MaxFields-1) {
			change := table.Change{Add: map[string]int64{}, Expires: r.At.Add(row.kept)}
			for _, name := range names {
				change.Add[countPrefix+name] = r.Counts[name]
			}
			if _, _, err := n.table.Update(ctx, n.resultsKey(r.Of, row.sort), change, table.How{Wait: table.ForCommit}); err != nil {
				return err
			}
		}
	}
	return nil
}

// Results lists what was counted from one time, included, to another, by hour or by
// day. It may lag by seconds.
func (n *Nouns) Results(ctx context.Context, r webhook.ResultsOf, from, before time.Time, daily bool) (rows []webhook.Results, err error) {
	if !from.Before(before) {
		return nil, nil
	}
	prefix, layout := hourResults, hourLayout
	if daily {
		prefix, layout = dayResults, dayLayout
	}
	items, err := n.resultsRange(ctx, r, prefix+from.UTC().Format(layout), prefix+before.Add(-time.Nanosecond).UTC().Format(layout))
	if err != nil {
		return nil, err
	}
	for _, it := range items {
		at, err := time.Parse(layout, it.Sort[len(it.Sort)-len(layout):])
		if err != nil {
			return nil, err
		}
		row := webhook.Results{Of: r, At: at, Counts: map[string]int64{}}
		for field := range it.Fields {
			if name, counts := strings.CutPrefix(field, countPrefix); counts {
				row.Counts[name] = it.Fields.Int(field)
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func (n *Nouns) resultsRange(ctx context.Context, r webhook.ResultsOf, from, to string) ([]table.Item, error) {
	lo, hi := n.resultsKey(r, from), n.resultsKey(r, to)
	return n.table.Page(ctx, table.Range{Partition: lo.Partition, From: lo.Sort, To: hi.Sort, Lagging: true}, resultsLimit)
}

// Sketches lists those of the days from one time, included, to another. It may lag
// by seconds.
func (n *Nouns) Sketches(ctx context.Context, r webhook.ResultsOf, kind string, from, before time.Time) (sketches []webhook.Sketch, err error) {
	if !from.Before(before) {
		return nil, nil
	}
	prefix := daySketches + kind + "#"
	items, err := n.resultsRange(ctx, r, prefix+from.UTC().Format(dayLayout), prefix+before.Add(-time.Nanosecond).UTC().Format(dayLayout))
	for _, it := range items {
		day, err := time.Parse(dayLayout, it.Sort[len(it.Sort)-len(dayLayout):])
		if err != nil {
			return nil, err
		}
		sketches = append(sketches, webhook.Sketch{Of: r, Day: day, Kind: kind, Data: it.Fields.Bytes("d"), Revision: it.Fields.Int("rv")})
	}
	return sketches, err
}

// SaveSketch stores a sketch in place of the revision before. It is
// [webhook.ErrConflict] if another revision is stored.
func (n *Nouns) SaveSketch(ctx context.Context, s webhook.Sketch) error {
	key := n.resultsKey(s.Of, daySketches+s.Kind+"#"+s.Day.UTC().Format(dayLayout))
	_, _, err := n.table.Put(ctx, table.Item{Key: key, Fields: table.Fields{"d": s.Data, "rv": s.Revision}, Expires: s.Day.Add(daysKept)},
		table.How{If: table.Revision("rv", s.Revision), Wait: table.ForCommit})
	if errors.Is(err, table.ErrRefused) {
		return webhook.ErrConflict
	}
	return err
}
