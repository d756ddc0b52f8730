package dynamostore

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/json"
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

// json decodes a text into v, which stays as it is if the text is absent.
func (it item) json(name string, v any) error {
	b, err := it.text(name)
	if err != nil || b == nil {
		return err
	}
	if json.Unmarshal(b, v) != nil { // whose error may quote what is stored
		return fmt.Errorf("dynamostore: attribute %s is not what we wrote", name)
	}
	return nil
}

// outcomesDict is what the outcomes of a group begin with often.
const outcomesDict = `{"headers":{"connection":"keep-alive","content-length":"0","content-type":"text/plain; charset=utf-8","content-type":"application/json",` +
	`"date":"Mon, 30 Nov 2026 12:00:00 GMT","server":"nginx"},"body":"{\"ok\":true}"}},{"i":"dlv_0","o":true},{"i":"dlv_0","e":"evt_0","s":"/tenants/","u":"sub_0","v":1,` +
	`"d":"","a":10,"z":10,"t":10,"c":204,"c":202,"c":200,"r":{"headers":{"content-length":"0","date":"`

var outcomesPackers = sync.Pool{New: func() any {
	w, _ := flate.NewWriterDict(io.Discard, flate.BestCompression, []byte(outcomesDict)) // the level is one
	return w
}}

func packOutcomes(b []byte) []byte {
	var out bytes.Buffer
	w := outcomesPackers.Get().(*flate.Writer)
	defer outcomesPackers.Put(w)
	w.Reset(&out) // keeps the dictionary
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

func unpackOutcomes(b []byte) ([]byte, error) {
	out, err := io.ReadAll(io.LimitReader(flate.NewReaderDict(bytes.NewReader(b), []byte(outcomesDict)), maxUnpacked+1))
	if len(out) > maxUnpacked {
		return nil, errors.New("longer than anything we write")
	}
	return out, err
}
