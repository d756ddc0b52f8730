package dynamostore

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/postino/postino/shared/store/table"
)

// itemTable is the store's table as [table.Table].
type itemTable struct{ s *Store }

// Get reads one item, or several in batches of a hundred.
func (t itemTable) Get(ctx context.Context, keys ...table.Key) (map[table.Key]table.Item, error) {
	if len(keys) != 1 {
		return t.getAll(ctx, keys, true)
	}
	it, err := t.s.get(ctx, "get", storedKey(keys[0]))
	if err != nil || it == nil {
		return nil, err
	}
	got, err := read(it)
	return map[table.Key]table.Item{keys[0]: got}, err
}

// GetLagging reads in batches of a hundred, at half the price.
func (t itemTable) GetLagging(ctx context.Context, keys ...table.Key) (map[table.Key]table.Item, error) {
	return t.getAll(ctx, keys, false)
}

func (t itemTable) getAll(ctx context.Context, keys []table.Key, consistent bool) (map[table.Key]table.Item, error) {
	wanted := make([]key, len(keys))
	for i, k := range keys {
		wanted[i] = storedKey(k)
	}
	items, err := t.s.getAll(ctx, "get", wanted, consistent)
	if err != nil {
		return nil, err
	}
	found := make(map[table.Key]table.Item, len(items))
	for _, it := range items {
		got, err := read(it)
		if err != nil {
			return nil, err
		}
		found[got.Key] = got
	}
	return found, nil
}

// PutAll stores items in batches of 25.
func (t itemTable) PutAll(ctx context.Context, items []table.Item) error {
	if len(items) == 1 {
		return t.s.put(ctx, "put", written(items[0]))
	}
	all := make([]item, len(items))
	for i, it := range items {
		all[i] = written(it)
	}
	return t.s.putAll(ctx, "put", all)
}

// Page is one Query.
func (t itemTable) Page(ctx context.Context, r table.Range, limit int) ([]table.Item, error) {
	found, err := t.s.query(ctx, "page", t.query(r), limit)
	if err != nil {
		return nil, err
	}
	var items []table.Item
	for _, it := range found {
		got, err := read(it)
		if err != nil {
			return nil, err
		}
		items = append(items, got)
	}
	return items, nil
}

// Count is a Query that returns no items; it costs what reading them costs.
func (t itemTable) Count(ctx context.Context, r table.Range, limit int) (n int, err error) {
	in := t.query(r)
	in.Select = types.SelectCount
	for n < limit {
		in.Limit = aws.Int32(int32(limit - n))
		out, err := t.s.client.Query(ctx, in)
		if err != nil {
			return 0, readFault("count", err)
		}
		n += int(out.Count)
		if in.ExclusiveStartKey = out.LastEvaluatedKey; in.ExclusiveStartKey == nil {
			break
		}
	}
	return n, nil
}

// query asks for the items of a range.
func (t itemTable) query(r table.Range) *dynamodb.QueryInput {
	in := &dynamodb.QueryInput{TableName: &t.s.table, ScanIndexForward: aws.Bool(!r.Desc)}
	names := [...][2]string{{"pk", "sk"}, {"gsi1pk", "gsi1sk"}, {"gsi2pk", "gsi2sk"}}[r.Index]
	if r.Index > 0 {
		in.IndexName = aws.String([...]string{index1, index2}[r.Index-1])
	} else if !r.Lagging {
		in.ConsistentRead = aws.Bool(true)
	}
	expression, values := names[0]+" = :p", item{":p": str(r.Partition)}
	switch {
	case r.From != "" && r.To != "":
		expression += " AND " + names[1] + " BETWEEN :lo AND :hi"
	case r.From != "":
		expression += " AND " + names[1] + " >= :lo"
	case r.To != "":
		expression += " AND " + names[1] + " <= :hi"
	}
	values.setStr(":lo", r.From)
	values.setStr(":hi", r.To)
	in.KeyConditionExpression, in.ExpressionAttributeValues = &expression, values
	return in
}

// Put asks for the old item, to tell whether there was one, but where a
// condition says so. With a condition it writes a mark along: a repeat of the
// SDK's that finds it has succeeded the first time.
func (t itemTable) Put(ctx context.Context, from table.Item, how table.How) (old table.Item, replaced bool, err error) {
	in := &dynamodb.PutItemInput{TableName: &t.s.table, Item: written(from), ReturnValues: types.ReturnValueAllOld}
	mark := mark()
	if len(how.If) > 0 {
		e := expression{}
		in.Item["k"] = mark
		in.ConditionExpression, in.ReturnValuesOnConditionCheckFailure = e.condition(how.If), allOld
		in.ExpressionAttributeNames, in.ExpressionAttributeValues = e.names, e.values
		in.ReturnValues = ""
	}
	out, err := t.s.client.PutItem(ctx, in)
	if stored, refused := unmet(err); refused {
		if stored.marked(mark) {
			return table.Item{}, false, nil
		}
		return refusedBy(stored)
	}
	if err != nil {
		return table.Item{}, false, fault("put", err)
	}
	if out.Attributes == nil {
		return table.Item{}, false, nil
	}
	old, err = read(out.Attributes)
	return old, true, err
}

// refusedBy returns what is there, and that it refused.
func refusedBy(stored item) (old table.Item, exists bool, err error) {
	if stored == nil {
		return table.Item{}, false, table.ErrRefused
	}
	if old, err = read(stored); err != nil {
		return old, true, err
	}
	return old, true, table.ErrRefused
}

// Update is one UpdateItem.
func (t itemTable) Update(ctx context.Context, k table.Key, change table.Change, how table.How) (old table.Item, existed bool, err error) {
	e := expression{}
	in := &dynamodb.UpdateItemInput{
		TableName: &t.s.table, Key: at(storedKey(k)), UpdateExpression: e.update(change), ConditionExpression: e.condition(how.If),
		ReturnValues: types.ReturnValueAllOld,
	}
	if in.ConditionExpression != nil {
		in.ReturnValuesOnConditionCheckFailure = allOld
	}
	in.ExpressionAttributeNames, in.ExpressionAttributeValues = e.names, e.values
	out, err := t.s.client.UpdateItem(ctx, in)
	if stored, refused := unmet(err); refused {
		return refusedBy(stored)
	}
	if err != nil {
		return old, false, fault("update", err)
	}
	if out.Attributes == nil {
		return old, false, nil
	}
	old, err = read(out.Attributes)
	return old, true, err
}

// Delete is conditional, so that it can tell whether there was one.
func (t itemTable) Delete(ctx context.Context, k table.Key) error {
	_, err := t.s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &t.s.table, Key: at(storedKey(k)), ConditionExpression: aws.String("attribute_exists(pk)"),
	})
	if _, gone := unmet(err); gone {
		return table.ErrRefused
	}
	if err != nil {
		return fault("delete", err)
	}
	return nil
}

// DeleteAll removes items in batches of 25.
func (t itemTable) DeleteAll(ctx context.Context, keys []table.Key, _ table.Wait) error {
	stored := make([]key, len(keys))
	for i, k := range keys {
		stored[i] = storedKey(k)
	}
	return t.s.deleteAll(ctx, "delete", stored)
}

func storedKey(k table.Key) key { return key{k.Partition, k.Sort} }
