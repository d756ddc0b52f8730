package strictjson

import (
	"bytes"
	"iter"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Value is one valid JSON value, as it was written, without white space
// around it. Only [Parse] and the walks below make one; nil means absent.
type Value []byte

// Kind says what a value is.
type Kind byte

// The kinds of values.
const (
	Absent Kind = 0
	Null   Kind = 'n'
	Bool   Kind = 'b'
	Number Kind = '0'
	String Kind = '"'
	Object Kind = '{'
	Array  Kind = '['
)

// Kind tells what v is.
func (v Value) Kind() Kind {
	if len(v) == 0 {
		return Absent
	}
	switch v[0] {
	case '"', '{', '[', 'n':
		return Kind(v[0])
	case 't', 'f':
		return Bool
	}
	return Number
}

// Text returns the string that v is, or false if it is none.
func (v Value) Text() (string, bool) {
	if v.Kind() != String {
		return "", false
	}
	return unquote(v), true
}

func unquote(quoted []byte) string {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1 : len(quoted)-1])
	}
	plain, _ := jsontext.AppendUnquote(nil, quoted) // valid: Parse has seen it
	return string(plain)
}

// Int returns the whole number that v is, or false if it is none: 1.0 and 1e2
// are not written as whole numbers.
func (v Value) Int() (int64, bool) {
	if v.Kind() != Number {
		return 0, false
	}
	n, err := strconv.ParseInt(string(v), 10, 64)
	return n, err == nil
}

// Members walks the members of an object in the order they were written; any
// other value has none.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if v.Kind() != Object {
			return
		}
		for i := skipSpace(v, 1); v[i] != '}'; i = skipSeparator(v, i) {
			nameEnd := endOfString(v, i)
			name := unquote(v[i:nameEnd])
			i = skipSpace(v, skipSpace(v, nameEnd)+1) // beyond the colon
			end := endOfValue(v, i)
			if !yield(name, v[i:end:end]) {
				return
			}
			i = end
		}
	}
}

// Elements walks the elements of an array; any other value has none.
func (v Value) Elements() iter.Seq2[int, Value] {
	return func(yield func(int, Value) bool) {
		if v.Kind() != Array {
			return
		}
		n := 0
		for i := skipSpace(v, 1); v[i] != ']'; i = skipSeparator(v, i) {
			end := endOfValue(v, i)
			if !yield(n, v[i:end:end]) {
				return
			}
			i = end
			n++
		}
	}
}

// Len counts the members of an object or the elements of an array, and stops
// beyond most.
func (v Value) Len(most int) int {
	n := 0
	for range v.Elements() {
		if n++; n > most {
			return n
		}
	}
	for range v.Members() {
		if n++; n > most {
			return n
		}
	}
	return n
}

// Compact returns v without white space between its parts.
func (v Value) Compact() []byte {
	b := make([]byte, 0, len(v))
	for i := 0; i < len(v); {
		switch v[i] {
		case '"':
			end := endOfString(v, i)
			b = append(b, v[i:end]...)
			i = end
		case ' ', '\t', '\r', '\n':
			i++
		default:
			b = append(b, v[i])
			i++
		}
	}
	return b
}

// What follows walks JSON that is known to be valid.

func skipSpace(b []byte, i int) int {
	for b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t' {
		i++
	}
	return i
}

// skipSeparator moves from the end of a member to the next one, or to the
// closing bracket.
func skipSeparator(b []byte, i int) int {
	if i = skipSpace(b, i); b[i] == ',' {
		return skipSpace(b, i+1)
	}
	return i
}

// endOfString returns the index after the string that begins at i.
func endOfString(b []byte, i int) int {
	for i++; ; i++ {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
}

// endOfValue returns the index after the value that begins at i.
func endOfValue(b []byte, i int) int {
	switch b[i] {
	case '"':
		return endOfString(b, i)
	case '{', '[':
		return endOfNest(b, i)
	}
	for i < len(b) && b[i] != ',' && b[i] != '}' && b[i] != ']' && b[i] > ' ' {
		i++
	}
	return i
}

func endOfNest(b []byte, i int) int {
	for depth := 0; ; i++ {
		switch b[i] {
		case '"':
			i = endOfString(b, i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
}
