package schema

import (
	"encoding/json"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// applied are the schemas that s applies to the value it is applied to itself.
func applied(s *jsonschema.Schema) (all []*jsonschema.Schema) {
	for _, one := range []*jsonschema.Schema{s.Ref, s.Not, s.If, s.Then, s.Else} {
		all = add(all, one)
	}
	for _, list := range [][]*jsonschema.Schema{s.AllOf, s.AnyOf, s.OneOf} {
		all = add(all, list...)
	}
	for _, dependent := range s.DependentSchemas {
		all = add(all, dependent)
	}
	for _, dependent := range s.Dependencies {
		if schema, ok := dependent.(*jsonschema.Schema); ok {
			all = add(all, schema)
		}
	}
	return all
}

// descended are the schemas that s applies to what is in a value: in the first
// group those that may meet any member or element, in each other group those of
// which a value meets at most one group.
func descended(s *jsonschema.Schema) [][]*jsonschema.Schema {
	each := add(nil, s.PropertyNames, s.Contains, s.UnevaluatedItems, s.UnevaluatedProperties, s.Items2020)
	for _, loose := range []any{s.AdditionalProperties, s.Items, s.AdditionalItems} {
		if schema, ok := loose.(*jsonschema.Schema); ok {
			each = add(each, schema)
		}
	}
	for _, schema := range s.PatternProperties {
		each = add(each, schema)
	}
	groups := [][]*jsonschema.Schema{each}
	for _, schema := range s.Properties {
		groups = append(groups, []*jsonschema.Schema{schema})
	}
	items, _ := s.Items.([]*jsonschema.Schema)
	for _, list := range [][]*jsonschema.Schema{s.PrefixItems, items} {
		for _, schema := range list {
			groups = append(groups, []*jsonschema.Schema{schema})
		}
	}
	return groups
}

func add(all []*jsonschema.Schema, more ...*jsonschema.Schema) []*jsonschema.Schema {
	for _, s := range more {
		if s != nil {
			all = append(all, s)
		}
	}
	return all
}

// weight is what one application of s costs, what it applies left out.
func weight(s *jsonschema.Schema) int {
	const application = 8 // an error may have to be written
	n := application + len(s.Required) + len(s.Dependencies) + len(s.DependentRequired)
	if s.Enum != nil {
		n += compared(s.Enum.Values) / 16
	}
	if s.Const != nil {
		n += compared(*s.Const) / 16
	}
	if s.UniqueItems {
		n += application
	}
	for re := range s.PatternProperties {
		n += patternWeight(re)
	}
	if s.Pattern != nil {
		n += patternWeight(s.Pattern)
	}
	for _, names := range s.DependentRequired {
		n += len(names)
	}
	return n
}

// compared is what comparing a value costs, in sixteenths. Numbers are compared
// exactly.
func compared(v any) int {
	switch v := v.(type) {
	case json.Number:
		return 96
	case []any:
		n := 1
		for _, element := range v {
			n += compared(element)
		}
		return n
	case map[string]any:
		n := 1
		for _, member := range v {
			n += 1 + compared(member)
		}
		return n
	}
	return 1
}
