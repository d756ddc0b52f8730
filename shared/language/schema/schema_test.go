package schema_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/language/schema"
)

func compile(t testing.TB, text string) *schema.Schema {
	t.Helper()
	s, faults := schema.Compile([]byte(text))
	if faults != nil {
		t.Fatalf("%.80s: %v", text, faults)
	}
	return s
}

func paths(faults []schema.Fault) (paths []string) {
	for _, f := range faults {
		paths = append(paths, f.Path)
	}
	return paths
}

const order = `{"type":"object","required":["id","items"],"properties":{"id":{"type":"string","minLength":3,"pattern":"^o"},
	"items":{"type":"array","items":{"$ref":"#/$defs/item"}}},"additionalProperties":false,
	"$defs":{"item":{"type":"object","properties":{"price":{"type":"number","minimum":0},"7":{"type":"null"}}}}}`

func TestEveryFaultIsNamedWithItsPlace(t *testing.T) {
	s := compile(t, order)
	for _, tt := range []struct {
		data  string
		paths []string
	}{
		{`{"id":"o12","items":[{"price":1.5},{"7":null}]}`, nil},
		{`{"id":"x","items":[{"price":"1"},{"price":-1,"7":0}],"extra":1}`, []string{"", ".id", ".items[0].price", ".items[1].price", ".items[1][7]"}},
		{`{}`, []string{""}},
		{`null`, []string{""}},
		{`{"id":"o12","items":[{"price":1e999999999}]}`, []string{".items[0].price"}},
	} {
		budget := schema.MaxCost
		got := s.Check([]byte(tt.data), &budget)
		if diff := cmp.Diff(tt.paths, paths(got)); diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", tt.data, got, diff)
		}
	}
	budget := schema.MaxCost
	if got := s.Check([]byte(`{"id":"x","items":[]}`), &budget); len(got) != 1 || !strings.Contains(got[0].Detail, "; ") {
		t.Errorf("two faults of one value: %v", got)
	}
}

func TestBothDraftsAreApplied(t *testing.T) {
	for _, tt := range []struct{ schema, good, bad string }{
		{`{"$schema":"http://json-schema.org/draft-07/schema#","items":[{"type":"string"}],"additionalItems":false}`, `["a"]`, `["a",1]`},
		{`{"$schema":"https://json-schema.org/draft/2020-12/schema","prefixItems":[{"type":"string"}],"items":false}`, `["a"]`, `["a",1]`},
		{`{"prefixItems":[{"type":"string"}],"items":false}`, `["a"]`, `["a",1]`},
		{`{"definitions":{"a":{"$id":"b","type":"null"}},"$ref":"b"}`, `null`, `1`},
		{`{"properties":{"a":{"$anchor":"x","const":1}},"additionalProperties":{"$ref":"#x"}}`, `{"b":1}`, `{"b":2}`},
		{`{"properties":{"next":{"$ref":"#"},"n":{"type":"integer"}}}`, `{"next":{"next":{"n":1}}}`, `{"next":{"next":{"n":"1"}}}`},
		{`false`, ``, `1`},
		{`true`, `1`, ``},
	} {
		s := compile(t, tt.schema)
		budget := schema.MaxCost
		if tt.good != "" && s.Check([]byte(tt.good), &budget) != nil {
			t.Errorf("%s refuses %s", tt.schema, tt.good)
		}
		if tt.bad != "" && s.Check([]byte(tt.bad), &budget) == nil {
			t.Errorf("%s takes %s", tt.schema, tt.bad)
		}
	}
}

