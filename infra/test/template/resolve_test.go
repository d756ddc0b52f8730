package template

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// stack is what CloudFormation makes of a template with one choice of
// parameters. What only AWS knows, such as an id, stands in it as a name between
// brackets, which is another one once a resource has to be replaced.
type stack struct {
	template   object
	parameters map[string]string // those that are not the defaults
	name       string
	createOnly map[string][]string // properties, by type, that replace a resource when they change
}

// pseudo are the parameters that CloudFormation adds.
var pseudo = map[string]string{
	"AWS::Region": "us-east-1", "AWS::AccountId": "000000000000", "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com",
}

// nothing is !Ref AWS::NoValue, which takes away what holds it.
type nothing struct{}

// parameter returns the value of a parameter, and whether there is one.
func (s stack) parameter(name string) (string, bool) {
	if name == "AWS::StackName" {
		return s.name, true
	}
	if v, ok := pseudo[name]; ok {
		return v, true
	}
	if v, ok := s.parameters[name]; ok {
		return v, true
	}
	p, ok := at(s.template, "Parameters", name).(object)
	return fmt.Sprint(p["Default"]), ok
}

// resources returns the resolved properties of the resources of a type that the
// stack has, by logical id.
func (s stack) resources(kind string) map[string]object {
	found := map[string]object{}
	for id, properties := range resources(s.template, kind) {
		if condition := text(at(s.template, "Resources", id, "Condition")); condition == "" || s.holds(condition) {
			found[id] = s.resolve(properties).(object)
		}
	}
	return found
}

// resolve computes the functions of CloudFormation in v.
func (s stack) resolve(v any) any {
	switch v := v.(type) {
	case []any:
		l := []any{}
		for _, e := range v {
			if e = s.resolve(e); e != (nothing{}) {
				l = append(l, e)
			}
		}
		return l
	case object:
		if len(v) == 1 {
			for name, argument := range v {
				if compute := intrinsics[name]; compute != nil {
					return compute(s, argument)
				}
			}
		}
		o := object{}
		for name, e := range v {
			if e = s.resolve(e); e != (nothing{}) {
				o[name] = e
			}
		}
		return o
	}
	return v
}

// intrinsics are CloudFormation's functions, by name.
var intrinsics map[string]func(s stack, argument any) any

func init() { // a function resolves its arguments
	intrinsics = map[string]func(stack, any) any{
		"Ref":        func(s stack, a any) any { return s.ref(text(a)) },
		"Fn::GetAtt": func(s stack, a any) any { return s.attribute(a) },
		"Fn::Sub":    func(s stack, a any) any { return s.sub(a) },
		"Fn::If": func(s stack, a any) any {
			branches := list(a)
			if s.holds(text(branches[0])) {
				return s.resolve(branches[1])
			}
			return s.resolve(branches[2])
		},
		"Fn::Join": func(s stack, a any) any { return strings.Join(texts(s.resolve(list(a)[1])), text(list(a)[0])) },
		"Fn::Split": func(s stack, a any) any {
			return anys(strings.Split(text(s.resolve(list(a)[1])), text(list(a)[0])))
		},
		"Fn::Select": func(s stack, a any) any {
			from := list(s.resolve(list(a)[1]))
			return from[number(list(a)[0])]
		},
		"Fn::GetAZs": func(stack, any) any { return []any{"us-east-1a", "us-east-1b"} },
		"Fn::Cidr": func(s stack, a any) any {
			block, parts := text(s.resolve(list(a)[0])), []any{}
			for i := range number(list(a)[1]) {
				parts = append(parts, fmt.Sprintf("<part %d of %s>", i, block))
			}
			return parts
		},
	}
}

// ref is what !Ref is: a parameter's value, or the name of a resource.
func (s stack) ref(name string) any {
	if name == "AWS::NoValue" {
		return nothing{}
	}
	if v, ok := s.parameter(name); ok {
		if kind := text(at(s.template, "Parameters", name, "Type")); kind == "CommaDelimitedList" {
			return anys(strings.Split(v, ","))
		}
		return v
	}
	return s.physical(name, "")
}

// attribute is what !GetAtt is, in its long and its short form.
func (s stack) attribute(a any) any {
	names := texts(list(a))
	if len(names) == 1 {
		names = strings.SplitN(names[0], ".", 2)
	}
	return s.physical(names[0], "."+names[1])
}

