package liquid

import "fmt"

// filter turns the value on its left, and its arguments, into another.
type filter struct {
	name        string
	least, most int    // arguments
	named       string // the one named argument it takes, "" if none
	apply       func(r *run, in Value, args []Value) (Value, error)
}

// arity says how many arguments the filter wants.
func (f *filter) arity() string {
	if f.least == f.most {
		return fmt.Sprint(f.least)
	}
	return fmt.Sprintf("%d to %d", f.least, f.most)
}

// filters are all there are.
var filters = map[string]*filter{}

func init() {
	for _, family := range [][]filter{textFilters, markupFilters, codeFilters, mathFilters, listFilters, chooseFilters, dateFilters, otherFilters} {
		for i := range family {
			filters[family[i].name] = &family[i]
		}
	}
}

// textual makes a filter of a function from text to text, whose result is not longer than grows times its argument.
func textual(grows int, f func(string) string) func(*run, Value, []Value) (Value, error) {
	return func(r *run, in Value, _ []Value) (Value, error) {
		s, err := r.string(in)
		if err != nil {
			return Null, err
		}
		if err := r.budget.reading(len(s)); err != nil {
			return Null, err
		}
		if err := r.make(grows * len(s)); err != nil {
			return Null, err
		}
		return String(f(s)), nil
	}
}

// unlessNull leaves null as it is.
func unlessNull(f func(*run, Value, []Value) (Value, error)) func(*run, Value, []Value) (Value, error) {
	return func(r *run, in Value, args []Value) (Value, error) {
		if in.kind == kindNull {
			return Null, nil
		}
		return f(r, in, args)
	}
}

// make takes the memory and the steps for n bytes of text.
func (r *run) make(n int) error {
	if err := r.budget.alloc(n); err != nil {
		return err
	}
	return r.budget.copying(n)
}

// remake is make for text that is worked out character by character.
func (r *run) remake(n int) error {
	if err := r.budget.reading(n); err != nil {
		return err
	}
	return r.budget.alloc(n)
}

// valueSize is what one item of an array takes, in bytes.
const valueSize = 48

// makeItems takes the memory and the steps for an array of n items.
func (r *run) makeItems(n int) error {
	if err := r.budget.spend(n); err != nil {
		return err
	}
	return r.budget.alloc(n * valueSize)
}

// text returns the argument i as text, "" if it is not given.
func (r *run) text(args []Value, i int) (string, error) {
	if i >= len(args) {
		return "", nil
	}
	return r.string(args[i])
}

// texts returns the input and the first two arguments as text.
func (r *run) texts(in Value, args []Value) (s, a, b string, err error) {
	if s, err = r.string(in); err != nil {
		return
	}
	if a, err = r.text(args, 0); err != nil {
		return
	}
	b, err = r.text(args, 1)
	return
}
