package liquid

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Error says what is wrong with a template, or with one render of it, and where.
type Error struct {
	Line    int    // from 1
	Column  int    // from 1, in characters
	Message string // a plain sentence without the position
	Cause   error  // a *BudgetError, the error of an Escape function, or nil
	public  string // Message without anything of the scope; "" if it holds nothing of it
}

// Error gives the position and the message: line 3, column 14: unknown filter "foo".
func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// Public is Error without anything that the template was given to render.
func (e *Error) Public() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, cmp.Or(e.public, e.Message))
}

// Unwrap returns the cause, nil if there is none.
func (e *Error) Unwrap() error { return e.Cause }

// Abort is returned by a render that met the tag abort: the template decided that nothing is to be sent.
type Abort struct {
	Line    int    // of the tag, from 1
	Column  int    // from 1, in characters
	Message string // what the template said, at most 200 characters; "" if it said nothing
	written bool   // Message stands in the template as it is
}

// Error gives the template's own message.
func (a *Abort) Error() string {
	if a.Message == "" {
		return "aborted by the template"
	}
	return "aborted by the template: " + a.Message
}

// Public gives the position, and the message if that stands in the template.
func (a *Abort) Public() string {
	at := fmt.Sprintf("line %d, column %d", a.Line, a.Column)
	if !a.written || a.Message == "" {
		return at
	}
	return at + ": " + a.Message
}

// The interrupts travel as errors from the tag to the loop that handles them.
var (
	errBreak    = errors.New("break")
	errContinue = errors.New("continue")
)

// located gives err the place off of source, unless it has one or is no fault of that place.
func located(source string, off int, err error) error {
	switch err := err.(type) {
	case *Error, *Abort:
		return err
	case *faultAt:
		line, column := place(source, err.off)
		return &Error{Line: line, Column: column, Message: err.message}
	case *quoting:
		line, column := place(source, off)
		return &Error{Line: line, Column: column, Message: err.message, public: err.public}
	}
	if err == errBreak || err == errContinue {
		return err
	}
	line, column := place(source, off)
	return &Error{Line: line, Column: column, Message: err.Error(), Cause: cause(err), public: public(err)}
}

// public is what can be told of an error that a caller gave us: that there was one.
func public(err error) string {
	switch err.(type) {
	case fault, *BudgetError:
		return ""
	}
	return "this output is not allowed in this place"
}

// cause is err itself where a caller may want to recognise it: plain messages of this package carry nothing more.
func cause(err error) error {
	if _, plain := err.(fault); plain {
		return nil
	}
	return err
}

// fault is a message of ours that still lacks its place.
type fault string

func (f fault) Error() string { return string(f) }

// quoting is a fault whose message quotes what was rendered.
type quoting struct {
	message string
	public  string // the same without
}

func (q *quoting) Error() string { return q.message }

func faultf(format string, args ...any) error { return fault(fmt.Sprintf(format, args...)) }

// place counts the line and the column of a byte offset, both from 1.
func place(source string, off int) (line, column int) {
	before := source[:min(off, len(source))]
	line = strings.Count(before, "\n") + 1
	return line, utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
}
