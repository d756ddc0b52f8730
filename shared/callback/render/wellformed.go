package render

import (
	"cmp"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/postino/postino/shared/language/liquid"
)

// wellFormed returns what keeps receivers from reading a text of this kind, in
// words for the subscription's owner.
func wellFormed(k kind, text string) error {
	if !utf8.ValidString(text) {
		return errors.New("is not UTF-8: a filter printed bytes; print them with base64_encode")
	}
	switch k {
	case jsonText:
		return validJSON(text)
	case jsonLines:
		for line := range strings.SplitSeq(text, "\n") {
			if strings.TrimSpace(line) == "" {
				continue
			}
			if err := validJSON(line); err != nil {
				return err
			}
		}
	case xmlText:
		return validXML(text)
	}
	return nil
}

// public is what wellFormed said, without anything of the text.
func (k kind) public(err error) string {
	if k == xmlText {
		return "is not XML in UTF-8"
	}
	return err.Error()
}

func validJSON(text string) error {
	if !jsontext.Value(text).IsValid() {
		return errors.New("is not JSON")
	}
	return nil
}

// validXML wants a well-formed text of XML 1.0. One with a document type may
// name entities of its own: of that only the characters are judged.
func validXML(text string) error {
	if r, found := notXML(text); found {
		return fmt.Errorf("holds U+%04X, which XML cannot represent: print it with | json | escape", r)
	}
	if strings.Contains(text, "<!DOCTYPE") {
		return nil
	}
	d := xml.NewDecoder(strings.NewReader(text))
	d.CharsetReader = func(charset string, _ io.Reader) (io.Reader, error) {
		return nil, fmt.Errorf("is sent in UTF-8, but says that it is in %s", charset)
	}
	for {
		_, err := d.Token()
		var syntax *xml.SyntaxError
		switch {
		case err == io.EOF:
			return nil
		case errors.As(err, &syntax):
			return fmt.Errorf("is not XML: line %d: %s", syntax.Line, syntax.Msg)
		case err != nil:
			return errors.New(strings.TrimPrefix(err.Error(), "xml: "))
		}
	}
}

// notXML finds a character that XML 1.0 has no way to write.
func notXML(text string) (rune, bool) {
	for _, r := range text {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return r, true
		}
	}
	return 0, false
}

// trial refuses a text that is not well formed whatever its outputs print. Only
// one without branches and loops is tried: others have too many ways.
func (c *compiler) trial(b *text) {
	var first error
	for _, printed := range []string{"x", "49"} {
		text, straight := b.sample(printed)
		if !straight {
			return
		}
		err := wellFormed(b.kind, text)
		if err == nil || b.kind == jsonText && json.Valid([]byte(text)) { // then two keys are alike, which they need not be
			return
		}
		first = cmp.Or(first, err)
	}
	c.fault("request.body", "for every event the body %v; if it has another type, set content_type", first)
}

// sample is what the text would be if each output printed something simple: x
// in quotes, or a number, where JSON stands outside of a string.
func (b *text) sample(printed string) (text string, straight bool) {
	var s strings.Builder
	for _, p := range b.template.Pieces() {
		switch {
		case p.Kind == liquid.Literal:
			s.WriteString(p.Text)
		case p.Kind != liquid.Printed:
			return "", false
		case b.quoted != nil && !b.quoted[p.Output] && printed == "x" && !number(s.String()):
			s.WriteString(`"x"`)
		case b.quoted != nil && !b.quoted[p.Output]:
			s.WriteString("49")
		default:
			s.WriteString(printed)
		}
	}
	return s.String(), true
}

// number reports whether a JSON text ends within a number.
func number(text string) bool {
	return text != "" && strings.Contains("+-.0123456789eE", text[len(text)-1:])
}
