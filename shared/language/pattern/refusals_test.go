package pattern

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// oddities are what event-ruler does and nobody would guess: the examples of the package comment.
var oddities = []struct {
	pattern, data string // of field x; whole data
	match         bool
}{
	{`["10.0.0.1"]`, `{"x":"010.0.0.01"}`, true},
	{`["::1"]`, `{"x":"0:0::0001"}`, true},
	{`["::ffff:a00:1"]`, `{"x":"10.0.0.1"}`, true},
	{`[{"exactly":"10.0.0.1"}]`, `{"x":"010.0.0.1"}`, false},
	{`[{"cidr":"10.0.0.0/8"}]`, `{"x":"a00::1"}`, true},
	{`[{"cidr":"10.0.0.0/8"}]`, `{"x":"b00::1"}`, false},
	{`[{"cidr":"16.0.0.0/4"}]`, `{"x":17}`, true},
	{`[{"cidr":"16.0.0.0/4"},{"numeric":["<",0]}]`, `{"x":17}`, false},
	{`[{"prefix":"ab\""}]`, `{"x":"ab"}`, true},
	{`[{"suffix":"\"ab"}]`, `{"x":"ab"}`, true},
	{`[{"anything-but":{"prefix":"ab\""}}]`, `{"x":"ab"}`, false},
	{`[{"equals-ignore-case":"straße"}]`, `{"x":"STRASSE"}`, true},
	{`[{"equals-ignore-case":"strasse"}]`, `{"x":"straße"}`, false},
	{`[{"equals-ignore-case":"ǅ"}]`, `{"x":"ǅ"}`, false},
	{`[{"equals-ignore-case":"ǅ"}]`, `{"x":"ǆ"}`, true},
	{`[{"numeric":[">",0]}]`, `{"x":9007199254740993}`, false},
	{`[{"anything-but":1}]`, `{"x":9007199254740993}`, true},
	{`[{"anything-but":"a"}]`, `{"x":null}`, true},
	{`[{"anything-but":"a"}]`, `{"x":["a","b"]}`, true},
	{`[{"exists":false}]`, `{"x":{}}`, true},
	{`[{"exists":false}]`, `{"x":[]}`, true},
	{`[{"exists":true}]`, `{"x":null}`, true},
	{`[{"prefix":""}]`, `{"x":1}`, false},
	{`[100]`, `{"x":1e2}`, true},
	{`[0]`, `{"x":-0.0}`, true},
	{`[1]`, `{"x":"1"}`, false},
	{`{"y":[1],"z":[2]}`, `{"x":[{"y":1,"z":3},{"y":3,"z":2}]}`, false},
	{`{"y":[1],"z":[2]}`, `{"x":[{"y":1,"z":2}]}`, true},
	{`{"y":[1],"z":[{"exists":false}]}`, `{"x":[{"y":1},{"z":2}]}`, true},
	{`{"y":[{"exists":false}],"z":[2]}`, `{"x":[{"y":1},{"z":2}]}`, false},
	{`{"y":[1]}`, `{"x.y":1}`, true},
	{`{"y.z":[1]}`, `{"x":{"y":{"z":1}}}`, true},
}

func TestOdditiesAreInherited(t *testing.T) {
	for _, o := range oddities {
		pattern := `{"data":{"x":` + o.pattern + `}}`
		if got := ours(t, pattern, Envelope{Data: []byte(o.data)}) == "1"; got != o.match {
			t.Errorf("%s on %s = %v, want %v", pattern, o.data, got, o.match)
		}
	}
}

