package schema_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/language/schema"
)

// costly are schemas with data that is as dear to check as their kind allows.
var costly = []struct {
	name, schema string
	data         func(n int) string
}{
	{"alternatives", `{"items":{"anyOf":[` + alternatives(300) + `]}}`, many("0")},
	{"few alternatives", `{"items":{"anyOf":[` + alternatives(5) + `]}}`, many("0")},
	{"deep alternatives", `{"items":{"oneOf":[` + list(200, `{"anyOf":[{"type":"string"},{"minimum":7}]}`) + `]}}`, many("0")},
	{"negations", `{"items":{"allOf":[` + list(100, `{"not":{"not":{"not":{"const":0}}}}`) + `]}}`, many("0")},
	{"long pattern", `{"pattern":"(x+x+)+y` + strings.Repeat("[a-z]?", 500) + `$"}`, text},
	{"short pattern", `{"pattern":"(x+x+)+y$"}`, text},
	{"patterns of names", `{"patternProperties":{` + patterns(500) + `}}`, names},
	{"numbers enumerated", `{"items":{"enum":[` + numbers(5000) + `]}}`, many("99999")},
	{"strings enumerated", `{"items":{"enum":[` + words(5000) + `]}}`, many(`"w99999"`)},
	{"uniqueness", `{"uniqueItems":true}`, func(n int) string { return "[" + numbers(n/4) + "]" }},
	{"names", `{"propertyNames":{"maxLength":1}}`, names},
	{"required", `{"items":{"required":[` + words(3000) + `]}}`, many("{}")},
	{"unevaluated", `{"allOf":[` + list(50, `{"anyOf":[{"required":["a"]},true]}`) + `],"unevaluatedProperties":{"type":"null"}}`, names},
	{"contains", `{"allOf":[` + list(100, `{"contains":{"type":"string"}}`) + `]}`, many("0")},
	{"huge numbers", `{"items":{"multipleOf":1e-400,"maximum":1e400}}`, many("1e400")},
}

func list(n int, one string) string { return strings.TrimSuffix(strings.Repeat(one+",", n), ",") }

func many(one string) func(n int) string {
	return func(n int) string { return "[" + list(n*2/(1+len(one)), one) + "]" }
}

func text(n int) string { return `"` + strings.Repeat("x", 2*n) + `"` }

func alternatives(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"minimum":%d},`, i+1)
	}
	return strings.TrimSuffix(b.String(), ",")
}

func patterns(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"(a|b)*%d$":{"type":"string"},`, i)
	}
	return strings.TrimSuffix(b.String(), ",")
}

func names(n int) string {
	var b strings.Builder
	for i := range n / 8 {
		fmt.Fprintf(&b, `"abababab%d":0,`, i)
	}
	return "{" + strings.TrimSuffix(b.String(), ",") + "}"
}

func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `%d,`, i)
	}
	return strings.TrimSuffix(b.String(), ",")
}

func words(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"w%d",`, i)
	}
	return strings.TrimSuffix(b.String(), ",")
}

// The largest data that is checked at all takes a second or two; the bound of
// a minute is for machines that do other things beside.
func TestNoSchemaMakesAnEventTakeLong(t *testing.T) {
	for _, tt := range costly {
		began := time.Now()
		s := compile(t, tt.schema)
		compiled := time.Since(began)
		for n := 120_000; n > 0; n /= 2 { // up to 256 KiB
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			budget, data := schema.MaxCost, tt.data(n)
			began = time.Now()
			faults := s.Check([]byte(data), &budget)
			took := time.Since(began)
			if took+compiled > time.Minute {
				t.Errorf("%s takes %v and %v", tt.name, compiled, took)
			}
			if len(faults) == 1 && strings.Contains(faults[0].Detail, "too long") {
				continue
			}
			runtime.ReadMemStats(&after)
			t.Logf("%-20s compiled in %v; %d bytes checked in %v, cost %d, %d MB, %d faults", tt.name, compiled.Round(time.Millisecond),
				len(data), took.Round(time.Millisecond), schema.MaxCost-budget, (after.TotalAlloc-before.TotalAlloc)>>20, len(faults))
			break
		}
	}
}

// FuzzCheck holds that no schema and no data make the checker panic or run
// away, and that what is refused is refused with a reason.
func FuzzCheck(f *testing.F) {
	for _, tt := range costly {
		if len(tt.schema) < 1000 {
			f.Add([]byte(tt.schema), []byte(tt.data(20)))
		}
	}
	f.Add([]byte(order), []byte(`{"id":"x","items":[{"price":"1"}]}`))
	f.Add([]byte(`{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$anchor":"x","if":true,"then":false}},"$ref":"#x"}`), []byte(`[1]`))
	f.Add([]byte(`{"$schema":"http://json-schema.org/draft-07/schema#","dependencies":{"a":["b"],"c":{"$ref":"#"}}}`), []byte(`{"a":1}`))
	f.Fuzz(func(t *testing.T, text, data []byte) {
		s, faults := schema.Compile(text)
		if (s == nil) != (len(faults) > 0) {
			t.Fatalf("schema %q: %v, %v", text, s, faults)
		}
		if s == nil {
			return
		}
		budget := 1_000_000
		for _, f := range s.Check(data, &budget) {
			if f.Detail == "" || len(f.Detail) > 310 || len(f.Path) > 500 {
				t.Fatalf("fault %+v", f)
			}
		}
	})
}

func TestNoSchemaTakesLongToCompile(t *testing.T) {
	numbered := func(format string) string {
		var b strings.Builder
		for i := 0; b.Len() < schema.MaxSize-3000; i++ {
			fmt.Fprintf(&b, format+",", i)
		}
		return b.String()
	}
	chain := func() string {
		var b strings.Builder
		for i := range 1200 {
			fmt.Fprintf(&b, `"%d":{"properties":{"a":{"$ref":"#/$defs/%d"}}},`, i, i+1)
		}
		return b.String()
	}
	for name, text := range map[string]string{
		"truths":        `{"allOf":[` + list(12_000, "true") + `]}`,
		"empties":       `{"allOf":[` + list(12_000, "{}") + `]}`,
		"properties":    `{"properties":{` + numbered(`"%d":{"minimum":1}`) + `"x":true}}`,
		"nested":        strings.Repeat(`{"items":{"not":`, 49) + "{}" + strings.Repeat("}}", 49),
		"chain":         `{"$ref":"#/$defs/0","$defs":{` + chain() + `"1200":true}}`,
		"resources":     `{"allOf":[` + numbered(`{"$id":"a%d","items":{"$ref":"a0"}}`) + `true]}`,
		"anchors":       `{"allOf":[` + numbered(`{"$anchor":"a%d"}`) + `{"$ref":"#a7"}]}`,
		"enum":          `{"enum":[` + words(7000) + `]}`,
		"patterns":      `{"patternProperties":{` + patterns(1500) + `}}`,
		"long patterns": `{"patternProperties":{` + numbered(`"((a{99}b{99}){10})%d":{}`) + `"x":true}}`,
	} {
		began := time.Now()
		_, faults := schema.Compile([]byte(text))
		took := time.Since(began)
		t.Logf("%-14s %d bytes in %v: %.100v", name, len(text), took.Round(time.Millisecond), faults)
		if took > time.Minute {
			t.Errorf("%s takes %v", name, took)
		}
	}
}
