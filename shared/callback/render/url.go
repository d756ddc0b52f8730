package render

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/postino/postino/shared/language/liquid"
	"github.com/postino/postino/shared/webhook"
)

// MaxURL is the most characters that a rendered URL may have.
const MaxURL = 8 << 10

// literalStart is what every templated url begins with: scheme, host and port
// are literal, so no event decides who is called.
var literalStart = regexp.MustCompile(`^(?i:https?)://[^/?#{}\s]+[/?]`)

// url compiles the url's template.
func (c *compiler) url(source string) *liquid.Template {
	t := c.parse("url", source)
	if t == nil || t.Constant() {
		return t
	}
	if !literalStart.MatchString(t.Prefix()) {
		c.fault("url", "want scheme, host and port without templates, as in https://host/…")
		return t
	}
	c.literals(t)
	return t
}

// LiteralURL returns the part of a url that no template decides: all of a
// constant one, else scheme, host and port with the path "/".
func (r *Request) LiteralURL() string {
	if r.url.Constant() {
		return r.url.Source()
	}
	return strings.TrimRight(literalStart.FindString(r.url.Prefix()), "/?") + "/"
}

// errEmptySegment reports an output of a path that has nothing to print.
var errEmptySegment = errors.New("nothing to print in the path")

// escapeURL encodes an output for its place: in the path up to the first "?",
// in the query from there on. Nothing that it prints can end its place.
func escapeURL(_ int, before []byte, text string) (string, error) {
	if inQuery(before) {
		return encodeQuery(text), nil
	}
	if text == "" {
		return "", errEmptySegment
	}
	return url.PathEscape(text), nil
}

func inQuery(before []byte) bool { return bytes.IndexByte(before, '?') >= 0 }

// encodeQuery is percent-encoding that leaves no character with a meaning: a
// space is %20, which both forms and URIs understand.
func encodeQuery(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

// renderURL renders the url and judges it once more as a whole.
func (r *Request) renderURL(s *scope) (webhook.Text, error) {
	text, err := s.render(r.url, escapeURL, func(before []byte) string {
		if inQuery(before) {
			return EncodeQuery
		}
		return EncodePath
	})
	if err != nil {
		return text, err
	}
	if len(text.Plain) > MaxURL {
		return text, &Skip{Reason: webhook.ReasonTooLarge, Detail: fmt.Sprintf("url has %d characters, want at most %d", len(text.Plain), MaxURL)}
	}
	u, err := url.Parse(text.Plain)
	if err != nil || !strings.HasPrefix(text.Plain, strings.TrimRight(r.LiteralURL(), "/")) {
		return text, &Skip{Reason: webhook.ReasonRenderError, Detail: "url: want a URL"}
	}
	if dots(u.EscapedPath()) {
		return text, &Skip{Reason: webhook.ReasonRenderError, Detail: "url: " + errDots}
	}
	return text, nil
}