func TestSchemasThatCouldHarmAreRefused(t *testing.T) {
	doubling := func(n int) string { // applies its last definition 2^n times to one value
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"d%d":{"allOf":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]},`, i, i+1, i+1)
		}
		return `{"$ref":"#/$defs/d0","$defs":{` + b.String() + fmt.Sprintf(`"d%d":{"type":"string"}}}`, n)
	}
	for _, tt := range []struct{ schema, path, detail string }{
		{`"x"`, "", "want an object"},
		{`{"$schema":"http://json-schema.org/draft-04/schema#"}`, ".$schema", "want"},
		{`{"$schema":7}`, ".$schema", "want"},
		{`{"type":"strnig"}`, ".type", ""},
		{`{"properties":{"a":{"minLength":-1}}}`, ".properties.a.minLength", ""},
		{`{"$ref":"file:///etc/passwd"}`, "", "points outside"},
		{`{"$ref":"http://127.0.0.1:1/x"}`, "", "points outside"},
		{`{"$ref":"https://example.com/x#/a"}`, "", "points outside"},
		{`{"$ref":"other.json"}`, "", "points outside"},
		{`{"$id":"file:///etc/","$ref":"passwd"}`, "", "points outside"},
		{`{"$ref":"#/nowhere"}`, "", "points to nothing"},
		{`{"$ref":"#nowhere"}`, "", "points to nothing"},
		{`{"$ref":"#"}`, "", "refers to itself"},
		{`{"allOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"not":{"$ref":"#"}}}}`, "", "refers to itself"},
		{`{"$dynamicRef":"#x","$defs":{"a":{"$dynamicAnchor":"x"}}}`, "", "$dynamicRef"},
		{doubling(60), "", "too many schemas"},
		{`{"pattern":"(?=a)"}`, ".pattern", ""},
		{`{"pattern":"((a{1000}){1000}){1000}"}`, ".pattern", ""},
		{`{"pattern":"(a{100}){101}"}`, ".pattern", ""},
		{`{"minimum":1e999999999}`, ".minimum", "digits"},
		{`{"enum":[` + strings.Repeat("1", 101) + `]}`, ".enum[0]", "digits"},
		{`{"description":"` + strings.Repeat("x", schema.MaxSize) + `"}`, "", "bytes"},
	} {
		began := time.Now()
		_, faults := schema.Compile([]byte(tt.schema))
		if len(faults) == 0 || faults[0].Path != tt.path || !strings.Contains(faults[0].Detail, tt.detail) {
			t.Errorf("%.100s: %v, want %q %q", tt.schema, faults, tt.path, tt.detail)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%.100s took %v", tt.schema, took)
		}
	}
}

// A schema that is fine for flat data and explodes with its depth is taken, and
// data that would make it explode is not.
func TestDataThatTakesTooLongIsRefusedBeforeItIsChecked(t *testing.T) {
	s := compile(t, `{"allOf":[{"properties":{"a":{"$ref":"#"}}},{"properties":{"a":{"$ref":"#"}}}]}`)
	nested := func(n int) []byte { return []byte(strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n)) }
	budget := schema.MaxCost
	if faults := s.Check(nested(5), &budget); faults != nil {
		t.Errorf("5 deep: %v", faults)
	}
	for _, depth := range []int{40, 99} {
		if faults := s.Check(nested(depth), &budget); len(faults) != 1 || !strings.Contains(faults[0].Detail, "too long") {
			t.Errorf("%d deep: %v", depth, faults)
		}
	}
	budget = 10
	if faults := compile(t, `{"type":"array"}`).Check([]byte(`[1,2,3]`), &budget); len(faults) != 1 {
		t.Errorf("with a budget that is spent: %v", faults)
	}
}

func TestALargeEventOfUsualShapeIsChecked(t *testing.T) {
	data := []byte(`{"id":"o12","items":[` + strings.Repeat(`{"price":12.5,"name":"something","tags":["a","b"]},`, 5000) + `{}]}`)
	budget := schema.MaxCost
	if faults := compile(t, order).Check(data, &budget); faults != nil {
		t.Errorf("%d bytes: %v", len(data), faults)
	}
}

func BenchmarkCheck(b *testing.B) {
	s := compile(b, order)
	data := []byte(`{"id":"o12","items":[` + strings.Repeat(`{"price":12.5,"name":"something","tags":["a","b"]},`, 20) + `{}]}`)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		budget := schema.MaxCost
		if faults := s.Check(data, &budget); faults != nil {
			b.Fatal(faults)
		}
	}
}
