package pattern

import "strings"

// An Error is one fault of a pattern, a list of types, a path or an event, as its author should read it.
type Error struct {
	Field  string // where, as a path in the request: filter.data.amount[0].numeric
	Detail string // what is wrong there, without the field: want an operator and a number
}

// Error joins field and detail.
func (e *Error) Error() string { return e.Field + ": " + e.Detail }

// Errors are all faults found in one pattern, in the order of their fields; never empty when returned
// as an error. [Compile] and [CheckTypes] return this type and no other.
type Errors []*Error

// maxErrors bounds what one bad pattern makes us say.
const maxErrors = 20

// Error joins the faults with "; ".
func (es Errors) Error() string {
	texts := make([]string, len(es))
	for i, e := range es {
		texts[i] = e.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap lets errors.As find the first *Error.
func (es Errors) Unwrap() []error {
	errs := make([]error, len(es))
	for i, e := range es {
		errs[i] = e
	}
	return errs
}