// refusals are patterns that Compile refuses, the fault it names, and whether event-ruler takes them.
var refusals = []struct {
	pattern, fault string
	ruler          bool
}{
	{`x`, `filter: not JSON: unexpected 'x' at byte 0`, false},
	{`{"data":{"x":[1]}} x`, `filter: not JSON: something follows the value at byte 19`, true},
	{`{"data":{"x":[01]}}`, `filter.data.x: not JSON: unexpected '1' at byte 15`, false},
	{`{"data":{"x":[1,]}}`, `filter.data.x[1]: not JSON: unexpected ']' at byte 16`, false},
	{`[]`, `filter: want an object`, false},
	{`{}`, `filter: want at least one field`, false},
	{`{"data":{}}`, `filter.data: want at least one field`, false},
	{`{"data":{"x":[]}}`, `filter.data.x: want at least one value`, false},
	{`{"data":{"x":"y"}}`, `filter.data.x: want a list of values, such as ["y"], or an object of fields`, false},
	{`{"data":{"x":[[1]]}}`, `filter.data.x[0]: want a value or an operator, not a list`, false},
	{`{"detail":{"x":[1]}}`, `filter.detail: an event has no "detail": use data for its payload, or one of id, source, type, subject, time, extensions`, true},
	{`{"detail-type":["x"]}`, `filter.detail-type: an event has no "detail-type": use type`, true},
	{`{"x.y":[1]}`, `filter.x.y: an event has no "x": use data`, true},
	{`{"source":{"x":[1]}}`, `filter.source: source is a string: want a list of values`, true},
	{`{"source.x":[1]}`, `filter.source.x: source is a string: want a list of values`, true},
	{`{"data":{"x":[1],"x":[2]}}`, `filter.data.x: this key appears twice`, true},
	{`{"data":{"x":{"y":[1]},"x.y":[2]}}`, `filter.data.x.y: data.x.y is already in this pattern`, true},
	{`{"data":{"x":[1],"$or":[{"x":[2]},{"y":[3]}]}}`, `filter.data.x: data.x is already in this pattern`, true},
	{`{"data":{"":[1]}}`, `filter.data.: want no empty name in a field`, true},
	{`{"data":{"a..b":[1]}}`, `filter.data.a..b: want no empty name in a field`, true},
	{`{"data":{"x":[{}]}}`, `filter.data.x[0]: want one operator: exactly, prefix, `, false},
	{`{"data":{"x":[{"prefix":"a","suffix":"b"}]}}`, `filter.data.x[0]: want one operator: `, false},
	{`{"data":{"x":[{"starts":"a"}]}}`, `filter.data.x[0].starts: unknown operator: want exactly, prefix, `, false},
	{`{"data":{"x":[{"prefix":1}]}}`, `filter.data.x[0].prefix: want a string`, false},
	{`{"data":{"x":[{"prefix":["a"]}]}}`, `filter.data.x[0].prefix: want a string`, false},
	{`{"data":{"x":[{"prefix":{"suffix":"a"}}]}}`, `filter.data.x[0].prefix.suffix: unknown operator: want equals-ignore-case`, false},
	{`{"data":{"x":[{"suffix":{"equals-ignore-case":1}}]}}`, `filter.data.x[0].suffix.equals-ignore-case: want a string`, false},
	{`{"data":{"x":[{"equals-ignore-case":["a"]}]}}`, `filter.data.x[0].equals-ignore-case: want a string`, false},
	{`{"data":{"x":[{"equals-ignore-case":"😀"}]}}`, `filter.data.x[0].equals-ignore-case: '😀': characters beyond U+FFFF cannot be compared ignoring case`, true},
	{`{"data":{"x":[{"wildcard":"a**b"}]}}`, `filter.data.x[0].wildcard: want no two * in a row`, false},
	{`{"data":{"x":[{"wildcard":"a\\b"}]}}`, `filter.data.x[0].wildcard: want * or \ after a \`, false},
	{`{"data":{"x":[{"wildcard":"a\\"}]}}`, `filter.data.x[0].wildcard: want * or \ after a \`, false},
	{`{"data":{"x":[{"wildcard":"` + strings.Repeat("a*", 33) + `"}]}}`, `filter.data.x[0].wildcard: too complex: want at most 32 *`, true},
	{`{"data":{"x":[{"exists":1}]}}`, `filter.data.x[0].exists: want true or false`, false},
	{`{"data":{"amount":[{"numeric":[">"]}]}}`, `filter.data.amount[0].numeric: want an operator and a number`, false},
	{`{"data":{"amount":[{"numeric":[">","1"]}]}}`, `filter.data.amount[0].numeric: want an operator and a number`, false},
	{`{"data":{"amount":[{"numeric":5}]}}`, `filter.data.amount[0].numeric: want an operator and a number`, false},
	{`{"data":{"amount":[{"numeric":["!=",1]}]}}`, `filter.data.amount[0].numeric[0]: unknown operator: want =, <, <=, > or >=`, false},
	{`{"data":{"amount":[{"numeric":["<",5,">",1]}]}}`, `filter.data.amount[0].numeric: want a lower bound (> or >=) and then a greater upper bound (< or <=)`, false},
	{`{"data":{"amount":[{"numeric":[">=",5,"<=",5]}]}}`, `filter.data.amount[0].numeric: want a lower bound`, false},
	{`{"data":{"amount":[{"numeric":[">",1e309]}]}}`, `filter.data.amount[0].numeric[1]: this number is out of range`, false},
	{`{"data":{"amount":[{"numeric":[">=",1.7976931348623157e308]}]}}`, `filter.data.amount[0].numeric: want a range that some number is in`, false},
	{`{"data":{"amount":[9007199254740993]}}`, `filter.data.amount[0]: this number is out of range or has more digits than a float64 keeps`, true},
	{`{"data":{"x":[{"anything-but":9007199254740993}]}}`, `filter.data.x[0].anything-but: this number is out of range`, false},
	{`{"data":{"x":[{"anything-but":["a",1]}]}}`, `filter.data.x[0].anything-but[1]: want only strings or only numbers in one list`, false},
	{`{"data":{"x":[{"anything-but":[]}]}}`, `filter.data.x[0].anything-but: want at least one value`, false},
	{`{"data":{"x":[{"anything-but":null}]}}`, `filter.data.x[0].anything-but: want a string, a number, or a list of either`, false},
	{`{"data":{"x":[{"anything-but":[true]}]}}`, `filter.data.x[0].anything-but[0]: want a string, a number, or a list of either`, false},
	{`{"data":{"x":[{"anything-but":{"prefix":""}}]}}`, `filter.data.x[0].anything-but.prefix: want a string that is not empty`, false},
	{`{"data":{"x":[{"anything-but":{"suffix":["a",""]}}]}}`, `filter.data.x[0].anything-but.suffix[1]: want a string that is not empty`, false},
	{`{"data":{"x":[{"anything-but":{"prefix":{"equals-ignore-case":"a"}}}]}}`, `filter.data.x[0].anything-but.prefix: want a string`, false},
	{`{"data":{"x":[{"anything-but":{"prefix":[]}}]}}`, `filter.data.x[0].anything-but.prefix: want at least one value`, false},
	{`{"data":{"x":[{"anything-but":{"numeric":["=",1]}}]}}`, `filter.data.x[0].anything-but.numeric: unknown operator in anything-but: want prefix, suffix, wildcard or equals-ignore-case`, false},
	{`{"data":{"x":[{"anything-but":{"wildcard":["a","**"]}}]}}`, `filter.data.x[0].anything-but.wildcard[1]: want no two * in a row`, false},
	{`{"data":{"x":[{"cidr":"10.0.0.0"}]}}`, `filter.data.x[0].cidr: want an address, a slash and a number of bits, such as 10.0.0.0/8`, false},
	{`{"data":{"x":[{"cidr":"10.0.0.0/32"}]}}`, `filter.data.x[0].cidr: want 0 to 31 bits after the slash; a single address is written as a plain string`, false},
	{`{"data":{"x":[{"cidr":"::/128"}]}}`, `filter.data.x[0].cidr: want 0 to 127 bits after the slash`, false},
	{`{"data":{"x":[{"cidr":"10.0.0/8"}]}}`, `filter.data.x[0].cidr: want an IPv4 or IPv6 address before the slash`, false},
	{`{"data":{"x":[{"cidr":"10.0.0.0/+8"}]}}`, `filter.data.x[0].cidr: want 0 to 31 bits`, true},
	{`{"data":{"x":[{"cidr":"10.0.0.0/8/"}]}}`, `filter.data.x[0].cidr: want 0 to 31 bits`, true},
	{`{"data":{"x":[{"cidr":8}]}}`, `filter.data.x[0].cidr: want an address and a mask, such as 10.0.0.0/8`, false},
	{`{"$or":[{"data":{"x":[1]}}]}`, `filter.$or: want a list of at least two objects`, false},
	{`{"data":{"$or":{"x":[1],"y":[1]}}}`, `filter.data.$or: want a list of at least two objects`, true},
	{`{"$or":["a",{"data":{"x":[1]}}]}`, `filter.$or[0]: want an object`, false},
	{`{"$or":[{"data":{"x":[1]}},{}]}`, `filter.$or[1]: want at least one field`, false},
	{`{"data":{"$or":[{"prefix":["a"]},{"y":[1]}]}}`, `filter.data.$or[0].prefix: within $or, "prefix" cannot be a field`, false},
	{`{"$or":[{"detail":{"x":[1]}},{"type":["a"]}]}`, `filter.$or[0].detail: an event has no "detail"`, true},
	{`{"data":` + strings.Repeat(`{"x":`, 31) + `[1]` + strings.Repeat(`}`, 31) + `}`, `.x: nested too deeply`, true},
	{`{"data":{` + combinations(10) + `}}`, `too complex: want at most 1000 combinations`, true},
}

// combinations returns n times $or, each in its own field, so 2 to the power of n combinations.
func combinations(n int) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = fmt.Sprintf(`"f%d":{"$or":[{"a":[1]},{"b":[1]}]}`, i)
	}
	return strings.Join(parts, ",")
}

func TestBadPatternsAreRefusedAtTheirPath(t *testing.T) {
	for _, tt := range refusals {
		_, err := Compile([]byte(tt.pattern), "filter")
		var first *Error
		if !errors.As(err, &first) {
			t.Errorf("Compile(%s) = %v, want a fault", tt.pattern, err)
			continue
		}
		if !strings.Contains(first.Error(), tt.fault) {
			t.Errorf("Compile(%s)\n got %s\nwant %s", tt.pattern, first, tt.fault)
		}
	}
}

func TestInvalidTextIsRefused(t *testing.T) {
	for pattern, want := range map[string]string{
		"{\"data\":{\"x\":[\"\xff\"]}}":     "filter.data.x[0]: a string is not valid UTF-8",
		`{"data":{"x":["\ud800"]}}`:         "filter.data.x[0]: a string has half of a surrogate pair",
		`{"data":{"x":["\udc00\ud800"]}}`:   "filter.data.x[0]: a string has half of a surrogate pair",
		`{"data":{"x":["\udc00\udc00"]}}`:   "filter.data.x[0]: a string has half of a surrogate pair",
		`{"data":{"x":["\ud800\u0041"]}}`:   "filter.data.x[0]: a string has half of a surrogate pair",
		"{\"data\":{\"x\":[\"a\nb\"]}}":     "filter.data.x[0]: not JSON: unexpected '\\n' at byte 16",
		`{"data":{"x":["`:                   "filter.data.x[0]: not JSON: it ends too early",
		strings.Repeat(" ", MaxSize) + "{}": "filter: too complex: want at most 65536 bytes",
	} {
		if _, err := Compile([]byte(pattern), "filter"); err == nil || err.Error() != want {
			t.Errorf("Compile(%.40q)\n got %v\nwant %s", pattern, err, want)
		}
	}
}

func TestAllFaultsAreNamedUpToTwenty(t *testing.T) {
	_, err := Compile([]byte(`{"data":{"a":[],"b":[{"numeric":[">"]}],"c":"x"},"detail":[1]}`), "filter")
	var got []string
	for _, e := range err.(Errors) {
		got = append(got, e.Field)
	}
	if want := "filter.data.a filter.data.b[0].numeric filter.data.c filter.detail"; strings.Join(got, " ") != want {
		t.Errorf("fields %s, want %s", got, want)
	}
	many := `{"data":{"x":[{}` + strings.Repeat(`,{}`, 99) + `]}}`
	if _, err := Compile([]byte(many), "filter"); len(err.(Errors)) != maxErrors {
		t.Errorf("%d faults, want %d", len(err.(Errors)), maxErrors)
	}
}

func TestPatternsAtTheLimitsAreTaken(t *testing.T) {
	for name, pattern := range map[string]string{
		"values":       `{"data":{"x":[1` + strings.Repeat(",1", MaxValues-1) + `]}}`,
		"depth":        strings.Repeat(`{"data":`, 1) + strings.Repeat(`{"x":`, MaxDepth-2) + `[1]` + strings.Repeat(`}`, MaxDepth-1),
		"combinations": `{"data":{` + combinations(8) + `}}`,
		"escapes":      `{"data":{"x":[{"wildcard":"*a\\**\\\\*"}]}}`,
		"stars":        `{"data":{"x":[{"wildcard":"` + strings.Repeat("a*", maxStars) + `"}]}}`,
	} {
		if _, err := Compile([]byte(pattern), "filter"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, pattern := range map[string]string{
		"values":        `{"data":{"x":[1` + strings.Repeat(",1", MaxValues) + `]}}`,
		"tests":         `{"data":{` + combinations(7) + `,"x":[{"wildcard":"*a*"}` + strings.Repeat(`,{"wildcard":"*a*"}`, 80) + `]}}`,
		"anything-but":  `{"data":{"x":[{"anything-but":[1` + strings.Repeat(",1", MaxValues) + `]}]}}`,
		"fields":        `{"data":{` + strings.TrimSuffix(manyFields(MaxFields+1), ",") + `}}`,
		"weight":        `{"data":{` + deep(60, 9) + `,"$or":` + listOf(700, func(i int) string { return fmt.Sprintf(`{"x":[%d]}`, i) }) + `}}`,
		"path":          `{"data.` + strings.Repeat("x.", maxSegments) + `x":[1]}`,
		"nested or":     strings.Repeat(`{"$or":[{"type":["a"]},`, 20) + `{"type":["a"]}` + strings.Repeat(`]}`, 20),
		"fields of all": `{"data":{` + combinations(7) + `,` + strings.TrimSuffix(manyFields(60), ",") + `}}`,
	} {
		if _, err := Compile([]byte(pattern), "filter"); err == nil || !strings.Contains(err.Error(), "too") {
			t.Errorf("%s: %v, want too complex", name, err)
		}
	}
}

// deep writes fields with long paths of names, which each combination has.
func deep(names, fields int) string {
	var all []string
	for i := range fields {
		all = append(all, fmt.Sprintf(`"%s%d":[1]`, strings.Repeat("a.", names), i))
	}
	return strings.Join(all, ",")
}

func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"x%d":[1],`, i)
	}
	return b.String()
}
