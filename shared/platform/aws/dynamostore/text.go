package dynamostore

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"sync"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	writeUnit   = 1 << 10 // bytes that one write unit pays for
	maxUnpacked = 4 << 20 // bytes of any text of ours: an event's data or a body is at most 256 KiB
)

// asItIs begins bytes of type B that are not gzip, which begins otherwise.
const asItIs = 0

// setText stores bytes as type S if they are UTF-8, so that people can read
// them in a console, otherwise as type B. Empty is absent.
func (it item) setText(name string, text []byte) {
	switch {
	case len(text) == 0:
	case utf8.Valid(text):
		it[name] = &types.AttributeValueMemberS{Value: string(text)}
	default:
		it[name] = &types.AttributeValueMemberB{Value: append([]byte{asItIs}, text...)}
	}
}

// fit replaces texts by their gzip, in the given order and where that is
// shorter, until the item costs one write unit or none is left.
func (it item) fit(names ...string) {
	size := it.size()
	for _, name := range names {
		plain, err := it.text(name)
		if size <= writeUnit || err != nil || len(plain) == 0 {
			continue
		}
		if packed := pack(plain); len(packed) < len(plain) {
			size -= valueSize(it[name]) - len(packed)
			it[name] = &types.AttributeValueMemberB{Value: packed}
		}
	}
}

// text returns what setText stored; nil if absent.
func (it item) text(name string) ([]byte, error) {
	switch v := it[name].(type) {
	case *types.AttributeValueMemberS:
		return []byte(v.Value), nil
	case *types.AttributeValueMemberB:
		if len(v.Value) > 0 && v.Value[0] == asItIs {
			return v.Value[1:], nil
		}
		b, err := unpack(v.Value)
		if err != nil {
			return nil, fmt.Errorf("dynamostore: read attribute %s: %w", name, err)
		}
		return b, nil
	}
	return nil, nil
}

var packers = sync.Pool{New: func() any { return gzip.NewWriter(io.Discard) }} // one weighs 800 KB

func pack(b []byte) []byte {
	var out bytes.Buffer
	w := packers.Get().(*gzip.Writer)
	defer packers.Put(w)
	w.Reset(&out)
	_, _ = w.Write(b) // a bytes.Buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

func unpack(b []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(r, maxUnpacked+1))
	if len(out) > maxUnpacked {
		return nil, errors.New("longer than anything we write")
	}
	return out, err
}
