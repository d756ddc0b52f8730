package pattern

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func decoded(t *testing.T, data string) *Event {
	t.Helper()
	e, err := Decode(Envelope{ID: "e1", Source: "/s", Type: "t", Time: "2026-01-02T03:04:05Z", Data: json.RawMessage(data)})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEventsThatAreNotStrictJSONAreRefused(t *testing.T) {
	for data, want := range map[string]string{
		`{"a":{"b":1,"c":2,"b":3}}`:    "data.a.b: this key appears twice",
		`[{"a":1},{"a":1,"\u0061":2}]`: "data[1].a: this key appears twice",
		`{"a":"\ud83d"}`:               "data.a: a string has half of a surrogate pair",
		"\"\xc3\"":                     "data: a string is not valid UTF-8",
		"\"\\n\xc3\"":                  "data: a string is not valid UTF-8",
		`{"a":1} {}`:                   "data: not JSON: something follows the value at byte 8",
		`{"a":+1}`:                     "data.a: not JSON: unexpected '+' at byte 5",
		`{"a":1.}`:                     "data.a: not JSON: unexpected '}' at byte 7",
		`{"a":-}`:                      "data.a: not JSON: unexpected '}' at byte 6",
		`{"a":1e}`:                     "data.a: not JSON: unexpected '}' at byte 7",
		`{"a":nul}`:                    "data.a: not JSON: unexpected 'n' at byte 5",
		`{"a":"\x"}`:                   "data.a: not JSON: unexpected 'x' at byte 7",
		`{"a" 1}`:                      "data: not JSON: unexpected '1' at byte 5",
		`{1:2}`:                        "data: not JSON: unexpected '1' at byte 1",
		`[1 2]`:                        "data: not JSON: unexpected '2' at byte 3",
		`[`:                            "data[0]: not JSON: it ends too early",
		" ":                            "data: not JSON: it ends too early",
		strings.Repeat("[", 20_000):    "nested too deeply",
	} {
		_, err := Decode(Envelope{Data: json.RawMessage(data)})
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("Decode(%.40q) = %.80v, want %s", data, err, want)
		}
	}
}

func TestPathsFindValuesAsPublished(t *testing.T) {
	e := decoded(t, `{"user":{"id":"u\u0031","n":1.50e1,"ok":true,"none":null,"": 0},"a.b":[10, {"c":[ ]}],"list":[[1],{}],"big":12345678901234567890}`)
	for path, want := range map[string]Value{
		"id":               {String, "e1", `"e1"`},
		"data.user.id":     {String, "u1", `"u\u0031"`},
		"data.user.n":      {Number, "15", "1.50e1"},
		"data.user.ok":     {True, "true", "true"},
		"data.user.none":   {Null, "null", "null"},
		"data.a.b[0]":      {Number, "10", "10"},
		"data.a.b[1].c":    {Array, "[ ]", "[ ]"},
		"data.list[0][0]":  {Number, "1", "1"},
		"data.list[1]":     {Object, "{}", "{}"},
		"data.big":         {Number, "12345678901234567890", "12345678901234567890"},
		"data.a":           {}, // only a key with dots spells it
		"data.a.b.c":       {}, // a name finds no elements
		"data.list[2]":     {},
		"data.user.id.x":   {},
		"data.user[0]":     {},
		"subject":          {},
		"extensions.trace": {},
	} {
		p, err := ParsePath(path, "key")
		if err != nil {
			t.Errorf("ParsePath(%s): %v", path, err)
			continue
		}
		got, ok := e.Lookup(p)
		if got != want || ok != (want != Value{}) {
			t.Errorf("%s = %+v, %v, want %+v", path, got, ok, want)
		}
	}
	if _, ok := e.Lookup(Path{}); ok {
		t.Error("the zero path found something")
	}
}

func TestOneNumberHasOneText(t *testing.T) {
	for text, want := range map[string]string{
		"1e2": "100", "100.0": "100", "-0": "0", "0.10": "0.1", "1e21": "1e+21", "123456789": "123456789", "1e-7": "1e-07",
		"9007199254740993": "9007199254740993",
	} {
		p, _ := ParsePath("data.n", "")
		if v, _ := decoded(t, `{"n":`+text+`}`).Lookup(p); v.Text != want {
			t.Errorf("%s has the text %s, want %s", text, v.Text, want)
		}
	}
}

