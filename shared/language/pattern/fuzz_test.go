package pattern

import (
	"encoding/json"
	"slices"
	"testing"
)

// FuzzCompileAndMatch gives any bytes as pattern and data. Nothing panics; a pattern that is taken can be compiled
// again; the index finds an event exactly if the pattern matches it, and so does the search.
func FuzzCompileAndMatch(f *testing.F) {
	for _, o := range oddities {
		f.Add([]byte(`{"data":{"x":`+o.pattern+`}}`), []byte(o.data))
	}
	for _, r := range refusals {
		f.Add([]byte(r.pattern), []byte(`{"x":1}`))
	}
	g := newGenerator(1)
	for range 100 {
		p, env := g.pair()
		f.Add([]byte(p), []byte(env.Data))
	}
	f.Fuzz(func(t *testing.T, pattern, data []byte) {
		p, err := Compile(pattern, "filter")
		e, fault := Decode(Envelope{ID: "1", Source: "/s", Type: "t", Data: data})
		if err != nil || fault != nil {
			return
		}
		if !json.Valid(pattern) || len(data) > 0 && !json.Valid(data) {
			t.Fatal("taken, but not JSON")
		}
		matches := p.Match(e)
		var x Index[int]
		x.Add(1, nil, p)
		if ids := found(&x, e); (len(ids) == 1) != matches {
			t.Errorf("Match = %v, index found %v", matches, ids)
		}
		if by := slices.ContainsFunc(p.branches, func(b *branch) bool { return b.twice(&matching{Event: e, left: MaxSteps}) }); by != matches && len(data) < 500 {
			t.Errorf("Match = %v, search %v", matches, by)
		}
		x.Remove(1)
		if x.root.values != nil || len(x.root.kids) > 0 {
			t.Error("something is left in the empty index")
		}
	})
}

// FuzzDecode gives any bytes as data. Nothing panics, what is taken is JSON, and each value found by its path is JSON.
func FuzzDecode(f *testing.F) {
	g := newGenerator(2)
	for range 100 {
		f.Add([]byte(g.event(4)), "data.a[0].b")
	}
	f.Add([]byte(`{"a.b":1,"a":[{"b":2},{}],"a.b.c":[[]]}`), "data.a.b")
	f.Fuzz(func(t *testing.T, data []byte, path string) {
		e, err := Decode(Envelope{Data: data})
		if err != nil {
			return
		}
		if len(data) > 0 && !json.Valid(data) {
			t.Fatal("taken, but not JSON")
		}
		p, err := ParsePath(path, "path")
		if err != nil {
			return
		}
		if v, ok := e.Lookup(p); ok && !json.Valid([]byte(v.Raw)) {
			t.Errorf("%s is %q, not JSON", path, v.Raw)
		}
	})
}

// FuzzPath gives any text as a path.
func FuzzPath(f *testing.F) {
	for _, path := range []string{"subject", "data.user.id", "data.legs[0].to", "data[0][1]", "data.a[", "id.x", "x"} {
		f.Add(path)
	}
	e, err := Decode(sample)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if p, err := ParsePath(path, "path"); err == nil {
			e.Lookup(p)
		}
	})
}