// physical is the name of what AWS makes of a resource.
func (s stack) physical(id, attribute string) string {
	r, ok := at(s.template, "Resources", id).(object)
	if !ok {
		panic("the template has neither a parameter nor a resource " + id)
	}
	fixed := object{}
	for _, name := range s.createOnly[text(r["Type"])] {
		if p := at(r, "Properties", name); p != nil {
			fixed[name] = s.resolve(p)
		}
	}
	if text(r["Type"]) == "AWS::IAM::ManagedPolicy" && attribute == "" { // its ARN, whose name is made up
		return fmt.Sprintf("arn:aws:iam::000000000000:policy/%.89s-%.25s-%s", s.name, id, fingerprint(fixed))
	}
	return "<" + id + attribute + " " + fingerprint(fixed) + ">"
}

// fingerprint is a short name for v, as long as those that CloudFormation makes up.
func fingerprint(v any) string {
	written, _ := json.Marshal(v)
	return fmt.Sprintf("%.12x", sha256.Sum256(written))[:12]
}

var variable = regexp.MustCompile(`\$\{([^!}]+)\}`)

// sub is what !Sub is, in both its forms.
func (s stack) sub(a any) any {
	own := object{}
	if l := list(a); len(l) == 2 {
		a, own = l[0], l[1].(object)
	}
	return variable.ReplaceAllStringFunc(text(a), func(found string) string {
		name := strings.TrimSpace(found[2 : len(found)-1])
		if v, ok := own[name]; ok {
			return text(s.resolve(v))
		}
		if _, ok := s.parameter(name); !ok && strings.Contains(name, ".") {
			return text(s.attribute(name))
		}
		return text(s.ref(name))
	})
}

// holds reports whether a condition of the template holds.
func (s stack) holds(name string) bool { return s.true(at(s.template, "Conditions", name)) }

func (s stack) true(condition any) bool {
	for name, a := range condition.(object) {
		switch name {
		case "Condition":
			return s.holds(text(a))
		case "Fn::Equals":
			return fmt.Sprint(s.resolve(list(a)[0])) == fmt.Sprint(s.resolve(list(a)[1]))
		case "Fn::Contains":
			return slices.Contains(texts(s.resolve(list(a)[0])), text(s.resolve(list(a)[1])))
		case "Fn::Not":
			return !s.true(list(a)[0])
		case "Fn::And":
			return !slices.ContainsFunc(list(a), func(c any) bool { return !s.true(c) })
		case "Fn::Or":
			return slices.ContainsFunc(list(a), s.true)
		}
	}
	panic(fmt.Sprintf("a condition that this test cannot read: %v", condition))
}

// texts are the strings of a list.
func texts(v any) (found []string) {
	for _, e := range list(v) {
		found = append(found, text(e))
	}
	return found
}

func anys(l []string) (found []any) {
	for _, s := range l {
		found = append(found, s)
	}
	return found
}

// with returns the stack with other parameters.
func (s stack) with(parameters map[string]string) stack {
	s.parameters = maps.Clone(s.parameters)
	if s.parameters == nil {
		s.parameters = map[string]string{}
	}
	maps.Copy(s.parameters, parameters)
	return s
}

func TestTheFunctionsOfCloudFormationAreComputedAsItDoes(t *testing.T) {
	s := stack{name: "s", template: object{
		"Parameters": object{"A": object{"Default": "x"}, "L": object{"Type": "CommaDelimitedList", "Default": "p,q"}},
		"Conditions": object{"IsX": object{"Fn::Equals": []any{object{"Ref": "A"}, "x"}}, "IsNot": object{"Fn::Not": []any{object{"Condition": "IsX"}}}},
		"Resources":  object{"R": object{"Type": "T", "Properties": object{"Name": object{"Ref": "A"}, "Size": object{"Ref": "A"}}}},
	}, createOnly: map[string][]string{"T": {"Name"}}}
	for _, tt := range []struct {
		v    any
		want any
	}{
		{object{"Ref": "A"}, "x"},
		{object{"Ref": "L"}, []any{"p", "q"}},
		{object{"Fn::Sub": "${A}-${AWS::StackName}-${!Kept}"}, "x-s-${!Kept}"},
		{object{"Fn::Sub": []any{"${Z} ${A}", object{"Z": object{"Fn::Join": []any{"+", object{"Ref": "L"}}}}}}, "p+q x"},
		{object{"Fn::If": []any{"IsNot", "a", object{"k": object{"Ref": "AWS::NoValue"}}}}, object{}},
		{object{"Fn::Select": []any{1, object{"Fn::Split": []any{":", "a:b"}}}}, "b"},
	} {
		if got := s.resolve(tt.v); fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%v is %v, want %v", tt.v, got, tt.want)
		}
	}
	before, after := s.resolve(object{"Ref": "R"}), s.with(map[string]string{"A": "y"}).resolve(object{"Ref": "R"})
	if before == after {
		t.Errorf("R is %v although its name, which cannot change, did", after)
	}
}