func TestEmptyValuesAreKnown(t *testing.T) {
	p, _ := ParsePath("data", "")
	for data, want := range map[string]bool{
		`null`: true, `""`: true, `[ ]`: true, `{ }`: true, `"\n"`: false, `0`: false, `false`: false, `[0]`: false, `{"a":null}`: false,
	} {
		if v, ok := decoded(t, data).Lookup(p); !ok || v.Empty() != want {
			t.Errorf("Empty(%s) = %v, want %v", data, v.Empty(), want)
		}
	}
}

func TestBadPathsAreRefused(t *testing.T) {
	for path, want := range map[string]string{
		"":                                "key: want a path of 1 to 1024 bytes, such as data.user.id",
		"user.id":                         `key: an event has no "user": use data for its payload, or one of id, source, type, subject, time, extensions`,
		"subject.id":                      "key: subject is a string: it has no parts",
		"data..id":                        `key: "data..id" has an empty name`,
		"data.[0]":                        `key: "data.[0]" has an empty name`,
		"data.a[x]":                       `key: "data.a[x]": want an index as [0]`,
		"data.a[0":                        `key: "data.a[0": want an index as [0]`,
		"data.a[0]b":                      `key: "data.a[0]b": want an index as [0]`,
		"data" + strings.Repeat(".x", 64): "key: want at most 64 names and indexes",
	} {
		if _, err := ParsePath(path, "key"); err == nil || err.Error() != want {
			t.Errorf("ParsePath(%s) = %v, want %s", path, err, want)
		}
	}
}

func TestKeysWithDotsArePaths(t *testing.T) {
	for _, tt := range []struct {
		pattern, data string
		match         bool
	}{
		{`{"a":{"b":[1]}}`, `{"a.b":1}`, true},
		{`{"a":{"b":[1],"c":[2]}}`, `{"a.b":1,"a":{"c":2}}`, true},
		{`{"a":{"b":{"c":[1],"d":[2]}}}`, `{"a.b.c":1,"a":{"b":{"d":2}}}`, true},
		{`{"a":{"b":[1],"c":[2]}}`, `{"a.b":1,"a":[{"c":2},{"c":3}]}`, true},
		{`{"a":{"b":[1],"c":[2]}}`, `{"a.b":3,"a":[{"c":2},{"b":1}]}`, false},
		{`{"a":{"b":[{"exists":false}],"c":[2]}}`, `{"a.b":3,"a":[{"c":2}]}`, false},
		{`{"a":{"b":[1]}}`, `{".a.b":1,"a..b":1,"a.b.":1,"":{"a":{"b":1}}}`, false},
	} {
		if got := ours(t, `{"data":`+tt.pattern+`}`, Envelope{Data: json.RawMessage(tt.data)}) == "1"; got != tt.match {
			t.Errorf("%s on %s = %v, want %v", tt.pattern, tt.data, got, tt.match)
		}
	}
}

func TestListsOfTypes(t *testing.T) {
	for _, tt := range []struct {
		types []string
		event string
		want  bool
	}{
		{nil, "order.paid", true},
		{nil, "postino.delivery.failing", false},
		{[]string{"order.paid"}, "order.paid", true},
		{[]string{"order.paid"}, "order.paid.late", false},
		{[]string{"x", "order.*"}, "order.paid", true},
		{[]string{"order.*"}, "orders", false},
		{[]string{"*"}, "anything", true},
		{[]string{"*"}, "postino.delivery.failing", false},
		{[]string{"post*"}, "postino.delivery.failing", false},
		{[]string{"postino.*"}, "postino.delivery.failing", true},
		{[]string{"postino.delivery.failing"}, "postino.delivery.failing", true},
		{[]string{"postino.*"}, "order.paid", false},
	} {
		if got := TypesMatch(tt.types, tt.event); got != tt.want {
			t.Errorf("TypesMatch(%q, %s) = %v, want %v", tt.types, tt.event, got, tt.want)
		}
	}
}

