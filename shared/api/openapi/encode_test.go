package openapi_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// ranks are the media types in the order in which bodies are described:
// generators of code take the first one.
var ranks = []string{"application/problem+json", "application/json"}

// encode writes JSON in which < and & stay readable, indented so that changes
// can be read.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	if err := write(&b, v, "\n"); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

func write(b *bytes.Buffer, v any, line string) error {
	switch v := v.(type) {
	case object:
		return list(b, "{}", line, byRank(v), func(name string) error {
			if err := scalar(b, name); err != nil {
				return err
			}
			b.WriteString(": ")
			return write(b, v[name], line+" ")
		})
	case []any:
		return list(b, "[]", line, v, func(element any) error { return write(b, element, line+" ") })
	}
	return scalar(b, v)
}

// list writes elements, each on a line of its own, between two brackets.
func list[E any](b *bytes.Buffer, brackets, line string, elements []E, element func(E) error) error {
	b.WriteByte(brackets[0])
	for i, e := range elements {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(line + " ")
		if err := element(e); err != nil {
			return err
		}
	}
	if len(elements) > 0 {
		b.WriteString(line)
	}
	b.WriteByte(brackets[1])
	return nil
}

func scalar(b *bytes.Buffer, v any) error {
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	b.Truncate(len(bytes.TrimRight(b.Bytes(), "\n")))
	return err
}

// byRank sorts the names of an object: media types by rank, others by name.
func byRank(o object) []string {
	rank := func(name string) int {
		if i := slices.Index(ranks, name); i >= 0 {
			return i
		}
		return len(ranks)
	}
	names := sorted(o)
	slices.SortStableFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	return names
}

func TestTheFirstBodyIsTheOneToGenerate(t *testing.T) {
	got, err := encode(object{"content": object{"application/a+json": []any{}, "application/json": []any{1, "<&"}, "application/problem+json": object{}}})
	want := strings.ReplaceAll(`{
 "content": {
  "application/problem+json": {},
  "application/json": [
   1,
   "<&"
  ],
  "application/a+json": []
 }
}
`, "\t", " ")
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}
