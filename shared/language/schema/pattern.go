package schema

import (
	"errors"
	"regexp"
	"regexp/syntax"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Bounds of regular expressions, in characters with repeats written out.
const (
	maxPattern  = 10_000
	maxPatterns = 60_000 // of all those of a schema, which are read twice
)

var errPattern = errors.New("want a regular expression as RE2 has them, of at most 10000 characters with repeats written out")

// pattern is a regular expression that knows its length.
type pattern struct {
	*regexp.Regexp
	length int
}

// patterns compiles the regular expressions of one schema.
type patterns struct{ count, length int }

func (p *patterns) compile(text string) (jsonschema.Regexp, error) {
	re, err := compilePattern(text)
	if err != nil {
		return nil, err
	}
	p.count++
	if p.length += re.length; p.length > maxPatterns {
		return nil, errors.New("want shorter regular expressions, or fewer")
	}
	return re, nil
}

// compilePattern takes only what is short when its repeats are written out:
// x{1000} in braces within braces takes gigabytes.
func compilePattern(text string) (*pattern, error) {
	if len(text) > maxPattern {
		return nil, errPattern
	}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, errPattern
	}
	n := length(tree)
	if n > maxPattern {
		return nil, errPattern
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, errPattern
	}
	return &pattern{re, n}, nil
}

// isPattern is the format regex, of schemas and of data.
func isPattern(v any) error {
	text, ok := v.(string)
	if !ok {
		return nil
	}
	_, err := compilePattern(text)
	return err
}

// length counts characters, and stops counting soon above the bound.
func length(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)/2
	for _, sub := range re.Sub {
		if n += length(sub); n > maxPattern {
			return n
		}
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return n
}

// patternWeight is what matching 16 bytes costs at worst: each may be compared
// with each character of the expression.
func patternWeight(re jsonschema.Regexp) int {
	if p, ok := re.(*pattern); ok {
		return 1 + p.length/4
	}
	return maxPattern
}
