package cosign

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/postino/postino/shared/language/suggest"
)

// variables are what templates name, with how each is appended.
var variables = map[string]func(dst []byte, m Message) []byte{
	"id":        func(dst []byte, m Message) []byte { return append(dst, m.ID...) },
	"event":     func(dst []byte, m Message) []byte { return append(dst, m.Event...) },
	"timestamp": func(dst []byte, m Message) []byte { return strconv.AppendInt(dst, m.At.Unix(), 10) },
	"millis":    func(dst []byte, m Message) []byte { return strconv.AppendInt(dst, m.At.UnixMilli(), 10) },
	"attempt":   func(dst []byte, m Message) []byte { return strconv.AppendInt(dst, int64(m.Attempt), 10) },
	"method":    func(dst []byte, m Message) []byte { return append(dst, m.Method...) },
	"url":       func(dst []byte, m Message) []byte { return append(dst, m.URL...) },
	"path":      func(dst []byte, m Message) []byte { return append(dst, pathOf(m.URL)...) },
	"body":      func(dst []byte, m Message) []byte { return append(dst, m.Body...) },
	"form":      appendForm,
}

// inHeader are the variables that headers can hold.
var inHeader = []string{"attempt", "id", "method", "millis", "timestamp"}

// inText are all.
var inText = []string{"attempt", "body", "event", "form", "id", "method", "millis", "path", "timestamp", "url"}

// template is text with variables.
type template []part

// part is a text, or a variable.
type part struct {
	text string
	name string
}

// parse reads a template; wrong says why it is none, of the variables that are
// allowed.
func parse(text string, allowed []string) (t template, wrong string) {
	for text != "" {
		plain, rest, found := strings.Cut(text, "{{")
		if plain != "" {
			t = append(t, part{text: plain})
		}
		if !found {
			return t, ""
		}
		name, after, closed := strings.Cut(rest, "}}")
		name = strings.TrimSpace(name)
		if !closed {
			return nil, "{{ without }}"
		}
		if !slices.Contains(allowed, name) {
			return nil, "want one of " + strings.Join(allowed, ", ") + " between {{ and }}" + suggest.Hint(name, allowed)
		}
		t, text = append(t, part{name: name}), after
	}
	return t, ""
}

// append appends the text of a message.
func (t template) append(dst []byte, m Message) []byte {
	for _, p := range t {
		if p.name == "" {
			dst = append(dst, p.text...)
			continue
		}
		dst = variables[p.name](dst, m)
	}
	return dst
}

// pathOf is the path of a url with its query, as they are sent.
func pathOf(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		if rest[i] == '?' {
			return "/" + rest[i:]
		}
		return rest[i:]
	}
	return "/"
}

// appendForm appends the fields of a form, sorted by name, each name with its
// values; nothing of another body. A value that a name has twice counts once, as
// Twilio's libraries have it.
func appendForm(dst []byte, m Message) []byte {
	kind, _, _ := strings.Cut(m.Type, ";")
	if !same(strings.TrimSpace(kind), "application/x-www-form-urlencoded") {
		return dst
	}
	fields, err := url.ParseQuery(string(m.Body))
	if err != nil {
		return dst
	}
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		values := slices.Clone(fields[name])
		slices.Sort(values)
		for _, value := range slices.Compact(values) {
			dst = append(append(dst, name...), value...)
		}
	}
	return dst
}
