package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// names are the values that a story has found, by name.
type names map[string]string

var reference = regexp.MustCompile(`\$[a-z_]+`)

// fill writes the known names into text. Others stay: a pattern has its $or.
func (n names) fill(text string) string {
	return reference.ReplaceAllStringFunc(text, func(name string) string {
		if value, known := n[name[1:]]; known {
			return value
		}
		return name
	})
}

// contains tells why got does not contain want; "" if it does. It learns names.
func (n names) contains(got, want any, path string) string {
	switch want := want.(type) {
	case map[string]any:
		return n.containsFields(got, want, path)
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return fmt.Sprintf("%s is %s, want %d elements", path, short(got), len(want))
		}
		for i := range want {
			if why := n.contains(list[i], want[i], fmt.Sprintf("%s[%d]", path, i)); why != "" {
				return why
			}
		}
		return ""
	case string:
		if strings.HasPrefix(want, "$") {
			return n.learn(got, want[1:], path)
		}
	}
	if short(got) != short(want) {
		return fmt.Sprintf("%s is %s, want %s", path, short(got), short(want))
	}
	return ""
}

func (n names) containsFields(got any, want map[string]any, path string) string {
	object, ok := got.(map[string]any)
	if !ok {
		return fmt.Sprintf("%s is %s, want an object", path, short(got))
	}
	for _, field := range slices.Sorted(maps.Keys(want)) {
		value, ok := object[field]
		if !ok {
			return fmt.Sprintf("%s has no %s: %s", path, field, short(got))
		}
		if why := n.contains(value, want[field], path+"."+field); why != "" {
			return why
		}
	}
	return ""
}

// learn compares got with the value of a name, or gives it to the name. After
// the name a value may go on: "$event-copy".
func (n names) learn(got any, name, path string) string {
	if got == nil {
		return fmt.Sprintf("%s is null, want $%s", path, name)
	}
	text, isText := got.(string)
	if !isText {
		text = short(got)
	}
	if name == "_" {
		return ""
	}
	if filled := n.fill("$" + name); filled != "$"+name {
		if text != filled {
			return fmt.Sprintf("%s is %q, want %q", path, text, filled)
		}
		return ""
	}
	n[name] = text
	return ""
}

// short is a value as JSON; equal values are written alike.
func short(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}

// parse reads JSON as a story does; nil if it is none.
func parse(text []byte) (v any) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil
	}
	return v
}

// and returns a copy with one more name.
func (n names) and(name, value string) names {
	more := maps.Clone(n)
	more[name] = value
	return more
}
