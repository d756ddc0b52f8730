package record

import (
	"context"
	"errors"
	"hash/fnv"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// spread is a table in which each partition serves so many reads and writes a
// second: the records of a kind lie in many. Whoever uses it sees keys as one place
// has them.
type spread struct{ table table.Table }

// spreading tells in which partition a record is.
type spreading struct {
	// parts of the sort key, from its beginning, that the partition is named by,
	// behind the kind. What is left is the sort key there.
	parts int
	// shards over which these are spread once more; 0 for none. They can never
	// change for a table that holds something.
	shards int
	// by are the parts of what is left that the shard goes by; 0 for all.
	by int
	// alone says that nothing may be left.
	alone bool
	// tagged says that the record is of a delivery: its partition is named by the
	// delivery's tag, too, and its shard goes by the delivery.
	tagged bool
}

const deliveryShards = 4

// The kinds that are spread, in the table and in its indexes. Others are as they are.
var spreadings = [1 + table.Indexes]map[string]spreading{
	{
		counterKind: {parts: 1},
		changeKind:  {parts: 1},
		headKind:    {parts: 1, shards: 8},
		versionKind: {parts: 2},
		lineKind:    {parts: 2, shards: 4},
		stateKind:   {parts: 2, shards: 16, by: 2}, // all parts of one key of a trigger are together
		eventKind:   {parts: 2, alone: true},
		groupKind:   {parts: 2},
		// A delivery is beside the others of its subscription, which its id names, and
		// what belongs to it in the same partition, behind them.
		deliveryKind: {parts: 1, shards: deliveryShards, tagged: true},
		partKind:     {parts: 1, shards: deliveryShards, tagged: true},
	},
	{
		eventKind:    {parts: 1, shards: 8},
		pointerKind:  {parts: 1, shards: 8},
		deliveryKind: {parts: 2, shards: 8}, // that has not succeeded, by status
	},
	{
		subjectKind:  {parts: 2, shards: 8},
		deliveryKind: {parts: 3, shards: 4}, // that has not succeeded, by subscription and status
	},
}

// The sort key of a record of which nothing is left, and what follows it.
const (
	nothingLeft = "!"
	afterThat   = "\""
)

// place is where a record is.
func (spread) place(index int, k table.Key) table.Key {
	of, spreads := spreadings[index][k.Partition]
	if !spreads {
		return k
	}
	named, rest := of.cut(k.Sort)
	if of.tagged {
		return table.Key{Partition: tagged(named, rest, of), Sort: behindDeliveries(k.Partition) + rest}
	}
	if rest == "" {
		rest = nothingLeft
	}
	name := k.Partition + separator + named
	if of.shards > 0 {
		name += separator + of.shard(rest)
	}
	return table.Key{Partition: name, Sort: rest}
}

// tagged is the partition of what belongs to a delivery.
func tagged(tenant, rest string, of spreading) string {
	id, _, _ := strings.Cut(rest, separator)
	_, tag, _ := webhook.ParseDeliveryID(id)
	return tagPartition(tenant, tag, of.shard(id))
}

func tagPartition(tenant, tag, shard string) string {
	return deliveryKind + separator + tenant + separator + tag + separator + shard
}

// behindDeliveries begins the sort keys of what belongs to deliveries.
func behindDeliveries(kind string) string {
	if kind == partKind {
		return behindAll
	}
	return ""
}

// ofTag are the ranges of the deliveries of a tag between two ids.
func (spread) ofTag(tenant, tag, low, high string, desc bool) []table.Range {
	ranges := make([]table.Range, deliveryShards)
	for i := range ranges {
		ranges[i] = table.Range{Partition: tagPartition(table.Name(tenant), tag, strconv.Itoa(i)), From: low, To: high, Desc: desc, Lagging: true}
	}
	return ranges
}

// cut parts a sort key into what the partition is named by, and what is left.
func (of spreading) cut(sort string) (named, rest string) {
	if of.parts == 0 {
		return "", sort
	}
	end := 0
	for range of.parts {
		n := strings.IndexByte(sort[end:], '#')
		if n < 0 {
			return sort, ""
		}
		end += n + 1
	}
	return sort[:end-1], sort[end:]
}

// shard is the shard of what is left of a sort key.
func (of spreading) shard(rest string) string {
	if of.by > 0 {
		rest, _ = spreading{parts: of.by}.cut(rest)
	}
	h := fnv.New32a()
	h.Write([]byte(rest))
	return strconv.Itoa(int(h.Sum32() % uint32(of.shards)))
}

// key is the key of which k is the place.
func (spread) key(index int, k table.Key) table.Key {
	kind, named, _ := strings.Cut(k.Partition, separator)
	of, spreads := spreadings[index][kind]
	if !spreads {
		return k
	}
	if of.tagged {
		tenant, _, _ := strings.Cut(named, separator)
		if part, is := strings.CutPrefix(k.Sort, behindAll); is {
			return table.Key{Partition: partKind, Sort: tenant + separator + part}
		}
		return table.Key{Partition: deliveryKind, Sort: tenant + separator + k.Sort}
	}
	if of.shards > 0 {
		named = named[:strings.LastIndexByte(named, '#')]
	}
	if of.alone && k.Sort == nothingLeft {
		return table.Key{Partition: kind, Sort: named}
	}
	return table.Key{Partition: kind, Sort: named + separator + k.Sort}
}

// placed is an item with its keys as they are stored; seen is one as it was.
func (s spread) placed(it table.Item) table.Item { return keysOf(it, s.place) }
func (s spread) seen(it table.Item) table.Item   { return keysOf(it, s.key) }

func keysOf(it table.Item, key func(index int, k table.Key) table.Key) table.Item {
	if it.Key != (table.Key{}) {
		it.Key = key(0, it.Key)
	}
	for i, k := range it.Index {
		if k != (table.Key{}) {
			it.Index[i] = key(1+i, k)
		}
	}
	return it
}

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
