package liquid

import (
	"slices"
	"strings"
)

// output compiles {{ … }} or, without braces, the tag echo.
func (p *parser) output(it item, braces bool) (node, error) {
	if err := p.begin(it); err != nil {
		return nil, err
	}
	out := &output{off: it.off, captured: p.captured > 0, index: len(p.template.outputs)}
	info := Output{Expression: strings.Trim(it.text, spaces), Captured: out.captured}
	info.Line, info.Column = p.place(it.off)
	if name, ok := p.secret(); ok && braces && p.options.Secrets {
		if p.hidden != "" {
			return nil, &faultAt{it.off, "a secret cannot be used in " + p.hidden}
		}
		out.secret, info.Secret = name, name
		if !slices.Contains(p.template.secrets, name) {
			p.template.secrets = append(p.template.secrets, name)
		}
	} else {
		value, err := p.filtered()
		if err != nil {
			return nil, err
		}
		out.value = value
		if n := len(value.calls); n > 0 {
			info.Filter = value.calls[n-1].filter.name
		}
	}
	p.template.outputs = append(p.template.outputs, info)
	return out, nil
}

// secret recognises exactly secrets.name.
func (p *parser) secret() (name string, ok bool) {
	t := p.tokens
	if len(t) != 4 || t[0].text != "secrets" || t[0].kind != tokenName || t[1].kind != '.' || t[2].kind != tokenName {
		return "", false
	}
	return t[2].text, true
}

// output is {{ value }} or {{ secrets.name }}.
type output struct {
	value    *filtered
	secret   string
	off      int
	captured bool
	index    int // in Template.outputs
}

// segmentSize is about what one more secret takes in the end, in bytes.
const segmentSize = 256

func (o *output) render(r *run) error {
	if err := r.budget.spend(1); err != nil {
		return located(r.template.source, o.off, err)
	}
	if o.secret != "" {
		if err := r.budget.alloc(segmentSize); err != nil {
			return located(r.template.source, o.off, err)
		}
		r.secrets = append(r.secrets, mark{len(r.out), o.secret})
		return nil
	}
	v, err := o.value.eval(r)
	if err == nil {
		err = r.show(o.index, v, o.captured)
	}
	if err != nil {
		return located(r.template.source, o.off, err)
	}
	return nil
}
