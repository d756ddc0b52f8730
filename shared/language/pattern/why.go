package pattern

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// A Miss is a condition that an event does not meet.
type Miss struct {
	Field string // names joined by dots, as the pattern nests them; "" if each is met, but not all by one element of an array
	Want  string // the condition's JSON
	Found string // the JSON that the event has there, or the array on the way there; "" for nothing
}

// Why returns the first condition of a pattern, by the names of fields, that the event does not meet by itself. Call
// it with a pattern that compiles, and an event that does not match it. All conditions together are tried with
// [MaxSteps]; the one at which they end is returned.
func Why(pattern []byte, e *Event) Miss {
	w := &why{event: e, left: MaxSteps}
	root, _, fault := w.pattern.parse(string(pattern), "filter", MaxDepth)
	if fault == nil && w.pattern.nodes[root].kind == Object {
		w.object(root, nil)
	}
	return w.miss
}

type why struct {
	pattern Event // only read
	event   *Event
	left    int
	miss    Miss
}

// object looks for the miss below names, and reports whether it found one.
func (w *why) object(n int32, names []string) bool {
	for _, member := range w.pattern.members(n) {
		below := append(names[:len(names):len(names)], member.name)
		if w.pattern.nodes[member.node].kind == Object {
			if w.object(member.node, below) {
				return true
			}
			continue
		}
		condition, _ := w.pattern.value(member.node)
		if !w.meets(condition.Raw, below) {
			var want bytes.Buffer
			_ = json.Compact(&want, []byte(condition.Raw)) // it was parsed
			w.miss = Miss{strings.Join(below, "."), want.String(), w.event.found(below)}
			return true
		}
	}
	return false
}

// meets tries a pattern of this condition alone.
func (w *why) meets(alone string, names []string) bool {
	for i := len(names) - 1; i >= 0; i-- {
		name, _ := json.Marshal(names[i]) // of a string, which cannot fail
		alone = fmt.Sprintf("{%s:%s}", name, alone)
	}
	p, err := CompileOver(WithProfile, []byte(alone), "filter")
	if err != nil {
		return true // only a whole pattern is judged: this one stands in one that compiles
	}
	verdict, left := p.judge(w.event, w.left)
	w.left = left
	return verdict == Yes
}

// found is the value at the names, or the array that they lead into.
func (e *Event) found(names []string) string {
	n := e.root
	for _, name := range strings.Split(strings.Join(names, "."), ".") {
		if name == "$or" {
			return ""
		}
		next := e.step(n, pathStep{name: name})
		if next < 0 {
			if v := &e.nodes[n]; v.kind != Array || v.made {
				return ""
			}
			break
		}
		n = next
	}
	v, _ := e.value(n)
	return v.Raw
}
