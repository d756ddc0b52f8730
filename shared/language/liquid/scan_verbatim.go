package liquid

import (
	"strings"
)

// tagFrom finds the next tag with a name from pos on, whatever stands around it.
func (s *scanner) tagFrom(pos int) (name string, end int, ok bool) {
	for {
		n := strings.Index(s.src[pos:], "{%")
		if n < 0 {
			return "", 0, false
		}
		start := pos + n
		pos = start + 2
		rest := strings.TrimLeft(strings.TrimPrefix(s.src[pos:], "-"), spaces)
		if rest == "" || !isWord(rest[0]) {
			continue
		}
		probe := scanner{src: s.src, pos: start}
		it, err := probe.delimited(itemTag, "%}")
		return it.name, probe.pos, err == nil
	}
}

func (s *scanner) skipComment(opened item) error {
	for depth := 1; depth > 0; {
		name, end, ok := s.tagFrom(s.pos)
		if !ok {
			return notClosed(opened)
		}
		s.pos = end
		switch name {
		case "comment":
			depth++
		case "endcomment":
			depth--
		case "raw":
			if _, _, err := s.raw(opened); err != nil {
				return err
			}
		}
	}
	s.trim = s.src[s.pos-3] == '-'
	return nil
}

// skipDoc looks for {% enddoc, whatever follows in that tag; what stands before it need not be Liquid.
func (s *scanner) skipDoc(opened item) error {
	for pos := s.pos; ; {
		n := strings.Index(s.src[pos:], "{%")
		if n < 0 {
			return notClosed(opened)
		}
		pos += n + 2
		rest := strings.TrimLeft(strings.TrimPrefix(s.src[pos:], "-"), spaces)
		switch name := rest[:wordLen(rest)]; {
		case name == "doc":
			return &faultAt{pos - 2, "doc cannot be used inside doc"}
		case name != "enddoc":
			continue
		}
		end := strings.Index(rest, "%}")
		if end < 0 {
			return notClosed(opened)
		}
		s.pos = len(s.src) - len(rest) + end + 2
		s.trim = s.src[s.pos-3] == '-'
		return nil
	}
}

// wordLen measures the name of a tag at the beginning of s.
func wordLen(s string) int {
	n := 0
	for n < len(s) && isWord(s[n]) {
		n++
	}
	return n
}

func (s *scanner) raw(opened item) (string, int, error) {
	body := s.pos
	for pos := body; ; {
		n := strings.Index(s.src[pos:], "{%")
		if n < 0 {
			return "", 0, notClosed(opened)
		}
		start := pos + n
		rest := strings.TrimLeft(strings.TrimPrefix(s.src[start+2:], "-"), spaces)
		if after, ok := strings.CutPrefix(rest, "endraw"); ok {
			if closed, ok := closesTag(after); ok {
				s.pos = len(s.src) - len(closed)
				s.trim = s.src[s.pos-3] == '-'
				return s.src[body:start], body, nil
			}
		}
		pos = start + 2
	}
}

// closesTag reports whether s goes on with the end of a tag, and returns what follows.
func closesTag(s string) (string, bool) {
	return strings.CutPrefix(strings.TrimPrefix(strings.TrimLeft(s, spaces), "-"), "%}")
}

func notClosed(opened item) error {
	return &faultAt{opened.off, opened.name + " is not closed: want end" + opened.name}
}
