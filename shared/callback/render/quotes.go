package render

import (
	"cmp"
	"fmt"

	"github.com/postino/postino/shared/language/liquid"
)

// point is where in JSON text the next character stands.
type point int

const (
	never    point = iota // no render comes here
	between               // outside of strings
	quoted                // in a string
	escaping              // behind a backslash; further points lack that many digits of \u
	unicode1              // lacks one
	unicode4 = unicode1 + 3
)

// after returns the point behind text.
func (p point) after(text string) point {
	for i := range len(text) {
		switch c := text[i]; {
		case p == between && c == '"', p == escaping && c != 'u', p == unicode1:
			p = quoted
		case p == quoted && c == '"':
			p = between
		case p == quoted && c == '\\':
			p = escaping
		case p == escaping:
			p = unicode4
		case p > unicode1:
			p--
		}
	}
	return p
}

// quotes finds out which outputs of a JSON text stand in a string.
type quotes struct {
	inside []bool // by output
	offset int    // of the fault
	wrong  string // the first fault, "" for none
}

func (q *quotes) fault(offset int, format string, args ...any) {
	if q.wrong == "" {
		q.offset, q.wrong = offset, fmt.Sprintf(format, args...)
	}
}

// walk follows pieces from a point on, and returns the one behind them. Again
// is where the loop around them begins, never outside of loops: each branch and
// each turn must end in the same point, or the outputs behind it had no certain
// place.
func (q *quotes) walk(pieces []liquid.Piece, at, again point) point {
	for _, p := range pieces {
		if at == never {
			return never
		}
		switch p.Kind {
		case liquid.Literal:
			at = at.after(p.Text)
		case liquid.Printed:
			if at > quoted {
				q.fault(p.Offset, `want no output behind a \ of the text`)
			}
			q.inside[p.Output] = at >= quoted
		case liquid.OneOf:
			at = q.branch(p, at, again)
		case liquid.AnyTimes:
			q.same(p, at, q.walk(p.Parts[0], at, at))
		case liquid.Leaves:
			q.same(p, cmp.Or(again, at), at)
			return never
		case liquid.Ends:
			return never
		}
	}
	return at
}

func (q *quotes) branch(p liquid.Piece, at, again point) point {
	end := never
	for _, part := range p.Parts {
		behind := q.walk(part, at, again)
		end = cmp.Or(end, behind)
		q.same(p, end, behind)
	}
	return end
}

// same notes a fault if a branch ends at another point than it should.
func (q *quotes) same(p liquid.Piece, want, got point) {
	if got != never && got != want {
		q.fault(p.Offset, "a quote that is opened in a branch or a loop must be closed in it")
	}
}

// quotes tells for each output of a JSON text whether it stands in a string.
func (c *compiler) quotes(t *liquid.Template) []bool {
	q := quotes{inside: make([]bool, len(t.Outputs()))}
	q.walk(t.Pieces(), between, never)
	if q.wrong != "" {
		line, column := t.Place(q.offset)
		c.fault("request.body", "line %d, column %d: %s", line, column, q.wrong)
	}
	return q.inside
}
