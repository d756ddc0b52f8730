package dynamostore

import (
	"bytes"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func FuzzTextComesBackByteForByte(f *testing.F) {
	for _, seed := range []string{"", "{}", "\x00\xff", "\u2028 <é>", strings.Repeat("a", 2000), strings.Repeat("\xfe", 2000)} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, fit bool) {
		it := item{}
		it.setText("x", text)
		if fit {
			it.fit("x")
		}
		got, err := it.text("x")
		if err != nil || !bytes.Equal(got, text) {
			t.Errorf("%q came back as %q, %v", text, got, err)
		}
	})
}

func TestTextsAreCompressedOnlyWhenThatSavesAUnit(t *testing.T) {
	it := at(key{"p", "s"})
	it.setText("a", []byte(strings.Repeat("a", 900)))
	it.fit("a")
	if _, plain := it["a"].(*types.AttributeValueMemberS); !plain {
		t.Error("a text was compressed though its item costs one unit")
	}
	it.setText("b", []byte(strings.Repeat("b", 900)))
	it.fit("b", "a")
	_, first := it["b"].(*types.AttributeValueMemberB)
	_, second := it["a"].(*types.AttributeValueMemberS)
	if !first || !second || it.size() > writeUnit {
		t.Errorf("compressed the first: %v, left the second: %v, size %d", first, second, it.size())
	}
}

func TestAnAttributeThatWeDidNotWriteIsAnErrorWithoutItsContents(t *testing.T) {
	bomb := &types.AttributeValueMemberB{Value: pack(bytes.Repeat([]byte("hush"), maxUnpacked))}
	for name, v := range map[string]types.AttributeValue{
		"not gzip": &types.AttributeValueMemberB{Value: []byte("hush")},
		"cut":      &types.AttributeValueMemberB{Value: pack([]byte("hush"))[:12]},
		"bomb":     bomb,
	} {
		if _, err := (item{"x": v}).text("x"); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: error = %v", name, err)
		}
	}
}
