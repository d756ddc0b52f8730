package pattern

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/postino/postino/shared/strictjson"
)

// A Miss is a condition that an event does not meet.
type Miss struct {
	Field string // names joined by dots, as the pattern nests them; "" if each is met, but not all by one element of an array
	Want  string // the condition's JSON
	Found string // the JSON that the event has there, or the array on the way there; "" for nothing
}

// Why returns the first condition of a pattern, in the order in which it is written, that the event does not meet by
// itself. Call it with a pattern that compiles, and an event that does not match it. All conditions together are
// tried with [MaxSteps]; the one at which they end is returned.
func Why(pattern []byte, e *Event) Miss {
	w := &why{event: e, left: MaxSteps}
	w.object(strictjson.Value(pattern), nil)
	return w.miss
}

type why struct {
	event *Event
	left  int
	miss  Miss
}

// object looks for the miss below names, and reports whether it found one.
func (w *why) object(v strictjson.Value, names []string) bool {
	for name, member := range v.Members() {
		below := append(names[:len(names):len(names)], name)
		if member.Kind() == strictjson.Object {
			if w.object(member, below) {
				return true
			}
			continue
		}
		if !w.meets(member, below) {
			w.miss = Miss{strings.Join(below, "."), string(member.Compact()), w.event.found(below)}
			return true
		}
	}
	return false
}

// meets tries a pattern of this condition alone.
func (w *why) meets(condition strictjson.Value, names []string) bool {
	alone := string(condition)
	for i := len(names) - 1; i >= 0; i-- {
		name, _ := json.Marshal(names[i]) // of a string, which cannot fail
		alone = fmt.Sprintf("{%s:%s}", name, alone)
	}
	p, err := Compile([]byte(alone), "filter")
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
