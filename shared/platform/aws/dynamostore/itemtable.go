package dynamostore

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/postino/postino/shared/store/table"
)

// itemTable is the store's table as [table.Table], for package noun.
type itemTable struct{ s *Store }

// Get reads one item, or several in batches of a hundred.
func (t itemTable) Get(ctx context.Context, keys ...table.Key) (map[table.Key]table.Item, error) {
	found := make(map[table.Key]table.Item, len(keys))
	if len(keys) == 1 {
		it, err := t.s.get(ctx, "get", storedKey(keys[0]))
		if err != nil || it == nil {
			return found, err
		}
		found[keys[0]], err = read(it)
		return found, err
	}
	wanted := make([]key, len(keys))
	for i, k := range keys {
		wanted[i] = storedKey(k)
	}
	items, err := t.s.getAll(ctx, "get", wanted, true)
	if err != nil {
		return nil, err
	}
	for _, it := range items {
		got, err := read(it)
		if err != nil {
			return nil, err
		}
		found[got.Key] = got
	}
	return found, nil
}

// Page is one Query, consistent.
func (t itemTable) Page(ctx context.Context, r table.Range, limit int) ([]table.Item, error) {
	in := t.s.rangeQuery(r.Partition, r.From, r.To)
	switch {
	case r.From == "" && r.To == "":
		in.KeyConditionExpression = aws.String("pk = :p")
	case r.From == "":
		in.KeyConditionExpression = aws.String("pk = :p AND sk <= :hi")
	case r.To == "":
		in.KeyConditionExpression = aws.String("pk = :p AND sk >= :lo")
	}
	for name, end := range map[string]string{":lo": r.From, ":hi": r.To} {
		if end == "" {
			delete(in.ExpressionAttributeValues, name)
		}
	}
	in.ScanIndexForward = aws.Bool(!r.Desc)
	found, err := t.s.query(ctx, "page", in, limit)
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

// Put asks for the old item, to tell whether there was one, but where a
// revision says so.
func (t itemTable) Put(ctx context.Context, item table.Item, how table.How) (old table.Item, replaced bool, err error) {
	it := written(item)
	var was map[string]types.AttributeValue
	switch {
	case how.Revision != "":
		replaced, err = t.putRevision(ctx, it, how.Revision, item.Fields.Int(how.Revision))
		return old, replaced, err
	case len(how.Keep) > 0:
		was, err = t.merge(ctx, it, how.Keep)
	default:
		var out *dynamodb.PutItemOutput
		if out, err = t.s.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &t.s.table, Item: it, ReturnValues: types.ReturnValueAllOld}); err == nil {
			was = out.Attributes
		}
	}
	if err != nil {
		return old, false, fault("put", err)
	}
	if was == nil {
		return old, false, nil
	}
	old, err = read(was)
	return old, true, err
}

// merge sets the item's attributes, but leaves those to keep as they are.
func (t itemTable) merge(ctx context.Context, it item, keep []string) (was item, err error) {
	names, values := map[string]string{}, item{}
	var sets []string
	for name, v := range it {
		if name == "pk" || name == "sk" {
			continue
		}
		n := strconv.Itoa(len(sets))
		names["#"+n], values[":"+n] = name, v
		set := "#" + n + " = :" + n
		if slices.Contains(keep, strings.TrimSuffix(name, textMark)) {
			set = "#" + n + " = if_not_exists(#" + n + ", :" + n + ")"
		}
		sets = append(sets, set)
	}
	out, err := t.s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &t.s.table, Key: at(it.key()), UpdateExpression: aws.String("SET " + strings.Join(sets, ", ")),
		ExpressionAttributeNames: names, ExpressionAttributeValues: values, ReturnValues: types.ReturnValueAllOld,
	})
	if err != nil {
		return nil, err
	}
	return out.Attributes, nil
}

// putRevision writes a mark along: a repeat of the SDK's that finds it has
// succeeded the first time.
func (t itemTable) putRevision(ctx context.Context, it item, field string, rev int64) (replaced bool, err error) {
	mark := mark()
	it["k"] = mark
	in := &dynamodb.PutItemInput{
		TableName: &t.s.table, Item: it, ExpressionAttributeNames: map[string]string{"#r": field},
		ConditionExpression: aws.String("attribute_not_exists(#r)"), ReturnValuesOnConditionCheckFailure: allOld,
	}
	if rev > 1 {
		in.ConditionExpression = aws.String("#r = :r")
		in.ExpressionAttributeValues = map[string]types.AttributeValue{":r": number(rev - 1)}
	}
	_, err = t.s.client.PutItem(ctx, in)
	if stored, refused := unmet(err); refused && !stored.marked(mark) {
		return false, table.ErrRefused
	} else if err != nil && !refused {
		return false, fault("put", err)
	}
	return rev > 1, nil
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
func (t itemTable) DeleteAll(ctx context.Context, keys []table.Key) error {
	stored := make([]key, len(keys))
	for i, k := range keys {
		stored[i] = storedKey(k)
	}
	return t.s.deleteAll(ctx, "delete", stored)
}

func storedKey(k table.Key) key { return key{k.Partition, k.Sort} }

// textMark ends the names of texts, which may be stored as gzip: an attribute's
// type alone would not tell them from bytes.
const textMark = "_"

// written is the item as DynamoDB holds it. Texts are compressed, the longest
// first, until it costs one write unit.
func written(from table.Item) item {
	it := at(storedKey(from.Key))
	var texts []string
	for name, v := range from.Fields.Compact() {
		switch v := v.(type) {
		case string:
			it.setStr(name, v)
		case int64:
			it.setInt(name, v)
		case []byte:
			it[name] = &types.AttributeValueMemberB{Value: v}
		case table.Text:
			it.setText(name+textMark, v)
			texts = append(texts, name+textMark)
		}
	}
	if !from.Expires.IsZero() {
		it.setInt("expires", from.Expires.Unix())
	}
	slices.SortFunc(texts, func(a, b string) int { return valueSize(it[b]) - valueSize(it[a]) })
	it.fit(texts...)
	return it
}

// read is what [written] wrote.
func read(it item) (table.Item, error) {
	got := table.Item{Key: table.Key{Partition: it.str("pk"), Sort: it.str("sk")}, Fields: table.Fields{}}
	if expires := it.int("expires"); expires != 0 {
		got.Expires = time.Unix(expires, 0).UTC()
	}
	for name, v := range it {
		plain, isText := strings.CutSuffix(name, textMark)
		switch v := v.(type) {
		case *types.AttributeValueMemberN:
			got.Fields[name] = it.int(name)
		case *types.AttributeValueMemberS:
			got.Fields[name] = v.Value
		case *types.AttributeValueMemberB:
			got.Fields[name] = v.Value
		}
		if isText {
			text, err := it.text(name)
			if err != nil {
				return table.Item{}, err
			}
			delete(got.Fields, name)
			got.Fields[plain] = table.Text(text)
		}
	}
	for _, own := range []string{"pk", "sk", "expires", "k"} {
		delete(got.Fields, own)
	}
	return got, nil
}
