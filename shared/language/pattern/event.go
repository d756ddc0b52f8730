package pattern

import (
	"encoding/json"
	"strings"
)

// An Envelope is an event as it was accepted: what patterns, triggers and paths look at.
type Envelope struct {
	ID, Source, Type, Time string
	Subject                string
	HasSubject             bool            // false: the event has no subject, which differs from an empty one
	Data                   json.RawMessage // any JSON value; empty: the event has no data
	Extensions             json.RawMessage // an object of CloudEvents extensions; empty: none
	Profile                json.RawMessage // the attributes of the subject's profile, an object; empty: nothing is known
	Segments               json.RawMessage // the segments that the subject is in, a list of strings; empty: nothing is known
}

// An Event is an envelope decoded once. It is never changed and safe for concurrent use. It keeps the memory of
// the envelope's data.
type Event struct {
	tree
	root int32
	typ  string
}

// maxEventDepth is how deep data may be nested: as deep as encoding/json reads.
const maxEventDepth = 10_000

// Decode reads the envelope. It fails with an *[Error] where data or extensions are not strict JSON: duplicate
// keys, invalid UTF-8, half surrogate pairs, more than 10,000 levels. Events checked at ingest never fail.
func Decode(env Envelope) (*Event, error) {
	e := &Event{typ: env.Type}
	size := len(env.Data) + len(env.Extensions)
	e.nodes = make([]node, 0, 16+size/12)
	e.kids = make([]kid, 0, 16+size/12)
	roots := make([]kid, 0, 9)
	for _, part := range []struct {
		name string
		json json.RawMessage
	}{{"data", env.Data}, {"extensions", env.Extensions}, {"profile", env.Profile}, {"segment", env.Segments}} {
		if len(part.json) == 0 {
			continue
		}
		n, dots, err := e.parse(string(part.json), part.name, maxEventDepth)
		if err != nil {
			return nil, err
		}
		if dots {
			n = e.spread(n)
		}
		roots = append(roots, kid{part.name, n})
	}
	roots = append(roots, e.attribute("id", env.ID), e.attribute("source", env.Source))
	if env.HasSubject {
		roots = append(roots, e.attribute("subject", env.Subject))
	}
	roots = append(roots, e.attribute("time", env.Time), e.attribute("type", env.Type))
	if len(env.Profile)+len(env.Segments) > 0 {
		sortKids(roots)
	}
	e.root = e.add(node{kind: Object, made: true}, roots)
	return e, nil
}

// OfType is an event of which nothing is known but its type: enough for an index in which nobody asks more.
func OfType(typ string) *Event {
	e := &Event{typ: typ}
	e.root = e.add(node{kind: Object, made: true}, []kid{e.attribute("type", typ)})
	return e
}

// Type returns the event's type.
func (e *Event) Type() string { return e.typ }

// attribute adds a string of the envelope; it is its own raw text until somebody asks for JSON.
func (t *tree) attribute(name, text string) kid {
	return kid{name, t.add(node{kind: String, text: text, made: true}, nil)}
}

// maxSegments bounds how many names a path has, and so into how many a key with dots is spread.
const maxSegments = 64

// spread returns a value like n in which a key with dots is a path: {"a.b": 1} is also {"a": {"b": 1}}, as in
// event-ruler, which knows fields only by their joined names. Objects that meet are merged. If other values meet
// at one path, they stand side by side in an array that the event does not have, and the tree is marked.
func (t *tree) spread(n int32) int32 {
	v := t.nodes[n]
	kids := make([]kid, 0, v.hi-v.lo)
	dots := false
	for _, k := range t.members(n) {
		if t.nodes[k.node].kind >= Array {
			k.node = t.spread(k.node)
		}
		dots = dots || v.kind == Object && spreads(k.name)
		kids = append(kids, k)
	}
	if dots {
		kids = t.gather(kids)
	}
	return t.add(v, kids)
}

// spreads says whether a pattern could name what is behind a key with dots.
func spreads(name string) bool {
	n := strings.Count(name, ".")
	return n > 0 && n < maxSegments && name[0] != '.' && name[len(name)-1] != '.' && !strings.Contains(name, "..")
}

// gather merges members whose names begin alike and returns them sorted.
func (t *tree) gather(kids []kid) []kid {
	groups := make(map[string][]kid, len(kids))
	for _, k := range kids {
		name, rest := k.name, ""
		if spreads(name) {
			name, rest, _ = strings.Cut(name, ".")
		}
		groups[name] = append(groups[name], kid{rest, k.node})
	}
	out := make([]kid, 0, len(groups))
	for name, group := range groups {
		out = append(out, kid{name, t.merge(group)})
	}
	sortKids(out)
	return out
}

// merge makes one value of all that is found at one path: whole values (with an empty name) and members.
func (t *tree) merge(group []kid) int32 {
	if len(group) == 1 && group[0].name == "" {
		return group[0].node
	}
	merged := node{kind: Object, made: true}
	var inner, side []kid
	for _, k := range group {
		switch v := t.nodes[k.node]; {
		case k.name != "":
			inner = append(inner, k)
		case v.kind == Object:
			inner = append(inner, t.members(k.node)...)
			if merged.raw == "" {
				merged.raw, merged.made = v.raw, v.made
			}
		default:
			side = append(side, k)
		}
	}
	if len(inner) > 0 || len(side) == 0 {
		side = append(side, kid{"", t.add(merged, t.gather(inner))})
	}
	if len(side) == 1 {
		return side[0].node
	}
	t.twice = true
	return t.add(node{kind: Array, made: true}, side)
}
