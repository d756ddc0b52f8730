package record

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/postino/postino/shared/store/table"
)

// encode returns v as JSON that people can read: "<" stays "<".
func encode(v any) (table.Text, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// decode reads what encode made; v stays as it is if there is nothing. The error
// quotes nothing that is stored.
func decode(text []byte, v any) error {
	if len(text) > 0 && json.Unmarshal(text, v) != nil {
		return errBulk
	}
	return nil
}
