package render

import (
	"slices"

	"github.com/postino/postino/shared/liquid"
	"github.com/postino/postino/shared/webhook"
)

// text is a body of raw text.
type text struct {
	kind     kind
	template *liquid.Template
}

// lastFilter is what every output of a raw text must end in, so that no event
// ends its place; the first one is what an error proposes.
var lastFilter = map[kind][]string{
	jsonText: {"json"},
	form:     {"url_encode"},
	xmlText:  {"escape", "escape_once", "h"},
}

func (c *compiler) text(k kind, source string) body {
	t := c.parse("request.body", source)
	if t == nil {
		return nil
	}
	filters := lastFilter[k]
	for _, o := range t.Outputs() {
		if filters == nil || o.Secret != "" || o.Captured || slices.Contains(filters, o.Filter) {
			continue
		}
		c.fault("request.body", "line %d, column %d: {{ %s }} must end in | %s", o.Line, o.Column, o.Expression, filters[0])
	}
	return &text{k, t}
}

// encodings of a secret in a raw text, by its kind.
var encodings = map[kind]string{jsonText: EncodeJSON, form: EncodeForm, xmlText: EncodeXML}

func (b *text) render(s *scope) (webhook.Text, error) {
	return s.render(b.template, nil, func([]byte) string { return encodings[b.kind] })
}

func (b *text) secrets() []string { return b.template.Secrets() }
