package render

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/postino/postino/shared/language/liquid"
	"github.com/postino/postino/shared/webhook"
)

// Bounds of the headers that a request may add.
const (
	maxHeaders     = 50
	maxHeaderValue = 4 << 10 // bytes of one rendered value
)

var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// ValidHeaderName reports whether a header can have the name. Its length is no part
// of the expression, which would be compiled for each length, at each start.
func ValidHeaderName(name string) bool { return len(name) <= 128 && headerName.MatchString(name) }

// forbidden are the headers that are ours, the connection's, or set elsewhere,
// with what to do instead; a trailing "*" stands for any ending. Of those that
// describe the body, none would be true: it is sent whole, plain, in UTF-8, with
// secrets that no template sees.
var forbidden = []struct{ name, instead string }{
	{"host", "Postino sets it from the url"},
	{"content-length", "Postino sets it from the body"},
	{"content-type", "use request.content_type"},
	{"content-encoding", "the body is sent as it is"},
	{"content-range", "the body is sent whole"},
	{"content-md5", "the signature covers the body"},
	{"content-digest", "the signature covers the body"},
	{"repr-digest", "the signature covers the body"},
	{"digest", "the signature covers the body"},
	{"user-agent", "it names Postino"},
	{"connection", "it belongs to the connection"},
	{"keep-alive", "it belongs to the connection"},
	{"proxy-*", "it belongs to the connection"},
	{"te", "it belongs to the connection"},
	{"trailer", "it belongs to the connection"},
	{"transfer-encoding", "it belongs to the connection"},
	{"upgrade", "it belongs to the connection"},
	{"expect", "it belongs to the connection"},
	{"webhook-*", "it is part of the signature"},
	{"postino-*", "Postino sets it"},
}

// headers compiles the headers, by name.
func (c *compiler) headers(all map[string]string) []header {
	if len(all) > maxHeaders {
		c.fault("request.headers", "want at most %d", maxHeaders)
	}
	var list []header
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		field, lower := "request.headers."+name, strings.ToLower(name)
		if why := RefusedHeader(lower); why != "" {
			c.fault(field, "this header cannot be set: %s", why)
			continue
		}
		if other, taken := seen[folded(name)]; taken {
			c.fault(field, "looks like %s to servers that treat case, _ and - as equal", other)
			continue
		}
		seen[folded(name)] = name
		if t := c.parse(field, all[name]); t != nil {
			c.headerLiterals(field, t)
			list = append(list, header{lower, t})
		}
	}
	return list
}

// headerLiterals judges what a header's value prints by itself.
func (c *compiler) headerLiterals(field string, t *liquid.Template) {
	size := 0
	for _, piece := range literals(nil, t.Pieces()) {
		size = max(size, len(piece.Text))
		for i, r := range piece.Text {
			if wrong := wrongInHeader(r); wrong != "" {
				line, column := t.Place(piece.Offset + i)
				c.fault(field, "line %d, column %d: %s", line, column, wrong)
				return
			}
		}
	}
	if size > maxHeaderValue {
		c.fault(field, "want at most %d bytes", maxHeaderValue)
	}
}

// wrongInHeader says why a character cannot stand in a header's value, "" if it
// can. Receivers disagree about what the bytes of others than ASCII mean.
func wrongInHeader(r rune) string {
	switch {
	case r < ' ' && r != '\t' || r == 0x7f:
		return fmt.Sprintf("want no control characters, such as U+%04X", r)
	case r > '~':
		return fmt.Sprintf("want ASCII: write %q as %s", string(r), percent(string(r)))
	}
	return ""
}

// HeaderText writes text as a header's value of visible ASCII, as the HTTP
// binding of CloudEvents does: blanks, ", % and what is not ASCII become the %XX of
// their bytes in UTF-8. Decoding every %XX gives text back.
func HeaderText(text string) string {
	return escapeBytes(text, func(c byte) bool { return c <= ' ' || c == '"' || c == '%' || c > '~' })
}

// escapeHeader writes what an output prints into a header. Only what is not
// ASCII changes: a % may be the template's own, and the url's that it prints.
func escapeHeader(_ int, _ []byte, text string) (string, error) {
	return escapeBytes(text, func(c byte) bool { return c > 0x7f }), nil
}

// escapeBytes writes the chosen bytes of text as %XX.
func escapeBytes(text string, chosen func(c byte) bool) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return r > 0x7f || chosen(byte(r)) }) {
		return text
	}
	var b strings.Builder
	for i := range len(text) {
		if !chosen(text[i]) {
			b.WriteByte(text[i])
			continue
		}
		b.WriteString(percent(text[i : i+1]))
	}
	return b.String()
}

// RefusedHeader says why a header cannot be set by a subscription; "" if it can.
// A name that servers may take for one of ours is refused as that one.
func RefusedHeader(name string) string {
	if !ValidHeaderName(name) {
		return "the name is not a valid header name"
	}
	lower, plain := strings.ToLower(name), folded(name)
	for _, f := range forbidden {
		prefix, open := strings.CutSuffix(f.name, "*")
		if plain != f.name && !(open && strings.HasPrefix(plain, prefix)) {
			continue
		}
		if plain != lower {
			return fmt.Sprintf("many servers treat it as %s, and %s", plain, f.instead)
		}
		return f.instead
	}
	if plain == idempotencyKey && plain != lower {
		return "many servers treat it as " + plain + ": write it that way"
	}
	return ""
}

// idempotencyKey is set to the delivery's id, unless a subscription sets it.
const idempotencyKey = "idempotency-key"

// SameHeader reports whether servers may take two names for one header.
func SameHeader(a, b string) bool { return folded(a) == folded(b) }

// folded is a header's name as servers see it that keep headers in variables,
// as CGI does: letters have no case, and all that is no letter or digit is alike.
func folded(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		}
		return '-'
	}, name)
}

// cleanHeader reports whether text can be a header's value and nothing more.
func cleanHeader(text string) bool {
	return len(text) <= maxHeaderValue && strings.IndexFunc(text, func(r rune) bool { return wrongInHeader(r) != "" }) < 0
}

func (r *Request) renderHeaders(s *scope) ([]webhook.Header, error) {
	var list []webhook.Header
	for _, h := range r.headers {
		text, err := s.render(h.value, escapeHeader, func([]byte) string { return EncodeHeader })
		if err != nil {
			return nil, in("header "+h.name, err)
		}
		if !cleanHeader(text.Plain) {
			return nil, &Skip{Reason: webhook.ReasonRenderError, Detail: fmt.Sprintf("header %s: want no control characters, and at most %d bytes", h.name, maxHeaderValue)}
		}
		list = append(list, webhook.Header{Name: h.name, Value: text})
	}
	return list, nil
}
