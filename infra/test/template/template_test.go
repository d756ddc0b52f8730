package template

import (
	"os"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// object is a mapping of the template, with CloudFormation's short tags written out: !Ref X is {"Ref": "X"},
// !GetAtt X.Arn is {"Fn::GetAtt": "X.Arn"}, !Sub s is {"Fn::Sub": "s"}.
type object = map[string]any

// read parses template.yaml.
func read(t *testing.T) object {
	t.Helper()
	text, err := os.ReadFile("../../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	return value(t, root.Content[0]).(object)
}

func value(t *testing.T, n *yaml.Node) any {
	t.Helper()
	var v any
	switch n.Kind {
	case yaml.MappingNode:
		m := object{}
		for i := 0; i < len(n.Content); i += 2 {
			m[n.Content[i].Value] = value(t, n.Content[i+1])
		}
		v = m
	case yaml.SequenceNode:
		l := []any{}
		for _, c := range n.Content {
			l = append(l, value(t, c))
		}
		v = l
	default:
		v = n.Value
		if n.ShortTag() == "!!int" {
			if err := n.Decode(&v); err != nil {
				t.Fatal(err)
			}
		}
	}
	return untag(n.Tag, v)
}

func untag(tag string, v any) any {
	switch {
	case strings.HasPrefix(tag, "!!"), !strings.HasPrefix(tag, "!"):
		return v
	case tag == "!Ref", tag == "!Condition":
		return object{tag[1:]: v}
	default:
		return object{"Fn::" + tag[1:]: v}
	}
}

// at returns what stands under the keys, or nil.
func at(v any, keys ...string) any {
	for _, k := range keys {
		m, _ := v.(object)
		v = m[k]
	}
	return v
}

// otherwise returns v, or, if it is an !If, what it is when its condition does not hold; with !Ref AWS::NoValue as nil,
// what it is when it holds.
func otherwise(v any) any {
	branches := list(at(v, "Fn::If"))
	if len(branches) != 3 {
		return v
	}
	if nothing := list(branches[2]); len(nothing) == 1 && text(at(nothing[0], "Ref")) == "AWS::NoValue" {
		return branches[1]
	}
	return branches[2]
}

// list returns v's elements: CloudFormation lets one stand without brackets.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// text returns a string of the template, or "".
func text(v any) string {
	s, _ := v.(string)
	return s
}

// number returns an integer of the template, in YAML or JSON, or 0.
func number(v any) int {
	if f, isJSON := v.(float64); isJSON {
		return int(f)
	}
	n, _ := v.(int)
	return n
}

// target returns the logical id that a !Ref, a !GetAtt or the start of a !Sub "${X.Arn}/…" names, or "".
func target(v any) string {
	name := text(at(v, "Ref")) + text(at(v, "Fn::GetAtt"))
	if sub, ok := strings.CutPrefix(text(at(v, "Fn::Sub")), "${"); ok {
		name, _, _ = strings.Cut(sub, "}")
	}
	name, _, _ = strings.Cut(name, ".")
	return name
}

// resources returns the properties of all resources of a type, by logical id.
func resources(template object, kind string) map[string]object {
	found := map[string]object{}
	for id, r := range template["Resources"].(object) {
		if at(r, "Type") == kind {
			found[id], _ = at(r, "Properties").(object)
		}
	}
	return found
}

func functions(template object) map[string]object {
	return resources(template, "AWS::Serverless::Function")
}

// mapping is one event source mapping of a function.
type mapping struct {
	function   string // logical ids
	queue      string
	properties object
}

// mappings lists what consumes queues, by queue.
func mappings(template object) (all []mapping) {
	for function, properties := range functions(template) {
		events, _ := properties["Events"].(object)
		for _, e := range events {
			if at(e, "Type") == "SQS" {
				p := at(e, "Properties").(object)
				all = append(all, mapping{function, target(p["Queue"]), p})
			}
		}
	}
	slices.SortFunc(all, func(a, b mapping) int { return strings.Compare(a.queue, b.queue) })
	return all
}

// statement is one permission of a function's role.
type statement struct {
	actions   []string
	resources []any
}

// statements lists what a function may do.
func statements(t *testing.T, template object, function string) (all []statement) {
	t.Helper()
	role := target(functions(template)[function]["Role"])
	properties := resources(template, "AWS::IAM::Role")[role]
	if properties == nil {
		t.Fatalf("%s has no role of its own, so SAM would give it one with wildcards", function)
	}
	for _, p := range list(properties["Policies"]) {
		for _, s := range list(at(p, "PolicyDocument", "Statement")) {
			all = append(all, permission(otherwise(s)))
		}
	}
	return all
}

func permission(s any) (p statement) {
	for _, a := range list(at(s, "Action")) {
		p.actions = append(p.actions, text(a))
	}
	p.resources = list(at(s, "Resource"))
	return p
}

// allowed lists, sorted, the logical ids of the resources on which a function may do the action.
func allowed(t *testing.T, template object, function, action string) (ids []string) {
	t.Helper()
	for _, s := range statements(t, template, function) {
		if !slices.Contains(s.actions, action) {
			continue
		}
		for _, r := range s.resources {
			ids = append(ids, target(r))
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
