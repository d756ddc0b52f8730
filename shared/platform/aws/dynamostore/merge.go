package dynamostore

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"
)

// source is where a list is read.
type source struct {
	index      string // "" is the table
	consistent bool   // the table only
	keysOnly   bool   // nothing but the table's and the index's keys
}

// prefix is what the names of the source's key attributes begin with.
func (src source) prefix() string {
	switch src.index {
	case index1:
		return "gsi1"
	case index2:
		return "gsi2"
	}
	return ""
}

func (src source) partitionKey() string { return src.prefix() + "pk" }
func (src source) sortKey() string      { return src.prefix() + "sk" }

// keyRange is a range of sort keys, both ends included, except skip.
type keyRange struct {
	lo, hi string
	skip   string // where the page before ended
	desc   bool
}

// behind narrows the range to what follows a position; "" changes nothing.
func (r keyRange) behind(position string) keyRange {
	switch {
	case position == "":
		return r
	case r.desc:
		r.hi = min(r.hi, position)
	default:
		r.lo = max(r.lo, position)
	}
	r.skip = position
	return r
}

// merge reads several partitions as one list in order of their sort keys,
// fetching no more than it gives out and a little.
type merge struct {
	store   *Store
	op      string
	src     source
	rng     keyRange
	size    int32 // of one fetch
	cursors []*cursor
}

// cursor reads one partition.
type cursor struct {
	pk     string
	buffer []item
	start  map[string]types.AttributeValue
	done   bool // nothing but the buffer is left
}

// merge begins a list of which the caller will take about limit items.
func (s *Store) merge(op string, pks []string, rng keyRange, src source, limit int) *merge {
	m := &merge{store: s, op: op, src: src, rng: rng, size: int32(limit/len(pks)*3/2 + 4)}
	for _, pk := range pks {
		m.cursors = append(m.cursors, &cursor{pk: pk, done: rng.lo > rng.hi})
	}
	return m
}

// next returns the next item, nil at the end.
func (m *merge) next(ctx context.Context) (item, error) {
	if err := m.fill(ctx); err != nil {
		return nil, err
	}
	var first *cursor
	for _, c := range m.cursors {
		if len(c.buffer) > 0 && (first == nil || m.before(c.buffer[0], first.buffer[0])) {
			first = c
		}
	}
	if first == nil {
		return nil, nil
	}
	it := first.buffer[0]
	first.buffer = first.buffer[1:]
	return it, nil
}

func (m *merge) before(a, b item) bool {
	by := m.src.sortKey()
	return (a.str(by) < b.str(by)) != m.rng.desc
}

// more reports whether next may have something.
func (m *merge) more() bool {
	for _, c := range m.cursors {
		if len(c.buffer) > 0 || !c.done {
			return true
		}
	}
	return false
}

// fill fetches, at once, for all cursors that have run dry: no item can be
// called the next before each partition has shown its first.
func (m *merge) fill(ctx context.Context) error {
	var group errgroup.Group
	for _, c := range m.cursors {
		if len(c.buffer) == 0 && !c.done {
			group.Go(func() error { return m.fetch(ctx, c) })
		}
	}
	return group.Wait()
}

func (m *merge) fetch(ctx context.Context, c *cursor) error {
	for len(c.buffer) == 0 && !c.done {
		out, err := m.store.client.Query(ctx, m.query(c))
		if err != nil {
			return readFault(m.op, err)
		}
		for _, it := range out.Items {
			if m.rng.skip == "" || item(it).str(m.src.sortKey()) != m.rng.skip {
				c.buffer = append(c.buffer, it)
			}
		}
		c.start, c.done = out.LastEvaluatedKey, len(out.LastEvaluatedKey) == 0
	}
	return nil
}

func (m *merge) query(c *cursor) *dynamodb.QueryInput {
	in := &dynamodb.QueryInput{
		TableName:              &m.store.table,
		KeyConditionExpression: aws.String(m.src.partitionKey() + " = :p AND " + m.src.sortKey() + " BETWEEN :lo AND :hi"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":p": str(c.pk), ":lo": str(m.rng.lo), ":hi": str(m.rng.hi),
		},
		ScanIndexForward:  aws.Bool(!m.rng.desc),
		Limit:             &m.size,
		ExclusiveStartKey: c.start,
		ConsistentRead:    &m.src.consistent,
	}
	if m.src.index != "" {
		in.IndexName = &m.src.index
	}
	if m.src.keysOnly {
		in.ProjectionExpression = aws.String("pk, sk, " + m.src.sortKey())
	}
	return in
}

// shardPKs returns the partitions of a list that is spread over n shards.
func shardPKs(n int, pk func(shard string) string) []string {
	pks := make([]string, n)
	for i := range pks {
		pks[i] = pk(strconv.Itoa(i))
	}
	return pks
}
