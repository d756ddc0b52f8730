package record

import (
	"hash/fnv"
	"strconv"
	"strings"

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
		offerKind:   {parts: 2, shards: 8, by: 1},  // what is pulled is written three times
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
