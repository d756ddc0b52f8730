package schema

import "fmt"

// Bounds of a schema beside its text.
const (
	// MaxSchemas is the most objects, true and false in a schema's text: about
	// how many schemas it has within each other.
	MaxSchemas = 2000
	// MaxWeight is the most bytes of memory that a compiled schema may take.
	MaxWeight = 4 << 20
)

// What compiling and keeping takes. A step is one of [MaxCost]; memory is that of
// a 64-bit machine. Tests hold the weights against the heap.
const (
	baseSteps    = 1000
	schemaSteps  = 150
	patternSteps = 2 // for each character of a regular expression, repeats written out

	baseWeight       = 2400
	schemaWeight     = 850
	textWeight       = 4
	expressionWeight = 700
	characterWeight  = 30 // of an expression, repeats written out
)

// schemasIn counts what may be a schema, up to somewhat above most.
func schemasIn(v any, most int) (n int) {
	switch v := v.(type) {
	case bool:
		return 1
	case []any:
		for _, element := range v {
			if n += schemasIn(element, most-n); n > most {
				break
			}
		}
	case map[string]any:
		n = 1
		for _, member := range v {
			if n += schemasIn(member, most-n); n > most {
				break
			}
		}
	}
	return n
}

// charge counts the schemas in a document and takes what compiling them costs out
// of a budget; nil is one without end.
func charge(doc any, budget *int) (schemas int, fault *Fault) {
	if schemas = schemasIn(doc, MaxSchemas); schemas > MaxSchemas {
		return 0, &Fault{"", fmt.Sprintf("want at most %d schemas in one: every object, true and false counts", MaxSchemas)}
	}
	return schemas, spend(budget, baseSteps+schemas*schemaSteps)
}

func spend(budget *int, steps int) *Fault {
	if budget == nil {
		return nil
	}
	if *budget -= steps; *budget < 0 {
		return &Fault{"", "takes too long to compile with the other types' schemas: send events of fewer types at once"}
	}
	return nil
}

// Weight returns about how many bytes of memory the schema takes.
func (s *Schema) Weight() int { return s.weight }
