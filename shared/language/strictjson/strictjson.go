// Package strictjson reads untrusted JSON, and accepts only what every reader
// understands in the same way: valid UTF-8, no duplicate name in an object,
// nothing after the value, no deep nesting.
//
// Reading has two steps. [Parse] checks the whole text once. The [Value] that
// it returns is then walked without errors and without copying, so that parts
// of it can be kept byte for byte as they were sent.
package strictjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxDepth is how many objects and arrays may stand within each other.
const MaxDepth = 100

// Error says why a text is not JSON that we take.
type Error struct {
	Path   string // of the value at fault, like "[3].data.legs"; "" is the whole text
	Detail string // for the person who wrote it; of the whole text a predicate, like "ends too early"
}

// Error is Path and Detail in one line.
func (e *Error) Error() string {
	if e.Path == "" {
		return e.Detail
	}
	return e.Path + ": " + e.Detail
}

// Parse checks that text is one JSON value that we take. The value shares
// text's memory. Every error is an [*Error].
func Parse(text []byte) (Value, error) {
	if !jsontext.Value(text).IsValid() {
		return nil, explain(text)
	}
	if tooDeep(text) {
		return nil, &Error{Detail: fmt.Sprintf("is nested more than %d levels deep", MaxDepth)}
	}
	return Value(bytes.Trim(text, " \t\r\n")), nil
}

// explain finds what is wrong with a text that is not valid.
func explain(text []byte) error {
	if bytes.HasPrefix(text, []byte(byteOrderMark)) {
		return &Error{Detail: "begins with a byte order mark (EF BB BF): send UTF-8 without one"}
	}
	if at := invalidUTF8(text); at >= 0 {
		return &Error{Detail: fmt.Sprintf("is not UTF-8 at byte %d", at)}
	}
	decoder := jsontext.NewDecoder(bytes.NewReader(text))
	_, err := decoder.ReadValue()
	if err == nil {
		return &Error{Detail: fmt.Sprintf("has text after the JSON value, at byte %d", after(text, decoder.InputOffset()))}
	}
	var syntax *jsontext.SyntacticError
	switch {
	case !errors.As(err, &syntax):
		return &Error{Detail: "is empty, want JSON"}
	case errors.Is(err, jsontext.ErrDuplicateName):
		return &Error{Path: path(syntax.JSONPointer), Detail: "the same name twice in one object"}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &Error{Detail: "is not JSON: it ends too early"}
	}
	if at := syntax.ByteOffset; loneHalf.Match(text[at:]) {
		return &Error{Path: path(syntax.JSONPointer), Detail: fmt.Sprintf(
			`half of a surrogate pair at byte %d: %s alone stands for no character; write both halves, or the character itself`, at, text[at:at+6])}
	}
	if at := path(syntax.JSONPointer); at != "" {
		return &Error{Path: at, Detail: fmt.Sprintf("not JSON at byte %d", syntax.ByteOffset)}
	}
	return &Error{Detail: fmt.Sprintf("is not JSON at byte %d", syntax.ByteOffset)}
}

const byteOrderMark = "\ufeff"

// loneHalf is the escape of a surrogate.
var loneHalf = regexp.MustCompile(`^\\u[dD][89a-fA-F][0-9a-fA-F]{2}`)

// after skips the white space between a value and what follows it.
func after(text []byte, offset int64) int {
	return len(text) - len(bytes.TrimLeft(text[offset:], " \t\r\n"))
}

func invalidUTF8(text []byte) int {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// maxPath is how much of a path is shown: a stranger chose its names.
const maxPath = 200

// path writes a pointer as our problem documents do. A name of digits only
// looks like an index.
func path(pointer jsontext.Pointer) string {
	var b strings.Builder
	for token := range pointer.Tokens() {
		switch {
		case token != "" && strings.Trim(token, "0123456789") == "":
			b.WriteString("[" + token + "]")
		case b.Len() > 0:
			b.WriteString("." + token)
		default:
			b.WriteString(token)
		}
		if b.Len() > maxPath {
			break
		}
	}
	return Clip(b.String(), maxPath)
}

// Clip shortens text that a stranger chose to n bytes, for use in answers.
func Clip(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n] + "…"
}

// tooDeep looks at valid JSON.
func tooDeep(text []byte) bool {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i = endOfString(text, i) - 1
		case '{', '[':
			if depth++; depth > MaxDepth {
				return true
			}
		case '}', ']':
			depth--
		}
	}
	return false
}
