package liquid

import (
	"sync"
	"time"
)

// run is one render. It is used again for later ones.
type run struct {
	template   *Template
	vars       map[string]Value
	now        time.Time
	escape     func(int, []byte, string) (string, error)
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
func (r *run) show(output int, v Value, plain bool) error {
	if r.escape == nil || plain {
		return r.printValue(v)
	}
	start := len(r.out)
	if err := r.printValue(v); err != nil {
		return err
	}
	text := string(r.out[start:])
	r.out = r.out[:start]
	escaped, err := r.escape(output, r.out, text)
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
