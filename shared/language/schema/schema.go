// Package schema checks data against untrusted JSON Schemas (2020-12 and
// draft-07), within limits.
//
// A schema stands for itself: no reference leads to a file or another host. Its
// text, its regular expressions and its numbers are bounded, a reference that
// leads back to itself without going deeper into the data is refused, and what
// checking may cost is reckoned before it begins: see [Schema.Check].
//
// Beyond the standard, $dynamicRef and $recursiveRef are refused, and regular
// expressions are RE2: no look-around, no back-references.
package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/postino/postino/shared/language/rfc3339"
)

// MaxSize is the most bytes of a schema's text.
const MaxSize = 64 << 10

// Fault says what is wrong with a schema, or with data.
type Fault struct {
	Path   string // of the value at fault, like ".items[0].price"; "" is the whole
	Detail string
}

// Schema is a compiled schema. It is safe for concurrent use.
type Schema struct {
	compiled *jsonschema.Schema
	costs    costs
	weight   int // bytes
}

// drafts are the values of $schema that we take.
var drafts = []string{
	"https://json-schema.org/draft/2020-12/schema", "https://json-schema.org/draft/2020-12/schema#",
	"http://json-schema.org/draft-07/schema", "http://json-schema.org/draft-07/schema#",
	"https://json-schema.org/draft-07/schema", "https://json-schema.org/draft-07/schema#",
}

// base is the address that references are resolved against; nothing is there.
const base = "https://schema.invalid/"

// Compile compiles a schema, or says what is wrong with it.
func Compile(text []byte) (*Schema, []Fault) { return compile(text, nil) }

// compile is Compile within a budget; nil is one without end.
func compile(text []byte, budget *int) (_ *Schema, faults []Fault) {
	if len(text) > MaxSize {
		return nil, []Fault{{"", fmt.Sprintf("want at most %d bytes", MaxSize)}}
	}
	defer func() {
		if recover() != nil { // of a library that reads what strangers wrote
			faults = []Fault{{"", "cannot be compiled"}}
		}
	}()
	doc, _, fault := decode(text)
	if fault != nil {
		return nil, []Fault{*fault}
	}
	if fault := checkDraft(doc); fault != nil {
		return nil, []Fault{*fault}
	}
	schemas, fault := charge(doc, budget)
	if fault != nil {
		return nil, []Fault{*fault}
	}
	c, expressions := jsonschema.NewCompiler(), new(patterns)
	c.UseLoader(nothing{})
	c.UseRegexpEngine(expressions.compile)
	c.AssertFormat() // in every draft alike
	c.RegisterFormat(&jsonschema.Format{Name: "regex", Validate: isPattern})
	c.RegisterFormat(&jsonschema.Format{Name: "date-time", Validate: isTime})
	if err := c.AddResource(base, doc); err != nil {
		return nil, []Fault{explain(err)}
	}
	compiled, err := c.Compile(base)
	var invalid *jsonschema.SchemaValidationError
	var why *jsonschema.ValidationError
	switch {
	case errors.As(err, &invalid) && errors.As(invalid.Err, &why):
		return nil, faultsOf(why)
	case err != nil:
		return nil, []Fault{explain(err)}
	}
	reckoned, fault := reckon(compiled)
	if fault != nil {
		return nil, []Fault{*fault}
	}
	if fault := spend(budget, patternSteps*expressions.length); fault != nil {
		return nil, []Fault{*fault}
	}
	s := &Schema{compiled, reckoned, baseWeight + schemaWeight*schemas + textWeight*len(text) + expressionWeight*expressions.count + characterWeight*expressions.length}
	if s.weight > MaxWeight {
		return nil, []Fault{{"", fmt.Sprintf("would take %d bytes of memory, want at most %d: use fewer or shorter regular expressions", s.weight, MaxWeight)}}
	}
	return s, nil
}

// isTime is the format date-time: what the API takes for a time.
func isTime(v any) error {
	text, ok := v.(string)
	if !ok {
		return nil
	}
	_, err := rfc3339.Parse(text)
	return err
}

func checkDraft(doc any) *Fault {
	object, ok := doc.(map[string]any)
	if _, truth := doc.(bool); !ok && !truth {
		return &Fault{"", "want an object, true or false"}
	}
	if draft, given := object["$schema"]; given {
		if text, ok := draft.(string); !ok || !slices.Contains(drafts, text) {
			return &Fault{".$schema", `want "https://json-schema.org/draft/2020-12/schema" or "http://json-schema.org/draft-07/schema#"`}
		}
	}
	return nil
}

// nothing loads nothing.
type nothing struct{}

func (nothing) Load(string) (any, error) { return nil, errors.New("not followed") }

// explain puts an error of the compiler into words for who wrote the schema.
func explain(err error) Fault {
	var load *jsonschema.LoadURLError
	var pointer *jsonschema.JSONPointerNotFoundError
	var anchor *jsonschema.AnchorNotFoundError
	switch {
	case errors.As(err, &load):
		return Fault{"", "a $ref points outside of the schema, to " + clip(strings.TrimPrefix(load.URL, base)) + ": this is not allowed"}
	case errors.As(err, &pointer), errors.As(err, &anchor):
		return Fault{"", "a $ref points to nothing"}
	}
	return Fault{"", clip("cannot be compiled: " + strings.ReplaceAll(err.Error(), base, ""))}
}

// MaxCost bounds what the checks of one request may cost, and MaxCostEach those
// of one event, in steps that take some 300 ns where everything fails, and far
// less where it does not: about 3 s and 1 s at worst, on one whole processor.
const (
	MaxCost     = 10_000_000
	MaxCostEach = 4_000_000
)

// Check returns everything that is wrong with data, nil if nothing is. It takes
// its cost, reckoned from the schema, and the size and depth of the data, out of
// budget. Data that would cost more than that, or than [MaxCostEach], is at fault.
func (s *Schema) Check(data []byte, budget *int) (faults []Fault) {
	v, size, fault := decode(data)
	if fault != nil {
		return []Fault{*fault}
	}
	cost := s.costs.of(size)
	if *budget -= cost; cost > MaxCostEach || *budget < 0 {
		return []Fault{{"", "takes too long to check against the schema of its type: send less at once, or make the schema simpler"}}
	}
	defer func() {
		if recover() != nil {
			faults = []Fault{{"", "cannot be checked against its type's schema"}}
		}
	}()
	var why *jsonschema.ValidationError
	if err := s.compiled.Validate(v); errors.As(err, &why) {
		return faultsOf(why)
	} else if err != nil {
		return []Fault{{"", "cannot be checked against its type's schema"}}
	}
	return nil
}

// decode reads JSON and measures it. Numbers that are out of all proportion are
// at fault: comparing them exactly would take that many digits.
func decode(text []byte) (v any, size size, fault *Fault) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&v); err != nil {
		return nil, size, &Fault{"", "want JSON"}
	}
	fault = size.add(v, 0, nil)
	return v, size, fault
}
