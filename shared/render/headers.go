package render

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/postino/postino/shared/webhook"
)

// Bounds of the headers that a request may add.
const (
	maxHeaders     = 50
	maxHeaderValue = 4 << 10 // bytes of one rendered value
)

var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$")

// forbidden are the headers that are ours, the connection's, or set elsewhere,
// with what to do instead; a trailing "*" stands for any ending.
var forbidden = []struct{ name, instead string }{
	{"host", "it follows from the url"},
	{"content-length", "it follows from the body"},
	{"content-type", "use request.content_type"},
	{"user-agent", "it names Postino"},
	{"connection", "it is the connection's own"},
	{"keep-alive", "it is the connection's own"},
	{"proxy-*", "it is the connection's own"},
	{"te", "it is the connection's own"},
	{"trailer", "it is the connection's own"},
	{"transfer-encoding", "it is the connection's own"},
	{"upgrade", "it is the connection's own"},
	{"expect", "it is the connection's own"},
	{"webhook-*", "it is part of the signature"},
	{"postino-*", "it is ours"},
}

// headers compiles the headers, by name.
func (c *compiler) headers(all map[string]string) []header {
	if len(all) > maxHeaders {
		c.fault("request.headers", "want at most %d", maxHeaders)
	}
	var list []header
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		field, lower := "request.headers."+name, strings.ToLower(name)
		if why := RefusedHeader(lower); why != "" {
			c.fault(field, "this header cannot be set: %s", why)
			continue
		}
		if seen[lower] {
			c.fault(field, "given twice, in different cases")
			continue
		}
		seen[lower] = true
		t := c.parse(field, all[name])
		if t == nil {
			continue
		}
		if t.Constant() && !cleanHeader(all[name]) {
			c.fault(field, "want no control characters, and at most %d bytes", maxHeaderValue)
		}
		list = append(list, header{lower, t})
	}
	return list
}

// RefusedHeader says why a header, given in lower case, cannot be set by a
// subscription; "" if it can.
func RefusedHeader(name string) string {
	if !headerName.MatchString(name) {
		return "its name is not one"
	}
	for _, f := range forbidden {
		prefix, open := strings.CutSuffix(f.name, "*")
		if name == f.name || open && strings.HasPrefix(name, prefix) {
			return f.instead
		}
	}
	return ""
}

// cleanHeader reports whether text can be a header's value and nothing more.
func cleanHeader(text string) bool {
	return len(text) <= maxHeaderValue && strings.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) < 0
}

func (r *Request) renderHeaders(s *scope) ([]webhook.Header, error) {
	var list []webhook.Header
	for _, h := range r.headers {
		text, err := s.render(h.value, nil, func([]byte) string { return EncodeHeader })
		if err != nil {
			return nil, err
		}
		if !cleanHeader(text.Plain) {
			return nil, &Skip{webhook.ReasonRenderError, fmt.Sprintf("header %s: want no control characters, and at most %d bytes", h.name, maxHeaderValue)}
		}
		list = append(list, webhook.Header{Name: h.name, Value: text})
	}
	return list, nil
}
