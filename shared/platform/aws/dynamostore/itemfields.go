package dynamostore

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/postino/postino/shared/store/table"
)

// textMark ends the names of texts, which may be stored as gzip: an attribute's
// type alone would not tell them from bytes.
const textMark = "_"

// keyAttributes are those of the keys, and ownAttributes all that are no fields.
var (
	keyAttributes = []string{"pk", "sk"}
	ownAttributes = []string{"pk", "sk", "expires", "k", "gsi1pk", "gsi1sk", "gsi2pk", "gsi2sk"}
)

// attributeName is where a field with such a value is stored.
func attributeName(name string, v any) string {
	if _, text := v.(table.Text); text {
		return name + textMark
	}
	return name
}

// stored returns a field's value, but a text's, as DynamoDB has it.
func stored(v any) (_ types.AttributeValue, ok bool) {
	switch v := v.(type) {
	case string:
		return str(v), true
	case int64:
		return number(v), true
	case []byte:
		return &types.AttributeValueMemberB{Value: v}, true
	}
	return nil, false
}

// written is the item as DynamoDB holds it. Texts are compressed, the longest
// first, until it costs one write unit.
func written(from table.Item) item {
	it := at(storedKey(from.Key))
	var texts []string
	for name, v := range from.Fields.Compact() {
		if text, is := v.(table.Text); is {
			it.setText(name+textMark, text)
			texts = append(texts, name+textMark)
		} else if value, ok := stored(v); ok {
			it[name] = value
		}
	}
	if !from.Expires.IsZero() {
		it.setInt("expires", from.Expires.Unix())
	}
	for i, k := range from.Index {
		it.setStr(indexAttributes[i][0], k.Partition)
		it.setStr(indexAttributes[i][1], k.Sort)
	}
	slices.SortFunc(texts, func(a, b string) int { return valueSize(it[b]) - valueSize(it[a]) })
	it.fit(texts...)
	return it
}

// indexAttributes are where an item names its place in each index.
var indexAttributes = [table.Indexes][2]string{{"gsi1pk", "gsi1sk"}, {"gsi2pk", "gsi2sk"}}

// read is what [written] wrote. A number that was added up to 0 reads as absent.
func read(it item) (table.Item, error) {
	got := table.Item{Key: table.Key{Partition: it.str("pk"), Sort: it.str("sk")}, Fields: table.Fields{}}
	if expires := it.int("expires"); expires != 0 {
		got.Expires = time.Unix(expires, 0).UTC()
	}
	for i, names := range indexAttributes {
		got.Index[i] = table.Key{Partition: it.str(names[0]), Sort: it.str(names[1])}
	}
	for name, v := range it {
		if slices.Contains(ownAttributes, name) {
			continue
		}
		plain, isText := strings.CutSuffix(name, textMark)
		if isText {
			text, err := it.text(name)
			if err != nil {
				return table.Item{}, err
			}
			got.Fields[plain] = table.Text(text)
			continue
		}
		switch v := v.(type) {
		case *types.AttributeValueMemberN:
			if n := it.int(name); n != 0 {
				got.Fields[name] = n
			}
		case *types.AttributeValueMemberS:
			got.Fields[name] = v.Value
		case *types.AttributeValueMemberB:
			got.Fields[name] = v.Value
		}
	}
	return got, nil
}
