package render

import (
	"slices"

	"github.com/postino/postino/shared/language/liquid"
	"github.com/postino/postino/shared/webhook"
)

// text is a body of raw text.
type text struct {
	kind     kind
	template *liquid.Template
	quoted   []bool // of JSON: by output, whether it stands in a string
}

// lastFilter is what every output of a raw text must end in, so that no event
// ends its place; the first one is what an error proposes.
var lastFilter = map[kind][]string{
	jsonText:  {"json"},
	jsonLines: {"json"},
	form:      {"url_encode"},
	xmlText:   {"escape", "escape_once", "h"},
}

func (c *compiler) text(k kind, source string) body {
	t := c.parse("request.body", source)
	if t == nil {
		return nil
	}
	b, known := &text{kind: k, template: t}, len(c.faults)
	if k == jsonText || k == jsonLines {
		b.quoted = c.quotes(t)
	}
	for i, o := range t.Outputs() {
		if wrong := b.wrong(i, o); wrong != "" {
			c.fault("request.body", "line %d, column %d: {{ %s }} %s", o.Line, o.Column, o.Expression, wrong)
		}
	}
	if len(c.faults) == known {
		c.trial(b)
	}
	return b
}

// wrong says why an output may end its place, "" if it does not. What is
// captured is judged where it is printed.
func (b *text) wrong(i int, o liquid.Output) string {
	filters := lastFilter[b.kind]
	inString := b.quoted != nil && b.quoted[i]
	switch {
	case filters == nil || o.Captured || inString:
		return ""
	case o.Secret != "" && b.quoted != nil:
		return "must be inside quotes"
	case o.Secret != "" || slices.Contains(filters, o.Filter):
		return ""
	case b.quoted != nil:
		return "must end in | json, or be inside quotes"
	}
	return "must end in | " + filters[0]
}

// encodings of a secret in a raw text, by its kind.
var encodings = map[kind]string{jsonText: EncodeJSON, jsonLines: EncodeJSON, form: EncodeForm, xmlText: EncodeXML}

func (b *text) render(s *scope) (webhook.Text, error) {
	var e escape
	if slices.Contains(b.quoted, true) {
		e = b.escape
	}
	return s.render(b.template, e, func([]byte) string { return encodings[b.kind] })
}

// escape keeps what an output prints in the string around it.
func (b *text) escape(output int, _ []byte, printed string) (string, error) {
	if !b.quoted[output] {
		return printed, nil
	}
	return inString(printed), nil
}

// inString is text as it stands between the quotes of a JSON string.
func inString(text string) string {
	quoted := liquid.AppendQuoted(nil, text)
	return string(quoted[1 : len(quoted)-1])
}

func (b *text) secrets() []string { return b.template.Secrets() }
