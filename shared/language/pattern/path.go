package pattern

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ofEvents are the parts of an event that a pattern or a path may begin with, and whether the part is one string.
var ofEvents = Roots{
	"id": true, "source": true, "type": true, "subject": true, "time": true, "data": false, "extensions": false,
}

// A Path names one place in an event, such as subject or data.user.id or data.legs[0].to. The zero Path is none.
type Path struct {
	steps []pathStep
}

type pathStep struct {
	name  string
	index int // with an empty name: the element of an array
}

// IsSubject reports whether the path names the event's subject.
func (p Path) IsSubject() bool { return len(p.steps) == 1 && p.steps[0].name == "subject" }

// maxPath is the longest path in bytes.
const maxPath = 1024

// ParsePath reads a path: names divided by dots, each followed by any number of [0]-based indexes. The first name
// is one of id, source, type, subject, time, data, extensions. Faults are an *[Error] with the given field.
func ParsePath(path, field string) (Path, error) {
	fault := func(format string, args ...any) error {
		return &Error{Field: field, Detail: fmt.Sprintf(format, args...)}
	}
	if path == "" || len(path) > maxPath {
		return Path{}, fault("want a path of 1 to %d bytes, such as data.user.id", maxPath)
	}
	var p Path
	for i, segment := range strings.Split(path, ".") {
		name, indexes, _ := strings.Cut(segment, "[")
		if i == 0 {
			if detail := ofEvents.fault(name); detail != "" {
				return Path{}, fault("%s", detail)
			}
			if ofEvents[name] && path != name {
				return Path{}, fault("%s is a string: it has no parts", name)
			}
		}
		if name == "" {
			return Path{}, fault("%q has an empty name", path)
		}
		p.steps = append(p.steps, pathStep{name: name})
		if name == segment {
			continue
		}
		for index := range strings.SplitSeq(indexes, "[") {
			n, err := strconv.ParseUint(strings.TrimSuffix(index, "]"), 10, 31)
			if err != nil || !strings.HasSuffix(index, "]") {
				return Path{}, fault("%q: want an index as [0]", path)
			}
			p.steps = append(p.steps, pathStep{index: int(n)})
		}
	}
	if len(p.steps) > maxSegments {
		return Path{}, fault("want at most %d names and indexes", maxSegments)
	}
	return p, nil
}

// A Value is what an event has at a path.
type Value struct {
	Kind Kind
	Text string // a string's characters; a number's shortest decimal, equal for equal numbers; else the JSON text
	Raw  string // the JSON text as published
}

// Empty says whether the value is null, "", [] or {}.
func (v Value) Empty() bool {
	switch v.Kind {
	case Null:
		return true
	case String:
		return v.Text == ""
	case Array, Object:
		return strings.TrimSpace(v.Raw[1:len(v.Raw)-1]) == ""
	}
	return false
}

// Lookup returns the value at p, and whether there is one; null is one. A name finds only members of objects, an
// index only elements of arrays. A key with dots in the event is found as the path it spells.
func (e *Event) Lookup(p Path) (Value, bool) {
	if len(p.steps) == 0 {
		return Value{}, false
	}
	n := e.root
	for _, step := range p.steps {
		if n = e.step(n, step); n < 0 {
			return Value{}, false
		}
	}
	for e.nodes[n].kind == Array && e.nodes[n].made { // values that meet at one path: the first counts
		n = e.members(n)[0].node
	}
	return e.value(n)
}

func (e *Event) step(n int32, step pathStep) int32 {
	v := &e.nodes[n]
	if v.kind == Array && v.made && step.name != "" {
		for _, k := range e.members(n) {
			if found := e.step(k.node, step); found >= 0 {
				return found
			}
		}
		return -1
	}
	switch {
	case step.name != "" && v.kind == Object:
		return e.member(n, step.name)
	case step.name == "" && v.kind == Array && !v.made && step.index < int(v.hi-v.lo):
		return e.kids[int(v.lo)+step.index].node
	}
	return -1
}

func (e *Event) value(n int32) (Value, bool) {
	v := &e.nodes[n]
	switch {
	case v.kind == String && v.made:
		raw, _ := json.Marshal(v.text) // a string always marshals
		return Value{v.kind, v.text, string(raw)}, true
	case v.made:
		return Value{}, false // an object that only keys with dots spell
	case v.kind == Number && v.comparable:
		return Value{v.kind, shortest(v.num), v.raw}, true
	case v.kind == String:
		return Value{v.kind, v.text, v.raw}, true
	}
	return Value{v.kind, v.raw, v.raw}, true
}

// shortest writes a number as JavaScript does: without an exponent from 1e-6 to 1e21.
func shortest(f float64) string {
	if abs := math.Abs(f); f != 0 && (abs < 1e-6 || abs >= 1e21) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
