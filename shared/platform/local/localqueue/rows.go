package localqueue

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/postino/postino/shared/platform/local/engine"
)

// Keys of the engine, all behind "q". Numbers have 8 bytes, the highest first, so
// that keys are in their order.
//
//	qe                           → how often the queues were opened
//	qn name                      → the number of a queue
//	qc                           → the last number given
//	qf id                        → a fresh message: number of its queue, group, 0, body
//	qm id                        → the body of any other message
//	qs number group 0 id         → a spilled message: receipts
//	qd number time id            → a delayed message: receipts, group
//
// So a message that goes straight to a consumer is one row, and what is read at
// the start is small.
var (
	epochKey  = []byte("qe")
	numberKey = []byte("qc")
)

// Where a message's row is: entry.due says so.
const (
	placedNowhere  = -2 // it is in memory alone
	placedInMemory = -1 // it is fresh
	placedSpilled  = 0
	// any other: delayed until then, in Unix milliseconds; or due since, and in memory
)

func nameKey(name string) []byte { return append([]byte("qn"), name...) }

func numbered(prefix string, n int64) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, 64), prefix...), uint64(n))
}

func freshKey(id int64) []byte { return numbered("qf", id) }
func bodyKey(id int64) []byte  { return numbered("qm", id) }

func (q *Queue) spilledKey(group string, id int64) []byte {
	key := append(numbered("qs", q.number), group...)
	return binary.BigEndian.AppendUint64(append(key, 0), uint64(id))
}

func (q *Queue) delayedKey(at due) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(numbered("qd", q.number), uint64(at.at)), uint64(at.id))
}

// spilled are the rows of all spilled messages of the queue.
func (q *Queue) spilledRows() engine.Span {
	return engine.Span{From: numbered("qs", q.number), To: numbered("qs", q.number+1)}
}

// delayedRows are the rows of the delayed messages behind a place.
func (q *Queue) delayedRows(behind due) engine.Span {
	return engine.Span{From: append(q.delayedKey(behind), 0), To: numbered("qd", q.number+1)}
}

const numberSize = 8

var errRow = errors.New("the data is damaged: a message is none that we wrote")

// readSpilled reads a key of spilledRows.
func readSpilled(key []byte) (group string, id int64, err error) {
	if len(key) < 2+numberSize+1+numberSize {
		return "", 0, errRow
	}
	end := len(key) - numberSize
	return string(key[2+numberSize : end-1]), int64(binary.BigEndian.Uint64(key[end:])), nil
}

// readDelayed reads a key of delayedRows.
func readDelayed(key []byte) (at due, err error) {
	if len(key) != 2+3*numberSize {
		return due{}, errRow
	}
	rest := key[2+numberSize:]
	return due{at: int64(binary.BigEndian.Uint64(rest)), id: int64(binary.BigEndian.Uint64(rest[numberSize:]))}, nil
}

// freshValue returns the row of a fresh message, and its body in it.
func freshValue(number int64, group string, body []byte) (value, within []byte) {
	value = make([]byte, 0, binary.MaxVarintLen64+len(group)+1+len(body))
	value = binary.AppendUvarint(value, uint64(number))
	value = append(append(value, group...), 0)
	begin := len(value)
	value = append(value, body...)
	return value, value[begin:len(value):len(value)]
}

func readFresh(value []byte) (number int64, group string, body []byte, err error) {
	n, used := binary.Uvarint(value)
	if used <= 0 {
		return 0, "", nil, errRow
	}
	name, body, ok := bytes.Cut(value[used:], []byte{0})
	if !ok {
		return 0, "", nil, errRow
	}
	return int64(n), string(name), body, nil
}

// receipts is the value of a spilled message, and the beginning of that of a
// delayed one.
func receipts(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }

func readReceipts(value []byte) (n int, group string, err error) {
	count, used := binary.Uvarint(value)
	if used <= 0 {
		return 0, "", errRow
	}
	return int(count), string(value[used:]), nil
}

// placed returns the row of a message that is not fresh, by its due.
func (q *Queue) placed(group string, e *entry) (key, value []byte) {
	if e.due == placedSpilled {
		return q.spilledKey(group, e.id), receipts(e.received)
	}
	return q.delayedKey(due{e.due, e.id}), append(receipts(e.received), group...)
}

// insert writes the rows of a message that is sent.
func (q *Queue) insert(tx *engine.Tx, r *row) {
	if r.due == placedInMemory {
		tx.Set(freshKey(r.id), r.value)
		return
	}
	tx.Set(bodyKey(r.id), r.body)
	tx.Set(q.placed(r.group, &r.entry))
}

// drop removes a message.
func (q *Queue) drop(tx *engine.Tx, e *entry) {
	switch e.due {
	case placedNowhere:
		return
	case placedInMemory:
		tx.DeleteOnce(freshKey(e.id))
		return
	}
	tx.Delete(bodyKey(e.id))
	key, _ := q.placed(e.group.name, e)
	tx.Delete(key)
}

// replace gives a message another place, in this queue or another.
func (q *Queue) replace(tx *engine.Tx, e *entry, to *Queue, at int64, received int) error {
	group := e.group.name
	switch e.due {
	case placedNowhere:
		tx.Set(bodyKey(e.id), e.body)
	case placedInMemory:
		if err := unfresh(tx, e.id); err != nil {
			return err
		}
	default:
		key, _ := q.placed(group, e)
		tx.Delete(key)
	}
	tx.Set(to.placed(group, &entry{id: e.id, due: at, received: received}))
	return nil
}

// unfresh moves the body of a fresh message to where those of others are.
func unfresh(tx *engine.Tx, id int64) error {
	value, err := tx.Get(freshKey(id))
	if err != nil || value == nil {
		return err
	}
	_, _, body, err := readFresh(value)
	if err != nil {
		return err
	}
	tx.DeleteOnce(freshKey(id))
	tx.Set(bodyKey(id), body)
	return nil
}
