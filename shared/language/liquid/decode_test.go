package liquid

import (
	"strings"
	"testing"
)

func TestDecodedDataKeepsItsBytes(t *testing.T) {
	for _, document := range []string{
		`{"b":1,"a":[ 1 , 2.50 , -0 , 1E+5 , 123456789012345678901234567890 ],"c":{"x":"\u00e9\n\ud83d\ude00","y":"é"}}`,
		`"\/"`, `null`, `true`, `[]`, `{}`, `[[],{}]`, `0.1e-7`,
		`{"1":1,"2":1,"3":1,"4":1,"5":1,"6":1,"7":1,"8":1,"9":1,"10":1,"11":1,"12":1,"13":1}`,
	} {
		v, err := Decode([]byte(" " + document + "\n"))
		if got := string(v.AppendJSON(nil)); got != document || err != nil {
			t.Errorf("Decode(%s) = %s, %v", document, got, err)
		}
	}
}

func TestDecodeRefusesWhatReadersDisagreeOn(t *testing.T) {
	many := `{"1":1,"2":1,"3":1,"4":1,"5":1,"6":1,"7":1,"8":1,"9":1,"10":1,"11":1,"12":1,"13":1,"7":2}`
	for _, document := range []string{
		``, ` `, `{`, `[`, `[1,]`, `{"a":1,}`, `{"a"}`, `{a:1}`, `[1 2]`, `1 2`, `01`, `1.`, `.5`, `+1`, `-`, `1e`, `nul`, `True`, `'a'`, `NaN`,
		`"a`, `"\x"`, `"\u12g4"`, `"\ud800"`, `"\ud800\u0041"`, `"\udc00"`, "\"\n\"", "\"\xff\"", "[\v1]",
		`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, many, strings.Repeat("[", MaxDepth+2) + strings.Repeat("]", MaxDepth+2),
	} {
		if v, err := Decode([]byte(document)); err == nil {
			t.Errorf("Decode(%.60q) = %s, want an error", document, v.AppendJSON(nil))
		}
	}
}

func TestObjectsIterateInTheOrderOfTheDocument(t *testing.T) {
	data := `{"o":{"z":1,"y":2,"x":3,"w":4,"v":5,"u":6,"t":7,"s":8,"r":9,"q":10,"p":11,"o":12,"n":13}}`
	if got := render(t, "{% for m in o %}{{ m[0] }}{{ m[1] }} {% endfor %}{{ o.q }}", data); got != "z1 y2 x3 w4 v5 u6 t7 s8 r9 q10 p11 o12 n13 10" {
		t.Errorf("renders %q", got)
	}
}

func TestValuesAreBuiltAndRead(t *testing.T) {
	v := Object(Member{"id", String("a\"\x01")}, Member{"n", Int(3)}, Member{"list", Array(Bool(true), Null)}, Member{"id", Int(9)})
	if got, want := string(v.AppendJSON(nil)), `{"id":"a\"\u0001","n":3,"list":[true,null]}`; got != want {
		t.Errorf("AppendJSON = %s, want %s", got, want)
	}
	n, ok := v.Get("n")
	if _, missing := v.Get("x"); !ok || missing || n.Text() != "3" {
		t.Errorf("Get(n) = %s, %v, and x is there: %v", n.Text(), ok, missing)
	}
	for _, empty := range []Value{Null, String(""), Array(), Object()} {
		if !empty.Empty() {
			t.Errorf("%s is not empty", empty.AppendJSON(nil))
		}
	}
	for _, full := range []Value{Bool(false), Int(0), String(" "), v} {
		if full.Empty() {
			t.Errorf("%s is empty", full.AppendJSON(nil))
		}
	}
}

func TestTextThatIsNotUTF8BecomesValidJSON(t *testing.T) {
	if got := string(AppendQuoted(nil, "a\xffé\u2028")); got != "\"a\uFFFDé\u2028\"" {
		t.Errorf("AppendQuoted = %q", got)
	}
}

func TestTheLargestEventsTakeAtMost24MB(t *testing.T) {
	for name, document := range map[string]string{
		"empty arrays":  "[" + strings.Repeat("[],", 85_000) + "[]]",
		"zeros":         "[" + strings.Repeat("0,", 128_000) + "0]",
		"small objects": "[" + strings.Repeat(`{"":0},`, 36_000) + "0]",
	} {
		used := allocated(func() {
			if _, err := Decode([]byte(document)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
		if used > 24<<20 {
			t.Errorf("%s: allocates %d bytes", name, used)
		}
	}
}
