package strictjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/language/strictjson"
)

func TestWhatReadersCouldDisagreeAboutIsRefused(t *testing.T) {
	for _, tt := range []struct{ text, path, detail string }{
		{``, "", "empty"},
		{"  \n", "", "empty"},
		{`{"a":1`, "", "too early"},
		{`{"a":}`, "a", "not JSON at byte"},
		{`{a:1}`, "", "not JSON at byte"},
		{`{"a":1,}`, "", "not JSON at byte"},
		{`{"a":01}`, "", "not JSON"},
		{`{"a":NaN}`, "a", "not JSON"},
		{"\xef\xbb\xbf{}", "", "byte order mark"},
		{`{} {}`, "", "has text after the JSON value, at byte 3"},
		{`{}x`, "", "has text after the JSON value, at byte 2"},
		{"{}\n\x00", "", "has text after the JSON value, at byte 3"},
		{`{"a":1,"a":2}`, "a", "twice"},
		{`{"a":1,"\u0061":2}`, "a", "twice"},
		{`[{},{"data":{"legs":[{"to":1,"to":2}]}}]`, "[1].data.legs[0].to", "twice"},
		{"{\"a\":\"\xff\"}", "", "not UTF-8 at byte 6"},
		{`{"a":"\ud800"}`, "a", `half of a surrogate pair at byte 6: \ud800 alone`},
		{`{"a":["x\ud800\u0041"]}`, "a[0]", `half of a surrogate pair at byte 8: \ud800 alone`},
		{`{"a":"\uDE00"}`, "a", `half of a surrogate pair`},
		{`{"a\udc00":1}`, "", `half of a surrogate pair`},
		{`{"a":"\uZZZZ"}`, "a", "not JSON at byte 6"},
		{`{"a":"\ud8`, "", "too early"},
		{"{\"a\":\"\x01\"}", "a", "not JSON"},
		{strings.Repeat("[", 101) + strings.Repeat("]", 101), "", "nested"},
		{strings.Repeat("[", 1<<20), "", ""},
		{strings.Repeat(`{"a":`, 101) + "1" + strings.Repeat("}", 101), "", "nested"},
	} {
		_, err := strictjson.Parse([]byte(tt.text))
		var refused *strictjson.Error
		if !errors.As(err, &refused) {
			t.Errorf("Parse(%.40q) error = %v, want a refusal", tt.text, err)
			continue
		}
		if refused.Path != tt.path && !strings.Contains(tt.text, strings.Repeat("[", 200)) || !strings.Contains(refused.Detail, tt.detail) {
			t.Errorf("Parse(%.40q) = %q, %q, want path %q, detail with %q", tt.text, refused.Path, refused.Detail, tt.path, tt.detail)
		}
		if len(refused.Error()) > 400 {
			t.Errorf("Parse(%.40q): the error has %d bytes", tt.text, len(refused.Error()))
		}
	}
}

func TestNestingUpToTheBoundIsTaken(t *testing.T) {
	text := strings.Repeat("[", strictjson.MaxDepth) + `"[[[{{{\"[["` + strings.Repeat("]", strictjson.MaxDepth)
	if _, err := strictjson.Parse([]byte(text)); err != nil {
		t.Errorf("Parse at depth %d: %v", strictjson.MaxDepth, err)
	}
}

func TestMembersAndElementsKeepTheirBytes(t *testing.T) {
	v, err := strictjson.Parse([]byte(" {\n\"a\" : \"x\\n\" ,\"\\u0062\":[ 1 , {\"}\":\"]\"},true,null ], \"c\":-1.50e3 }\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for name, member := range v.Members() {
		got = append(got, name+"="+string(member))
		for i, element := range member.Elements() {
			got = append(got, string(rune('0'+i))+string(element.Kind())+"="+string(element))
		}
	}
	want := []string{"a=\"x\\n\"", `b=[ 1 , {"}":"]"},true,null ]`, "00=1", `1{={"}":"]"}`, "2b=true", "3n=null", "c=-1.50e3"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("walk differs (-want +got):\n%s", diff)
	}
}

func TestIntTakesWholeNumbersOnly(t *testing.T) {
	for text, want := range map[string]bool{"0": true, "-12": true, "1.0": false, "1e2": false, `"1"`: false, "9223372036854775808": false} {
		v, err := strictjson.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := v.Int(); ok != want {
			t.Errorf("Int of %s is whole: %t, want %t", text, ok, want)
		}
	}
}

// FuzzParse holds that what is taken means the same to encoding/json, and that
// walking it neither panics nor loses a byte.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"type":"a","data":{"x":[1,2,{"y":"\u00e9\ud83d\ude00"}]}}`, `[]`, `[ 1 ,"]", {"}" : null } ]`, ` "a" `, `-0.1e5`, `{"":{}}`, `true`, "{\"a\":\"\xff\"}", `[[[`, `{"a":1,"a":2}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := strictjson.Parse(text)
		if err != nil {
			return
		}
		var want any
		if err := json.Unmarshal(text, &want); err != nil && !strings.Contains(err.Error(), "cannot unmarshal number") {
			t.Fatalf("taken, but encoding/json says %v", err)
		} else if err != nil {
			return // a number beyond float64
		}
		if diff := cmp.Diff(want, rebuild(t, v)); diff != "" {
			t.Errorf("the walk of %q differs (-want +got):\n%s", text, diff)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, text); err != nil || !bytes.Equal(compact.Bytes(), v.Compact()) {
			t.Errorf("Compact = %q, want %q", v.Compact(), compact.Bytes())
		}
	})
}

func rebuild(t *testing.T, v strictjson.Value) any {
	switch v.Kind() {
	case strictjson.Object:
		m := map[string]any{}
		for name, member := range v.Members() {
			m[name] = rebuild(t, member)
		}
		return m
	case strictjson.Array:
		a := []any{}
		for _, element := range v.Elements() {
			a = append(a, rebuild(t, element))
		}
		return a
	case strictjson.String:
		text, _ := v.Text()
		return text
	}
	var scalar any
	if err := json.Unmarshal(v, &scalar); err != nil {
		t.Fatalf("element %q: %v", v, err)
	}
	return scalar
}

var kilobyte = []byte(`{"type":"flight.booked","subject":"user-1","data":{"legs":[` + strings.Repeat(`{"from":"CDG","to":"JFK","price":410.5,"cabin":"economy"},`, 14) + `{"from":"A"}]}}`)

func BenchmarkParse(b *testing.B) {
	b.SetBytes(int64(len(kilobyte)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := strictjson.Parse(kilobyte); err != nil {
			b.Fatal(err)
		}
	}
}
