package localstore

import (
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf8"

	"github.com/postino/postino/shared/store/table"
)

// field is a value of an item as JSON: a string, a number, or one of these, so
// that the sqlite3 shell shows what can be shown.
type field struct {
	Bytes  *[]byte `json:"bytes,omitempty"`
	Text   *string `json:"text,omitempty"`
	Binary *[]byte `json:"binary,omitempty"` // a text that is not UTF-8
}

func encodeFields(fields table.Fields) (string, error) {
	shown := map[string]any{}
	for name, v := range fields.Compact() {
		switch v := v.(type) {
		case []byte:
			shown[name] = field{Bytes: &v}
		case table.Text:
			text, binary := string(v), []byte(v)
			if shown[name] = (field{Text: &text}); !utf8.Valid(v) {
				shown[name] = field{Binary: &binary}
			}
		default:
			shown[name] = v
		}
	}
	return encode(shown)
}

// decodeFields reads what encodeFields made.
func decodeFields(text string) (table.Fields, error) {
	var shown map[string]json.RawMessage
	if err := decode(text, &shown); err != nil {
		return nil, err
	}
	fields := make(table.Fields, len(shown))
	for name, raw := range shown {
		v, err := decodeField(raw)
		if err != nil {
			return nil, err
		}
		fields[name] = v
	}
	return fields, nil
}

func decodeField(raw json.RawMessage) (any, error) {
	switch raw[0] {
	case '"':
		var s string
		return s, json.Unmarshal(raw, &s)
	case '{':
		var f field
		err := json.Unmarshal(raw, &f)
		switch {
		case err != nil:
		case f.Bytes != nil:
			return *f.Bytes, nil
		case f.Text != nil:
			return table.Text(*f.Text), nil
		case f.Binary != nil:
			return table.Text(*f.Binary), nil
		}
		return nil, errField
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return nil, errField
	}
	return n, nil
}

var errField = errors.New("decode from the database: a field is none that we wrote")
