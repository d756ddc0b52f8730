package localtable

import (
	"bytes"
	"encoding/binary"

	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/store/table"
)

// Kinds of keys.
const (
	kindItem   = 't'
	kindIndex  = '1' // and '2'
	kindExpiry = 'x'
)

const behind = 0xff // the partition

// appendKey writes a partition and a sort key.
func appendKey(to []byte, k table.Key) []byte {
	to = append(to, k.Partition...)
	to = append(to, behind)
	return append(to, k.Sort...)
}

func keyOf(kind byte, k table.Key) []byte {
	return appendKey(append(make([]byte, 0, 2+len(k.Partition)+len(k.Sort)), kind), k)
}

func itemKey(k table.Key) []byte         { return keyOf(kindItem, k) }
func indexKey(n int, k table.Key) []byte { return keyOf(kindIndex+byte(n), k) }
func keyValue(k table.Key) []byte        { return appendKey(nil, k) }

// readKey reads what keyValue made.
func readKey(value []byte) (table.Key, error) {
	partition, sort, ok := bytes.Cut(value, []byte{behind})
	if !ok {
		return table.Key{}, errItem
	}
	return table.Key{Partition: string(partition), Sort: string(sort)}, nil
}

// expiryKey is where an item stands in order of expiry; nil if it does not expire.
func expiryKey(it table.Item) []byte {
	if it.Expires.IsZero() {
		return nil
	}
	return appendKey(expiriesTo(it.Expires.Unix()), it.Key)
}

// expiriesTo is behind the expiries before a time, and before those at it.
func expiriesTo(seconds int64) []byte {
	return binary.BigEndian.AppendUint64([]byte{kindExpiry}, uint64(max(seconds, 0)))
}

// spanOf is a range as the engine has it; false if it is empty.
func spanOf(r table.Range) (s engine.Span, ok bool) {
	kind := byte(kindItem)
	if r.Index > 0 {
		kind = kindIndex + byte(r.Index-1)
	}
	s.Desc = r.Desc
	s.From = keyOf(kind, table.Key{Partition: r.Partition, Sort: r.From})
	if r.To != "" {
		s.To = append(keyOf(kind, table.Key{Partition: r.Partition, Sort: r.To}), 0) // the first key behind it
	} else {
		s.To = append(keyOf(kind, table.Key{Partition: r.Partition}), behind)
	}
	return s, bytes.Compare(s.From, s.To) < 0
}
