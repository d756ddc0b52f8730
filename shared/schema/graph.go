package schema

import "github.com/santhosh-tekuri/jsonschema/v6"

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
	const application = 4 // an error may have to be written
	n := application + len(s.Required)/4 + len(s.Dependencies) + len(s.DependentRequired)
	if s.Enum != nil {
		n += valuesIn(s.Enum.Values) / 4
	}
	if s.Const != nil {
		n += valuesIn(*s.Const) / 4
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
		n += len(names) / 4
	}
	return n
}

func valuesIn(v any) int {
	var s size
	s.add(v, 0, nil)
	return s.values
}
