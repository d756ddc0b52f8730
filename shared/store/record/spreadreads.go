package record

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/store/table"
)

var errWide = errors.New("record: a range of more than one tenant's or subscription's records, which are in no order")

// ranges are where a range of records is: in one partition, or in as many as there
// are shards.
func (s spread) ranges(r table.Range) ([]table.Range, error) {
	of, spreads := spreadings[r.Index][r.Partition]
	if !spreads {
		return []table.Range{r}, nil
	}
	named, low := of.cut(r.From)
	to, high := of.cut(r.To)
	if to != named {
		return nil, errWide
	}
	if of.tagged {
		if tagged(named, low, of) != tagged(named, high, of) {
			return nil, errWide
		}
		begin := behindDeliveries(r.Partition)
		r.Partition, r.From, r.To = tagged(named, low, of), begin+low, begin+high
		return []table.Range{r}, nil
	}
	r.From, r.To = of.bound(r.From, named), of.bound(r.To, named)
	if r.Partition += separator + named; of.shards == 0 {
		return []table.Range{r}, nil
	}
	if shard, one := of.shardOf(r); one {
		r.Partition += separator + shard
		return []table.Range{r}, nil
	}
	ranges := make([]table.Range, of.shards)
	for i := range ranges {
		ranges[i] = r
		ranges[i].Partition += separator + strconv.Itoa(i)
	}
	return ranges, nil
}

// shardOf is the shard of a range, if all of it has one.
func (of spreading) shardOf(r table.Range) (shard string, one bool) {
	first, from := spreading{parts: of.by}.cut(r.From)
	last, to := spreading{parts: of.by}.cut(r.To)
	if of.by == 0 || first != last || from == "" && to == "" {
		return "", false
	}
	return of.shard(r.From), true
}

// bound is what is left of the bound of a range.
func (of spreading) bound(sort, named string) string {
	switch rest, below := strings.CutPrefix(sort, named+separator); {
	case !of.alone:
		return rest
	case !below:
		return nothingLeft
	case rest == "":
		return afterThat
	default:
		return rest
	}
}

// Get reads the items of all kinds at once.
func (s spread) Get(ctx context.Context, keys ...table.Key) (map[table.Key]table.Item, error) {
	return s.get(keys, func(places ...table.Key) (map[table.Key]table.Item, error) { return s.table.Get(ctx, places...) })
}

// GetLagging is Get at half the price, where the table has that.
func (s spread) GetLagging(ctx context.Context, keys ...table.Key) (map[table.Key]table.Item, error) {
	return s.get(keys, func(places ...table.Key) (map[table.Key]table.Item, error) {
		return table.GetLagging(ctx, s.table, places...)
	})
}

func (s spread) get(keys []table.Key, get func(...table.Key) (map[table.Key]table.Item, error)) (map[table.Key]table.Item, error) {
	places := make([]table.Key, len(keys))
	for i, k := range keys {
		places[i] = s.place(0, k)
	}
	items, err := get(places...)
	if err != nil {
		return nil, err
	}
	found := make(map[table.Key]table.Item, len(items))
	for i, k := range keys {
		if it, there := items[places[i]]; there {
			found[k] = s.seen(it)
		}
	}
	return found, nil
}

// Page merges the shards of a range.
func (s spread) Page(ctx context.Context, r table.Range, limit int) (items []table.Item, err error) {
	ranges, err := s.ranges(r)
	if err != nil {
		return nil, err
	}
	if len(ranges) == 1 {
		items, err = s.table.Page(ctx, ranges[0], limit)
		for i, it := range items {
			items[i] = s.seen(it)
		}
		return items, err
	}
	for m := s.merge(ranges, limit); len(items) < limit; {
		it, more, err := m.next(ctx)
		if err != nil || !more {
			return items, err
		}
		items = append(items, it)
	}
	return items, nil
}

// Count adds up the shards of a range.
func (s spread) Count(ctx context.Context, r table.Range, limit int) (int, error) {
	ranges, err := s.ranges(r)
	if err != nil {
		return 0, err
	}
	counts := make([]int, len(ranges))
	var group errgroup.Group
	for i, r := range ranges {
		group.Go(func() (err error) {
			counts[i], err = s.table.Count(ctx, r, limit)
			return err
		})
	}
	total, err := 0, group.Wait()
	for _, n := range counts {
		total += n
	}
	return min(total, limit), err
}
