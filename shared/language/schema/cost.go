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
	nodes := nodesOf(order)
	last := nodes[root].number
	above, here := make([]int, len(order)), make([]int, len(order)) // what each schema costs, one level less deep and at this
	var all costs
	for depth := 0; depth <= maxDepth; depth++ {
		for _, s := range order {
			n := nodes[s]
			here[n.number] = n.cost(depth, above, here)
		}
		all = append(all, here[last])
		if depth > 0 {
			all[depth] = max(all[depth], all[depth-1])
		} else if all[0] > maxSingle {
			return nil, &Fault{"", "applies too many schemas to one value"}
		}
		above, here = here, above
	}
	return all, nil
}

// node is a schema as the reckoning sees it: what it applies, by numbers.
type node struct {
	number, weight int
	same           []int
	each           []int   // of what may meet any value below
	one            [][]int // of which a value below meets at most one
}

func nodesOf(order []*jsonschema.Schema) map[*jsonschema.Schema]*node {
	nodes := make(map[*jsonschema.Schema]*node, len(order))
	for i, s := range order {
		nodes[s] = &node{number: i, weight: weight(s)}
	}
	numbers := func(list []*jsonschema.Schema) []int {
		out := make([]int, len(list))
		for i, s := range list {
			out[i] = nodes[s].number
		}
		return out
	}
	for s, n := range nodes {
		n.same = numbers(applied(s))
		groups := descended(s)
		n.each = numbers(groups[0])
		for _, group := range groups[1:] {
			n.one = append(n.one, numbers(group))
		}
	}
	return nodes
}

// cost is the most that one value costs, so deep below where the schema is
// applied, given what all schemas cost one level less deep, and those that this
// one applies to the same value.
func (n *node) cost(depth int, above, here []int) int {
	total := n.weight
	if depth > 0 {
		total = 0
		for _, group := range n.one {
			total = max(total, sum(group, above))
		}
		total += sum(n.each, above)
	}
	return min(total+sum(n.same, here), endless)
}

func sum(numbers []int, cost []int) (total int) {
	for _, n := range numbers {
		total = min(total+cost[n], endless)
	}
	return total
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
				fault = &Fault{"", "a $ref refers to itself without going deeper into the data"}
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
