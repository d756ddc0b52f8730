package liquid

import (
	"errors"
	"time"
)

// Scope is what one render sees.
type Scope struct {
	Vars   map[string]Value // the variables; what is not there is null
	Now    time.Time        // what the filter date takes the words now and today for
	Budget *Budget          // what may be used up; nil means a fresh one with the default limits

	// Escape makes the text of an output fit for its place; nil leaves it as it is. Literal text and secrets
	// are not given to it, an output with nothing to print is. Output is its index in [Template.Outputs]. Before is all
	// that was rendered so far, without secrets; it is valid only during the call. An error ends the render; it is the
	// Cause of the [Error] that is returned.
	Escape func(output int, before []byte, text string) (string, error)
}

// Segment is a part of a rendered text: the text itself, or the name of a secret that stands here.
type Segment struct {
	Text   string
	Secret string // if not "", Text is ""
}

// Render returns the text of a template without secrets.
func (t *Template) Render(scope Scope) (string, error) {
	if len(t.secrets) > 0 {
		return "", errors.New("a template with secrets has no single text: render its segments")
	}
	r := t.start(scope)
	defer r.finish()
	if err := r.body(); err != nil {
		return "", err
	}
	return string(r.out), nil
}

// Segments renders a template that may print secrets. Only a place written {{ secrets.name }} in the template
// becomes a secret, whatever the data contains.
func (t *Template) Segments(scope Scope) ([]Segment, error) {
	r := t.start(scope)
	defer r.finish()
	if err := r.body(); err != nil {
		return nil, err
	}
	var segments []Segment
	from := 0
	text := func(to int) {
		if to > from {
			segments = append(segments, Segment{Text: string(r.out[from:to])})
			from = to
		}
	}
	for _, m := range r.secrets {
		text(m.at)
		segments = append(segments, Segment{Secret: m.name})
	}
	text(len(r.out))
	return segments, nil
}

// Eval returns the value of a lone output with its JSON type: a number stays a number, an object an object, and
// what was not changed keeps its JSON text. Any other template gives its rendered text as a string. Escape is not used.
func (t *Template) Eval(scope Scope) (Value, error) {
	scope.Escape = nil
	if t.lone == nil {
		text, err := t.Render(scope)
		return String(text), err
	}
	r := t.start(scope)
	defer r.finish()
	v, err := t.lone.eval(r)
	if err == nil {
		err = r.measure(v)
	}
	if err != nil {
		return Null, located(t.source, 0, err)
	}
	return v, nil
}

// measure takes what v has as JSON from the output budget: an array of many references to one text is large.
func (r *run) measure(v Value) error {
	w := writer{budget: r.budget, verbatim: true, count: true}
	w.json(v)
	r.budget.output -= w.size
	return w.err
}
