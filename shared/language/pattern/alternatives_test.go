package pattern

import (
	"encoding/json"
	"maps"
	"slices"
)

// alternatives returns patterns without $or and with one value in each list, of which any matches exactly when the
// given pattern does; nil if there are more than 2,000.
func alternatives(pattern string) []string {
	var tree map[string]json.RawMessage
	if json.Unmarshal([]byte(pattern), &tree) != nil {
		return nil
	}
	var out []string
	for _, fields := range unfold(tree, "") {
		text := "{"
		for i, path := range slices.Sorted(maps.Keys(fields)) {
			if i > 0 {
				text += ","
			}
			name, _ := json.Marshal(path)
			text += string(name) + ":[" + string(fields[path]) + "]"
		}
		out = append(out, text+"}")
	}
	return out
}

// unfold returns one map of paths to single values for each way to choose.
func unfold(tree map[string]json.RawMessage, path string) []map[string]json.RawMessage {
	ways := []map[string]json.RawMessage{{}}
	for name, below := range tree {
		var here []map[string]json.RawMessage
		var object map[string]json.RawMessage
		var list []json.RawMessage
		if json.Unmarshal(below, &object) == nil {
			here = unfold(object, path+name+".")
		} else if json.Unmarshal(below, &list) == nil {
			for _, value := range list {
				if name != "$or" {
					here = append(here, map[string]json.RawMessage{path + name: value})
				} else if json.Unmarshal(value, &object) == nil {
					here = append(here, unfold(object, path)...)
					object = nil
				}
			}
		}
		if len(ways)*len(here) > 2000 {
			return nil
		}
		var next []map[string]json.RawMessage
		for _, a := range ways {
			for _, b := range here {
				both := maps.Clone(a)
				maps.Copy(both, b)
				next = append(next, both)
			}
		}
		ways = next
	}
	return ways
}
