package render

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/postino/postino/shared/language/liquid"
)

// unsendable are the characters that stand in no url, beside blanks, control
// characters and all beyond ASCII. net/http would send some as they are, and
// write others anew, together with the escapes beside them.
const unsendable = "\"<>\\^`{|}"

// WrongURL says what keeps a url without templates from being sent byte for byte
// as it is written, with the cure; "" if nothing does. Whether it leads somewhere
// is not judged.
func WrongURL(text string) string {
	if _, wrong := wrongInURL(text); wrong != "" {
		return wrong
	}
	if path, _, _ := strings.Cut(text, "?"); dots(path) {
		return errDots
	}
	return ""
}

// wrongInURL says the same of a literal part of a url, but for . and .., and
// at which byte it is.
func wrongInURL(text string) (at int, wrong string) {
	for i, r := range text {
		switch {
		case r == '#':
			return i, "want no fragment: leave out # and what follows it, or write %23"
		case r == '%' && !beginsEscape(text[i:]):
			return i, "% begins no escape here: write %25 for the character itself"
		case r < ' ' || r == 0x7f:
			return i, fmt.Sprintf("want no control characters, such as U+%04X", r)
		case r == ' ' || r > '~' || strings.ContainsRune(unsendable, r):
			if scheme, host, ok := strings.Cut(text[:i], "://"); ok && !strings.Contains(scheme+host, "/") {
				return i, "want a URL, with the host in its ASCII form (xn--…)"
			}
			return i, fmt.Sprintf("want a URL: write %q as %s", string(r), percent(string(r)))
		}
	}
	return 0, ""
}

// beginsEscape reports whether text begins with % and two hexadecimal digits.
func beginsEscape(text string) bool {
	return len(text) > 2 && strings.Trim(text[1:3], "0123456789abcdefABCDEF") == ""
}

// percent writes each byte as %XX.
func percent(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

// errDots is the fault of a path that clients and servers read differently.
const errDots = "want no . or .. in the path"

// dots reports whether a path, or a part of one, has a segment that is . or ..,
// escaped or not.
func dots(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if name, _ := url.PathUnescape(segment); name == "." || name == ".." {
			return true
		}
	}
	return false
}

// literals judges all that a url prints by itself, in branches too.
func (c *compiler) literals(t *liquid.Template) {
	query := false
	for _, piece := range literals(nil, t.Pieces()) {
		at, wrong := wrongInURL(piece.Text)
		if path, _, cut := strings.Cut(piece.Text, "?"); wrong == "" && !query {
			if query = cut; dots(whole(path, cut)) {
				wrong = errDots
			}
		}
		if wrong != "" {
			line, column := t.Place(piece.Offset + at)
			c.fault("url", "line %d, column %d: %s", line, column, wrong)
			return
		}
	}
}

// whole returns the segments of a literal that no output before or behind it
// can add to; the last one too if the path ends with it.
func whole(path string, ends bool) string {
	_, path, _ = strings.Cut(path, "/")
	if last := strings.LastIndexByte(path, '/'); !ends {
		path = path[:max(last, 0)]
	}
	return path
}

// literals appends the literal pieces among pieces, at any depth.
func literals(list, pieces []liquid.Piece) []liquid.Piece {
	for _, p := range pieces {
		if p.Kind == liquid.Literal {
			list = append(list, p)
		}
		for _, part := range p.Parts {
			list = literals(list, part)
		}
	}
	return list
}