func TestBadTypesAreRefused(t *testing.T) {
	for _, tt := range []struct {
		types []string
		want  string
	}{
		{nil, ""},
		{[]string{"a", "a.*", "*"}, ""},
		{[]string{}, "types: want 1 to 100 types, or none for all"},
		{make([]string, 101), "types: want 1 to 100 types, or none for all"},
		{[]string{"a", ""}, "types[1]: want 1 to 512 bytes"},
		{[]string{strings.Repeat("a", 513)}, "types[0]: want 1 to 512 bytes"},
		{[]string{"a*b", "**"}, "types[0]: want * at the end only; types[1]: want * at the end only"},
	} {
		got := ""
		if err := CheckTypes(tt.types, "types"); err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, tt.want) || tt.want == "" && got != "" {
			t.Errorf("CheckTypes(%.20q): %s, want %s", tt.types, got, tt.want)
		}
	}
}

func TestAnEventThatSpellsAPathTwiceEndsInTime(t *testing.T) {
	rows := strings.TrimSuffix(strings.Repeat(`{"b":1},`, 2000), ",")
	data := `{"a":[` + rows + `],"a.b":1,"c":[` + rows + `],"d":[` + rows + `]}`
	pattern := `{"a":{"b":[1]},"c":{"b":[1]},"d":{"b":[2]}}`
	if got := ours(t, `{"data":`+pattern+`}`, Envelope{Data: json.RawMessage(data)}); got != "0" {
		t.Errorf("matched: %s", got)
	}
}

func TestManySiblingArraysEndInTime(t *testing.T) {
	var data, pattern strings.Builder
	for i := range 20 {
		name := string(rune('a' + i))
		data.WriteString(`"` + name + `":[` + strings.TrimSuffix(strings.Repeat(`{"x":[{"y":1}]},`, 100), ",") + `],`)
		pattern.WriteString(`"` + name + `":{"x":{"y":[1,{"exists":false}],"z":[{"exists":false}],"w":[{"exists":true},{"exists":false}]}},`)
	}
	p := `{"data":{` + pattern.String() + `"z":{"x":[0]}}}`
	if got := ours(t, p, Envelope{Data: json.RawMessage(`{` + data.String() + `"z":[{"x":1}]}`)}); got != "0" {
		t.Errorf("matched: %s", got)
	}
}

func TestErrorsCanBeTakenApart(t *testing.T) {
	_, err := Compile([]byte(`{"data":{"amount":[{"numeric":[">"]}]}}`), "filter")
	want := Errors{{Field: "filter.data.amount[0].numeric", Detail: "want an operator and a number"}}
	if diff := cmp.Diff(want, err); diff != "" {
		t.Error(diff)
	}
}

func TestManyExactValuesAreLookedUp(t *testing.T) {
	many := func(format string) string {
		var all []string
		for i := range 20 {
			all = append(all, fmt.Sprintf(format, i))
		}
		return `{"data":{"x":[` + strings.Join(all, ",") + `,{"prefix":"y"}]}}`
	}
	for _, tt := range []struct {
		pattern, x string
		match      bool
	}{
		{many(`"a%d"`), `"a19"`, true},
		{many(`"a%d"`), `"a20"`, false},
		{many(`"a%d"`), `"yes"`, true},
		{many(`%d`), `19.0`, true},
		{many(`%d`), `20`, false},
		{many(`"10.0.0.%d"`), `"10.0.0.019"`, true},
		{many(`"10.0.0.%d"`), `"10.0.0.20"`, false},
		{many(`"10.0.0.%d"`), `"a00:13::"`, true}, // as each alone
		{many(`"16.0.0.%d"`), `10000005`, true},   // as each alone
		{many(`"::%d"`), `"0::0009"`, true},
		{many(`"::%d"`), `"0::1009"`, false},
		{many(`{"anything-but":["a%d","b","c","d","e","f","g","h","i","j"]}`), `"c"`, false},
	} {
		data := `{"x":` + tt.x + `}`
		if got := ours(t, tt.pattern, Envelope{Data: json.RawMessage(data)}) == "1"; got != tt.match {
			t.Errorf("%s on %s = %v, want %v", tt.pattern, data, got, tt.match)
		}
		p, _ := Compile([]byte(tt.pattern), "")
		var x Index[int]
		x.Add(1, nil, p)
		if got := len(found(&x, decoded(t, data))) == 1; got != tt.match {
			t.Errorf("index: %s on %s = %v, want %v", tt.pattern, data, got, tt.match)
		}
	}
}
