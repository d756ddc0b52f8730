package localstore

import (
	"encoding/json"
	"errors"
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
	var s string
	var n int64
	var f field
	switch {
	case json.Unmarshal(raw, &s) == nil:
		return s, nil
	case json.Unmarshal(raw, &n) == nil:
		return n, nil
	case json.Unmarshal(raw, &f) != nil:
	case f.Bytes != nil:
		return *f.Bytes, nil
	case f.Text != nil:
		return table.Text(*f.Text), nil
	case f.Binary != nil:
		return table.Text(*f.Binary), nil
	}
	return nil, errors.New("decode from the database: a field is none that we wrote")
}
