package liquid

import (
	"errors"
	"sync"
	"time"
)

// Scope is what one render sees.
type Scope struct {
	Vars   map[string]Value // the variables; what is not there is null
	Now    time.Time        // what the filter date takes the words now and today for
	Budget *Budget          // what may be used up; nil means a fresh one with the default limits

	// Escape makes the text of an output fit for its place; nil leaves it as it is. Literal text and secrets
	// are not given to it, an output with nothing to print is. Before is all that was rendered so far, without
	// secrets. An error ends the render; it is the Cause of the [Error] that is returned.
	Escape func(before []byte, text string) (string, error)
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

// run is one render. It is used again for later ones.
type run struct {
	template   *Template
	vars       map[string]Value
	now        time.Time
	escape     func([]byte, string) (string, error)
	budget     *Budget
	own        Budget // the default one
	out        []byte
	secrets    []mark
	slots      []slot
	args       []Value // of the filters at hand
	allowFalse bool    // the named argument of the filter default
	loops      *forLoop
	resume     map[string]int
	cycles     map[cycleKey]int
	changed    bool
	unchanged  string
}

// mark is a secret's place in the output.
type mark struct {
	at   int
	name string
}

var runs = sync.Pool{New: func() any { return new(run) }}

// keepOutput is the largest buffer that later renders inherit.
const keepOutput = 64 << 10

func (t *Template) start(scope Scope) *run {
	r := runs.Get().(*run)
	r.template, r.vars, r.now, r.escape, r.budget = t, scope.Vars, scope.Now, scope.Escape, scope.Budget
	if r.budget == nil {
		r.own.fill(Limits{})
		r.budget = &r.own
	}
	if cap(r.slots) < len(t.names) {
		r.slots = make([]slot, len(t.names))
	}
	r.slots = r.slots[:len(t.names)]
	return r
}

// finish forgets everything that belongs to this render.
func (r *run) finish() {
	out, secrets, slots, args := r.out[:0], r.secrets[:0], r.slots, r.args
	if cap(out) > keepOutput {
		out = nil
	}
	clear(slots)
	clear(args[:cap(args)])
	*r = run{out: out, secrets: secrets, slots: slots[:0], args: args[:0]}
	runs.Put(r)
}

// body renders the whole template. A break outside of every loop ends it early.
func (r *run) body() error {
	err := r.template.body.render(r)
	if err == errBreak || err == errContinue {
		err = nil
	}
	if err != nil {
		return located(r.template.source, 0, err)
	}
	r.budget.output -= len(r.out)
	return nil
}

// print appends literal text.
func (r *run) print(s string) error {
	if len(r.out)+len(s) > r.budget.output {
		return r.budget.outOfOutput()
	}
	r.out = append(r.out, s...)
	return r.budget.copying(len(s))
}

// show appends what an output prints, escaped unless it goes into a variable.
func (r *run) show(v Value, plain bool) error {
	if r.escape == nil || plain {
		return r.printValue(v)
	}
	start := len(r.out)
	if err := r.printValue(v); err != nil {
		return err
	}
	text := string(r.out[start:])
	r.out = r.out[:start]
	escaped, err := r.escape(r.out, text)
	if err != nil {
		return err
	}
	return r.print(escaped)
}

func (r *run) printValue(v Value) error {
	switch v.kind {
	case kindString:
		return r.print(v.str)
	case kindNull:
		return nil
	case kindArray:
		for _, item := range v.items() {
			if err := r.budget.spend(1); err != nil {
				return err
			}
			if err := r.printValue(item); err != nil {
				return err
			}
		}
		return nil
	case kindObject:
		text, err := r.string(v)
		if err != nil {
			return err
		}
		return r.print(text)
	}
	r.out = appendScalar(r.out, v)
	return r.print("")
}

// string is v as a filter sees it when it wants a string.
func (r *run) string(v Value) (string, error) {
	switch v.kind {
	case kindString:
		return v.str, nil
	case kindNull, kindEmpty, kindBlank:
		return "", nil
	case kindInt, kindBig:
		if v.str != "" {
			return v.str, nil
		}
	}
	w := writer{budget: r.budget}
	w.string(v)
	return w.done()
}
