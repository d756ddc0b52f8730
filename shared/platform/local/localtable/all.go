package localtable

import (
	"strings"

	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/store/table"
)

// All gives each the items whose partition and sort key, with a slash between
// them, begin with a prefix, in order of their keys.
func All(db *engine.DB, prefix string, each func(table.Item) error) error {
	partition, sort, whole := strings.Cut(prefix, "/")
	from := append([]byte{kindItem}, partition...)
	if whole {
		from = itemKey(table.Key{Partition: partition, Sort: sort})
	}
	return db.Scan(engine.Span{From: from, To: behindAll(from)}, func(key, value []byte) (bool, error) {
		k, err := readKey(key[1:])
		if err != nil {
			return false, err
		}
		item, err := decode(k, value)
		if err != nil {
			return false, err
		}
		return true, each(item)
	})
}

// behindAll is the first key behind those that begin with one, whose last byte
// is not 0xff unless a partition ends there.
func behindAll(key []byte) []byte {
	to := append([]byte(nil), key...)
	if last := len(to) - 1; to[last] == behind {
		return append(to, behind)
	}
	to[len(to)-1]++
	return to
}
