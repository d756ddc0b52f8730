package liquid

import (
	"strings"
)

// spaces is what Ruby strips.
const spaces = "\x00\t\n\v\f\r "

// item is one piece of a template: literal text, an output or a tag.
type item struct {
	kind   itemKind
	text   string // the literal text, or what an output or tag has between its delimiters and behind its name
	name   string // of a tag
	off    int    // where the piece begins
	inside int    // where text begins
}

type itemKind uint8

const (
	itemEnd itemKind = iota
	itemText
	itemOutput
	itemTag
)

// stream hands out pieces: those of a template, or the lines of a tag liquid.
type stream interface {
	next() (item, error)
	skipComment(opened item) error        // moves past the endcomment of a comment
	skipDoc(opened item) error            // moves past the enddoc of a doc
	raw(opened item) (string, int, error) // moves past the endraw of a raw; returns what stands before it, and where
}

// scanner cuts a template into pieces.
type scanner struct {
	src    string
	pos    int
	trim   bool // the last delimiter was -}} or -%}
	braces int  // how many { of the literal text are open
	count  int  // pieces handed out
}

// faultAt is a fault that knows its place.
type faultAt struct {
	off     int
	message string
}

func (f *faultAt) Error() string { return f.message }

func (s *scanner) next() (item, error) {
	if s.pos >= len(s.src) {
		return item{kind: itemEnd, off: len(s.src)}, nil
	}
	s.count++
	switch {
	case strings.HasPrefix(s.src[s.pos:], "{{"):
		return s.delimited(itemOutput, "}}")
	case strings.HasPrefix(s.src[s.pos:], "{%"):
		return s.delimited(itemTag, "%}")
	}
	return s.literal()
}

// delimited reads an output or a tag.
func (s *scanner) delimited(kind itemKind, closing string) (item, error) {
	it := item{kind: kind, off: s.pos, inside: s.pos + 2}
	n := strings.Index(s.src[it.inside:], closing)
	if n < 0 {
		return it, &faultAt{it.off, s.src[s.pos:it.inside] + " is not closed: want " + closing}
	}
	it.text = s.src[it.inside : it.inside+n]
	s.pos = it.inside + n + 2
	s.trim = strings.HasSuffix(it.text, "-")
	if text, ok := strings.CutPrefix(it.text, "-"); ok {
		it.text, it.inside = text, it.inside+1
	}
	if s.trim {
		it.text = strings.TrimSuffix(it.text, "-")
	}
	if kind == itemTag {
		return it, it.split()
	}
	return it, nil
}

// split parts the name of a tag from what follows it.
func (it *item) split() error {
	rest := strings.TrimLeft(it.text, spaces)
	n := wordLen(rest)
	if n == 0 && strings.HasPrefix(rest, "#") {
		n = 1
	}
	if n == 0 {
		return &faultAt{it.off, "want the name of a tag"}
	}
	it.name = rest[:n]
	it.inside += len(it.text) - len(rest) + n
	it.text = rest[n:]
	return nil
}

func isWord(c byte) bool {
	return c == '_' || isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// literal reads text up to the next delimiter.
func (s *scanner) literal() (item, error) {
	start := s.pos
	s.pos = len(s.src)
	for i := start; ; i++ {
		n := strings.IndexByte(s.src[i:], '{')
		if n < 0 {
			break
		}
		if i += n; i+1 < len(s.src) && (s.src[i+1] == '{' || s.src[i+1] == '%') {
			s.pos = i
			break
		}
	}
	text := s.src[start:s.pos]
	if err := s.leftovers(start, text); err != nil {
		return item{}, err
	}
	if s.trim {
		text = strings.TrimLeft(text, spaces)
		start = s.pos - len(text)
	}
	if s.pos+2 < len(s.src) && s.src[s.pos+2] == '-' {
		text = strings.TrimRight(text, spaces)
	}
	s.trim = false
	return item{kind: itemText, text: text, off: start}, nil
}

// leftovers finds a }} or %} that closes nothing. Braces that the literal text itself opened,
// as JSON and CSS do, are no leftovers.
func (s *scanner) leftovers(start int, text string) error {
	for i := 0; i < len(text); i++ {
		pair := text[i:min(i+2, len(text))]
		switch {
		case pair == "}}" && s.braces < 2, pair == "%}" && s.braces < 1:
			return &faultAt{start + i, "leftover " + pair + " closes nothing"}
		case text[i] == '{':
			s.braces++
		case text[i] == '}' && s.braces > 0:
			s.braces--
		}
	}
	return nil
}
