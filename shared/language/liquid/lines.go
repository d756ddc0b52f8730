package liquid

import "strings"

// lines hands out the lines of a tag liquid, each a tag without delimiters.
type lines struct {
	src string
	pos int
	end int
}

func (l *lines) next() (item, error) {
	for l.pos < l.end {
		start := l.pos
		line, _, _ := strings.Cut(l.src[start:l.end], "\n")
		l.pos += len(line) + 1
		line = strings.TrimRight(line, spaces)
		text := strings.TrimLeft(line, spaces)
		if text == "" {
			continue
		}
		off := start + len(line) - len(text)
		it := item{kind: itemTag, text: text, off: off, inside: off}
		return it, it.split()
	}
	return item{kind: itemEnd, off: l.end}, nil
}

func (l *lines) skipComment(opened item) error {
	for depth := 1; depth > 0; {
		it, err := l.next()
		if err != nil {
			continue // in a comment a line may be anything
		}
		switch {
		case it.kind == itemEnd:
			return notClosed(opened)
		case it.name == "comment":
			depth++
		case it.name == "endcomment":
			depth--
		}
	}
	return nil
}

func (l *lines) skipDoc(opened item) error {
	for {
		it, err := l.next()
		switch {
		case err == nil && it.kind == itemEnd:
			return notClosed(opened)
		case it.name == "enddoc":
			return nil
		}
	}
}

func (l *lines) raw(opened item) (string, int, error) {
	return "", 0, &faultAt{opened.off, "raw cannot be used in the tag liquid"}
}
