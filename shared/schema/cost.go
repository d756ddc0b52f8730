package schema

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// size is how large data is.
type size struct {
	values int // with one more for each 16 bytes of text
	depth  int // objects and arrays within each other
}

// add measures v, which stands that deep.
func (s *size) add(v any, depth int, path []string) *Fault {
	s.values++
	s.depth = max(s.depth, depth)
	switch v := v.(type) {
	case string:
		s.values += len(v) / 16
	case json.Number:
		if !proportionate(string(v)) {
			return &Fault{place(path), "want a number of at most 100 digits and an exponent of at most 400"}
		}
	case []any:
		for i, element := range v {
			if fault := s.add(element, depth+1, append(path, strconv.Itoa(i))); fault != nil {
				return fault
			}
		}
	case map[string]any:
		for name, member := range v {
			s.values += len(name) / 16
			if fault := s.add(member, depth+1, append(path, name)); fault != nil {
				return fault
			}
		}
	}
	return nil
}

func proportionate(number string) bool {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(number), "e")
	n, err := strconv.Atoi(exponent)
	return len(mantissa) <= 100 && (exponent == "" || err == nil && -400 <= n && n <= 400)
}

// costs is the most that one value can cost to check, by how deep it stands at
// most: schemas are applied to a value once for each way that leads there.
type costs []int

const (
	maxDepth  = 100     // of JSON that we take
	endless   = 1 << 40 // more than any budget, and far from overflow
	maxSingle = 100_000 // for one value that holds no others
)

func (c costs) of(s size) int {
	return min(c[min(s.depth, maxDepth)], endless/(s.values+1)) * s.values
}

// reckon finds the costs of a schema. One that leads back to itself at the same
// value is at fault, and one that costs too much however small the data is.
func reckon(root *jsonschema.Schema) (costs, *Fault) {
	order, fault := inOrder(root)
	if fault != nil {
		return nil, fault
	}
	var all costs
	above := map[*jsonschema.Schema]int{} // what each schema costs, one level less deep
	for depth := 0; depth <= maxDepth; depth++ {
		here := make(map[*jsonschema.Schema]int, len(order))
		for _, s := range order {
			sum := weight(s)
			if depth > 0 {
				sum = below(s, above)
			}
			for _, same := range applied(s) {
				sum = min(sum+here[same], endless)
			}
			here[s] = sum
		}
		above = here
		all = append(all, here[root])
		if depth > 0 {
			all[depth] = max(all[depth], all[depth-1])
		}
	}
	if all[0] > maxSingle {
		return nil, &Fault{"", "applies too much to one value"}
	}
	return all, nil
}

// inOrder lists all schemas that a root leads to, each behind those that it
// applies to the same value.
func inOrder(root *jsonschema.Schema) (order []*jsonschema.Schema, fault *Fault) {
	const entered, left = 1, 2
	state := map[*jsonschema.Schema]int{}
	var visit func(s *jsonschema.Schema)
	visit = func(s *jsonschema.Schema) {
		state[s] = entered
		if s.DynamicRef != nil || s.RecursiveRef != nil {
			fault = &Fault{"", "$dynamicRef and $recursiveRef are not supported: use $ref"}
		}
		for _, same := range applied(s) {
			switch state[same] {
			case entered:
				fault = &Fault{"", "a $ref leads back to itself without going deeper into the data"}
			case 0:
				visit(same)
			}
		}
		state[s] = left
		order = append(order, s)
	}
	visit(root)
	for i := 0; i < len(order) && fault == nil; i++ { // which grows meanwhile
		for _, group := range descended(order[i]) {
			for _, s := range group {
				if state[s] == 0 {
					visit(s)
				}
			}
		}
	}
	return order, fault
}

// below is the most that one value within another can cost, given what each
// schema costs there.
func below(s *jsonschema.Schema, cost map[*jsonschema.Schema]int) int {
	sum := func(group []*jsonschema.Schema) (n int) {
		for _, d := range group {
			n = min(n+cost[d], endless)
		}
		return n
	}
	groups, most := descended(s), 0
	for _, group := range groups[1:] {
		most = max(most, sum(group))
	}
	return min(most+sum(groups[0]), endless)
}
