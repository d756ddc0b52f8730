package localqueue

import (
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/postino/postino/shared/platform/local/engine"
)

// Stored is a message as it lies on the disk.
type Stored struct {
	Queue    string    `json:"-"`
	ID       string    `json:"-"`
	Group    string    `json:"group"`
	Due      time.Time `json:"due,omitzero"` // of a delayed message
	Received int       `json:"received,omitempty"`
	Body     any       `json:"body"` // JSON, or text
}

// All gives each the messages of all queues, by kind: those that were fresh, that
// wait, and that are delayed.
func All(db *engine.DB, each func(Stored) error) error {
	names, err := queueNames(db)
	if err != nil {
		return err
	}
	return db.Scan(engine.Prefix('q'), func(key, value []byte) (bool, error) {
		m, is, err := stored(names, key, value)
		if err == nil && is && m.Body == nil {
			m.Body, err = bodyOf(db, m.id)
		}
		if err != nil || !is {
			return err == nil, err
		}
		m.ID = idText(m.id)
		return true, each(m.Stored)
	})
}

func queueNames(db *engine.DB) (map[int64]string, error) {
	names := map[int64]string{}
	err := db.Scan(engine.Prefix('q', 'n'), func(key, value []byte) (bool, error) {
		names[int64(binary.BigEndian.Uint64(value))] = string(key[2:])
		return true, nil
	})
	return names, err
}

// storedRow is a message and its id; its body may be elsewhere.
type storedRow struct {
	Stored
	id int64
}

// stored reads a row that says where a message is; other rows are none.
func stored(names map[int64]string, key, value []byte) (m storedRow, is bool, err error) {
	number := int64(0)
	switch key[1] {
	default:
		return m, false, nil
	case 'f':
		var body []byte
		number, m.Group, body, err = readFresh(value)
		m.id, m.Body = int64(binary.BigEndian.Uint64(key[2:])), readable(body)
	case 's':
		number = int64(binary.BigEndian.Uint64(key[2:]))
		if m.Group, m.id, err = readSpilled(key); err == nil {
			m.Received, _, err = readReceipts(value)
		}
	case 'd':
		number = int64(binary.BigEndian.Uint64(key[2:]))
		var at due
		if at, err = readDelayed(key); err == nil {
			m.id, m.Due = at.id, time.UnixMilli(at.at).UTC()
			m.Received, m.Group, err = readReceipts(value)
		}
	}
	m.Queue = names[number]
	return m, true, err
}

func bodyOf(db *engine.DB, id int64) (any, error) {
	body, err := db.Get(bodyKey(id))
	return readable(body), err
}

// readable is a body for people: JSON as it is, anything else as text.
func readable(body []byte) any {
	if json.Valid(body) {
		return json.RawMessage(append([]byte(nil), body...))
	}
	return string(body)
}
