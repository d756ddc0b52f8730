package noun

import (
	"context"
	"errors"
	"hash/fnv"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

const (
	duePartition = "q"
	// minutesCounted bounds what one count looks at where pointers are spread. The
	// mark lies 20 minutes behind when all is well.
	minutesCounted = 128
	countsAtOnce   = 32
)

// duesIn is the partition of a minute's pointers in a shard; all of them are in
// one if nothing is spread.
func (n *Nouns) duesIn(minute time.Time, shard int) string {
	if n.Together {
		return duePartition
	}
	name := append(make([]byte, 0, 24), duePartition+"#"...)
	name = append(minute.UTC().AppendFormat(name, "200601021504"), '#')
	return string(strconv.AppendInt(name, int64(shard), 10))
}

// dueKey spreads the pointers of a minute by what they point to.
func (n *Nouns) dueKey(d webhook.Due) table.Key {
	identity := webhook.Hash(15, string(d.Kind), d.Tenant, d.Subscription, d.ID, strconv.Itoa(d.Round), strconv.Itoa(d.Step))
	h := fnv.New32a()
	h.Write([]byte(identity))
	return table.Key{
		Partition: n.duesIn(d.At, int(h.Sum32()%webhook.DueShards)),
		Sort:      table.Ordinal(table.Nanos(d.At)) + "#" + table.Name(string(d.Kind)) + "#" + identity,
	}
}

// PutDue stores a pointer; the same pointer again changes nothing.
func (n *Nouns) PutDue(ctx context.Context, d webhook.Due) error {
	_, _, err := n.table.Put(ctx, table.Item{Key: n.dueKey(d), Fields: table.Fields{
		"t": table.Nanos(d.At), "kd": string(d.Kind), "tn": d.Tenant, "s": d.Subscription, "i": d.ID, "ro": int64(d.Round), "sp": int64(d.Step),
	}}, table.How{Wait: table.ForOthers})
	return err
}

// DeleteDue removes pointers; a repeat changes nothing.
func (n *Nouns) DeleteDue(ctx context.Context, dues []webhook.Due) error {
	keys := make([]table.Key, len(dues))
	for i, d := range dues {
		keys[i] = n.dueKey(d)
	}
	return n.table.DeleteAll(ctx, keys, table.ForOthers)
}

// DueAt lists up to limit pointers of the minute that begins at minute (UTC) in
// the shard (0 to [webhook.DueShards]-1), in order of time, consistently; next is
// "" at the end. If nothing is spread, all pointers are in shard 0.
func (n *Nouns) DueAt(ctx context.Context, minute time.Time, shard int, position string, limit int) (dues []webhook.Due, next string, err error) {
	if n.Together && shard > 0 {
		return nil, "", nil
	}
	r := table.Range{Partition: n.duesIn(minute, shard), From: table.Ordinal(table.Nanos(minute)), To: table.Ordinal(table.Nanos(minute.Add(time.Minute))-1) + "~"}
	if position != "" {
		if position < r.From || position > r.To {
			return nil, "", webhook.ErrNotFound
		}
		r.From = position + "\x00"
	}
	items, err := n.table.Page(ctx, r, limit)
	if err != nil {
		return nil, "", err
	}
	for _, it := range items {
		dues = append(dues, readDue(it))
	}
	if len(items) == limit {
		next = items[limit-1].Sort
	}
	return dues, next, nil
}

func readDue(it table.Item) webhook.Due {
	f := it.Fields
	return webhook.Due{
		At: f.Time("t"), Kind: webhook.DueKind(f.String("kd")), Tenant: f.String("tn"), Subscription: f.String("s"), ID: f.String("i"),
		Round: int(f.Int("ro")), Step: int(f.Int("sp")),
	}
}

// NextDue returns the time of the earliest pointer, zero if there is none: where
// a clock that is moved by hand stops next. Only a table that keeps its pointers
// [Nouns.Together] can tell.
func (n *Nouns) NextDue(ctx context.Context) (time.Time, error) {
	if !n.Together {
		return time.Time{}, errors.New("the pointers are spread over partitions: the earliest is not known")
	}
	items, err := n.table.Page(ctx, table.Range{Partition: duePartition}, 1)
	if err != nil || len(items) == 0 {
		return time.Time{}, err
	}
	return items[0].Fields.Time("t"), nil
}

// CountDue counts the due pointers up to a time that wait to be swept, at most
// limit. Where they are spread, it looks at the first two hours after the
// low-water mark, or, before the first sweep, at the last two before through.
func (n *Nouns) CountDue(ctx context.Context, through time.Time, limit int) (int, error) {
	to := table.Ordinal(table.Nanos(through)) + "~"
	if n.Together {
		return n.table.Count(ctx, table.Range{Partition: duePartition, To: to}, limit)
	}
	from, err := n.LowWater(ctx)
	if err != nil {
		return 0, err
	}
	if from.IsZero() {
		from = through.Add(-(minutesCounted - 1) * time.Minute)
	}
	var count atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(countsAtOnce)
	from = from.UTC().Truncate(time.Minute)
	for i := range minutesCounted * webhook.DueShards {
		minute := from.Add(time.Duration(i/webhook.DueShards) * time.Minute)
		if minute.After(through) || count.Load() >= int64(limit) {
			break
		}
		group.Go(func() error {
			counted, err := n.table.Count(ctx, table.Range{Partition: n.duesIn(minute, i%webhook.DueShards), To: to, Lagging: true}, limit)
			count.Add(int64(counted))
			return err
		})
	}
	err = group.Wait()
	return min(int(count.Load()), limit), err
}
