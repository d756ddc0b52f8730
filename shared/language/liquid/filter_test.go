package liquid

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

// oddValues are what filters like least.
func oddValues(t *testing.T) []Value {
	decoded, err := Decode([]byte(`[99999999999999999999999,-99999999999999999999999,1.5,-0.0,1e308,1e400,-1e400,5e-324,[],[[],[null,[1]]],
		[3,"a",{"a":1}],{},{"a":{"b":[]},"size":null},[{"a":2},{"a":1},{}],["b","A",null],"\u0000","\ud83d\ude00x"]`))
	if err != nil {
		t.Fatal(err)
	}
	return append([]Value{
		Null, Bool(true), Bool(false), Int(0), Int(-1), Int(3), Int(math.MaxInt64), Int(math.MinInt64),
		String(""), String(" "), String("a"), String("é\xff<b>&amp;"), String("-3.25"), String("12abc"), String("now"),
		String("2026-01-02 03:04 pm +0530"), String("%10N%-d%:z%s%Q%"), String(strings.Repeat("9", 500)), String(strings.Repeat("x ", 300)),
		rangeOf(1, 3), rangeOf(3, 1), rangeOf(math.MinInt64, math.MaxInt64),
		{kind: kindForLoop, ref: &forLoop{length: 1}}, {kind: kindTableLoop, ref: &tableLoop{}}, {kind: kindEmpty}, {kind: kindBlank},
	}, decoded.items()...)
}

// TestNoFilterPanics gives every filter every odd value, with every pair of them as arguments.
func TestNoFilterPanics(t *testing.T) {
	odd := oddValues(t)
	template := parse(t, "")
	for _, f := range filters {
		for _, in := range odd {
			for i, a := range odd {
				for j, b := range odd {
					n := min(f.most, 2)
					if n < 2 && j > 0 || n < 1 && i > 0 {
						break
					}
					r := template.start(Scope{Budget: NewBudget(Limits{Steps: 5000, Memory: 64 << 10})})
					v, err := f.apply(r, in, []Value{a, b}[:n:n])
					if err == nil && r.printValue(v) == nil && r.measure(v) == nil {
						v.AppendJSON(nil)
					}
					r.finish()
				}
			}
		}
	}
}

// TestNoComparisonPanics does the same with operators, paths, loops and cases.
func TestNoComparisonPanics(t *testing.T) {
	template := parse(t, `{% if a == b %}1{% endif %}{% if a contains b %}2{% endif %}{{ a[b] }}{{ a.size }}{{ a.first }}{{ a.last }}{{ [a] }}`+
		`{% case a %}{% when b %}3{% endcase %}{% cycle a: b %}{% if a == empty or a == blank %}4{% endif %}`)
	failing := []string{
		"{% if a < b %}{% endif %}", "{% for i in (a..b) limit: 2 %}{{ i }}{% endfor %}", "{% for i in a limit: b offset: b %}{{ i }}{% endfor %}",
		"{% tablerow i in a cols: b limit: b offset: b %}{{ i }}{% endtablerow %}", "{% increment a %}", "{% abort a %}",
	}
	for _, a := range oddValues(t) {
		for _, b := range oddValues(t) {
			s := Scope{Vars: map[string]Value{"a": a, "b": b}}
			if _, err := template.Render(s); err != nil {
				t.Errorf("%s and %s: %v", a.Text(), b.Text(), err)
			}
			for _, source := range failing {
				_, err := parse(t, source).Render(s)
				var fault *Error
				var abort *Abort
				if err != nil && !errors.As(err, &fault) && !errors.As(err, &abort) {
					t.Errorf("%q with %s and %s: %#v is none of our errors", source, a.Text(), b.Text(), err)
				}
			}
		}
	}
}

func TestNumbersStayWhatTheyAre(t *testing.T) {
	data := `{"id":9007199254740993,"big":123456789012345678901234567890,"price":10.50,"zero":0}`
	for _, tt := range []struct{ source, want string }{
		{"{{ id }} {{ id | plus: 1 }} {{ id | times: 1 }}", "9007199254740993 9007199254740994 9007199254740993"},
		{"{{ big }} {{ big | plus: 1 }} {{ big | divided_by: 10 }}", "123456789012345678901234567890 123456789012345678901234567891 12345678901234567890123456789"},
		{"{{ 9223372036854775807 | plus: 1 }} {{ -9223372036854775808 | minus: 1 }}", "9223372036854775808 -9223372036854775809"},
		{"{{ 4611686018427387904 | times: 2 }} {{ 9223372036854775808 | minus: 1 }}", "9223372036854775808 9223372036854775807"},
		{"{{ -7 | divided_by: 2 }} {{ -7 | modulo: 2 }} {{ 7 | modulo: -2 }} {{ -9223372036854775808 | divided_by: -1 }}", "-4 1 -1 9223372036854775808"},
		{"{{ price }} {{ price | times: 3 }} {{ 0.1 | plus: 0.2 }} {{ 10.1 | minus: 2.2 }}", "10.50 31.5 0.3 7.9"},
		{"{{ 123456789.123456789 | times: 1000 }} {{ 1 | divided_by: 3.0 }} {{ -5.5 | modulo: 2 }}", "123456789123.45679 0.3333333333333333 0.5"},
		{"{{ 1.25 | round: 1 }} {{ -1.5 | round }} {{ 2.5 | round }} {{ 1250 | round: -2 }} {{ 1.5 | round: 300 }}", "1.3 -2 3 1300 1.5"},
		{"{{ 100000000000000000.0 | plus: 0 }} {{ 0.00001 | plus: 0 }} {{ 8.0 }}", "1.0e+17 1.0e-05 8.0"},
		{"{{ big | at_most: 5 }} {{ big | at_least: 5.5 }} {{ '3.7' | floor }} {{ -0.5 | ceil }}", "5 123456789012345678901234567890 3 0"},
		{"{% if id == 9007199254740992.0 %}same{% else %}different{% endif %} {% if big > 1.5 %}larger{% endif %}", "different larger"},
		{"{{ (1.9..3.9) | join }}", "1 2 3"},
		{"{{ 12345.6789 | times: 98765.4321 }} {{ 1048577.75 | times: 8388609.125 }}", "1219326311.1263528 8796108881921.969"},
	} {
		if got := render(t, tt.source, data); got != tt.want {
			t.Errorf("%q renders %q, want %q", tt.source, got, tt.want)
		}
	}
}

func TestFiltersForCallbacks(t *testing.T) {
	data := `{"s":"a \"b\"\n</c>","o":{ "x" : [ 1.0, null ] },"u":"\u00e9","l":["a","b",7]}`
	for _, tt := range []struct{ source, want string }{
		{"{{ s | json }}", `"a \"b\"\n</c>"`},
		{"{{ o | json }}", `{"x":[1.0,null]}`},
		{"{{ u | json }} {{ u | upcase | json }}", `"\u00e9" "É"`},
		{"{{ nothing | json }}{{ 1 | json }}{{ (1..3) | json }}", "null1[1,2,3]"},
		{"{{ 'abc' | sha256 }}", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"{{ 'what do ya want for nothing?' | hmac_sha256: 'Jefe' }}", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{"{{ 'a b&c/ü~*' | url_encode }} {{ 'a+b%26%zz%' | url_decode }}", "a+b%26c%2F%C3%BC~%2A a b&%zz%"},
		{"{{ 'a?>' | base64_url_safe_encode }} {{ 'YT8-' | base64_url_safe_decode }} {{ 'YQ' | base64_url_safe_decode }}", "YT8- a?> a"},
		{"{{ ' a  b ' | squish }}|{{ '&lt;&#39;&x' | escape_once }}", "a b|&lt;&#39;&amp;x"},
		{"{{ l | find_index: 'b' }} {{ l | has: 'b' }} {{ l | find: 'b' }}", "1 true b"}, // 7 has no property "b", but is not reached
		{"{{ 'a<script>b</script>c<!-- d' | strip_html }}", "ac<!-- d"},
	} {
		if got := render(t, tt.source, data); got != tt.want {
			t.Errorf("%q renders %q, want %q", tt.source, got, tt.want)
		}
	}
}

func TestDatesAreReadAsPeopleWriteThem(t *testing.T) {
	now := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, tt := range []struct{ text, want string }{
		{"now", "2026-02-03T04:05:06 +0000"},
		{"Today", "2026-02-03T04:05:06 +0000"},
		{"0", "1970-01-01T00:00:00 +0000"},
		{"1152098955", "2006-07-05T11:29:15 +0000"},
		{"2024-02-29", "2024-02-29T00:00:00 +0000"},
		{"2024-02-29T10:20:30Z", "2024-02-29T10:20:30 +0000"},
		{"2024-02-29T10:20:30.123+02:00", "2024-02-29T10:20:30 +0200"},
		{"2024-02-29 10:20 -0530", "2024-02-29T10:20:00 -0530"},
		{"20240229T102030", "2024-02-29T10:20:30 +0000"},
		{"20160102T030405Z", "2016-01-02T03:04:05 +0000"},
		{"20160102T0304+0200", "2016-01-02T03:04:00 +0200"},
		{"20160102T030405.5-05:00", "2016-01-02T03:04:05 -0500"},
		{"20161302T030405Z", ""}, {"20160102T03040", ""},
		{"2024-060", "2024-02-29T00:00:00 +0000"}, {"2024-366", "2024-12-31T00:00:00 +0000"}, {"2023-366", ""}, {"2024-000", ""},
		{"2024-01-02T03:04:05+01:00[Europe/Berlin]", "2024-01-02T03:04:05 +0100"},
		{"2024-01-02T03:04:05Z[UTC]", "2024-01-02T03:04:05 +0000"},
		{"2024-01-02T03:04:05[Europe/Berlin]", ""}, // a name alone says nothing without a table of zones
		{"1700000000000", ""}, // milliseconds
		{"Thu, 29 Feb 2024 10:20:30 GMT", "2024-02-29T10:20:30 +0000"},
		{"March 14, 2016", "2016-03-14T00:00:00 +0000"},
		{"Mar 14th 2016 10:30 pm", "2016-03-14T22:30:00 +0000"},
		{"14 march 2016 at 12am", "2016-03-14T00:00:00 +0000"},
		{"14-Mar-16", "2016-03-14T00:00:00 +0000"},
		{"14/03/2016", "2016-03-14T00:00:00 +0000"},
		{"2016/03", "2016-03-01T00:00:00 +0000"},
		{"March 2016", "2016-03-01T00:00:00 +0000"},
		{"March 14", "2026-03-14T00:00:00 +0000"},
		{"10:30 EST", "2026-02-03T10:30:00 -0500"},
		{"2023-02-29", ""}, {"2016-13-01", ""}, {"2016-01-01 25:00", ""}, {"13pm", ""}, {"hello", ""}, {"order 5", ""}, {"", ""}, {"-1152098955", ""},
	} {
		got, ok := parseDate(tt.text, now)
		if text := got.Format("2006-01-02T15:04:05 -0700"); ok != (tt.want != "") || ok && text != tt.want {
			t.Errorf("parseDate(%q) = %s, %v, want %q", tt.text, text, ok, tt.want)
		}
	}
}

func TestDatesAreFormattedAsRubyDoes(t *testing.T) {
	data := `{"t":"2024-02-09T03:04:05.678901234Z","z":"2024-02-09T23:04:05+05:30"}`
	for _, tt := range []struct{ format, want string }{
		{"%Y-%m-%d %H:%M:%S", "2024-02-09 03:04:05"},
		{"%-d/%-m/%y %e|%_m|%k|%l|%I %p %P %#p", "9/2/24  9| 2| 3| 3|03 AM am am"},
		{"%A %a %^a %B %b %h %^B %10A|%-A", "Friday Fri FRI February Feb Feb FEBRUARY     Friday|Friday"},
		{"%j %U %W %V %G %g %u %w %C", "040 05 06 06 2024 24 5 5 20"},
		{"%L %N %3N %6N %12N %s", "678 678901234 678 678901 678901234000 1707447845"},
		{"%z %:z %::z %Z %c|%D|%F|%T|%R|%r|%v|%x|%X", "+0000 +00:00 +00:00:00 UTC Fri Feb  9 03:04:05 2024|02/09/24|2024-02-09|03:04:05|03:04|03:04:05 AM| 9-FEB-2024|02/09/24|03:04:05"},
		{"%05d|%_5d|%%|%n|%t|%Q|%", "00009|    9|%|\n|\t|%Q|%"},
		{"%+|%#Z|%:::z|%_z|%_10z|%10z", "Fri Feb  9 03:04:05 UTC 2024|utc|+00| +000|      +000|+000000000"},
	} {
		if got := render(t, "{{ t | date: '"+tt.format+"' }}", data); got != tt.want {
			t.Errorf("%s formats as %q, want %q", tt.format, got, tt.want)
		}
	}
	if got := render(t, "{{ z | date: '%H %z %s %Z' }} {{ 'now' | date: '%F' }}", data); got != "23 +0530 1707500045  2026-02-03" {
		t.Errorf("formats as %q", got)
	}
	if got := render(t, "{{ z | date: '%:::z|%_10z|%+' }}", data); got != "+05:30|      +530|Fri Feb  9 23:04:05  2024" {
		t.Errorf("an offset formats as %q", got)
	}
}

func TestDatesAreShownInATimeZone(t *testing.T) {
	data := `{"t":"2026-03-29T00:30:00Z","later":"2026-03-29T01:30:00Z","n":1774744200,"tz":"America/New_York","none":null,"wrong":"Mars/Base","word":"soon"}`
	for _, tt := range []struct{ template, want string }{
		{`{{ t | date: "%d.%m.%Y %H:%M %Z", "Europe/Rome" }}`, "29.03.2026 01:30 CET"},
		{`{{ later | date: "%H:%M %Z %z", "Europe/Rome" }}`, "03:30 CEST +0200"},
		{`{{ n | date: "%F %R", tz }}`, "2026-03-28 20:30"},
		{`{{ t | date: "%R", none }}`, "00:30"},
		{`{{ word | date: "%R", tz }}`, "soon"},
		{`{{ t | time_zone: "Asia/Tokyo" }}`, "2026-03-29T09:30:00+09:00"},
		{`{{ later | time_zone: "Europe/Rome" | date: "%H:%M" }}`, "03:30"},
		{`{{ word | time_zone: tz }}{{ none | time_zone: tz }}`, "soon"},
		{`{{ t | time_zone: none }}`, "2026-03-29T00:30:00Z"},
	} {
		if got := render(t, tt.template, data); got != tt.want {
			t.Errorf("%s renders as %q, want %q", tt.template, got, tt.want)
		}
	}
	for _, wrong := range []string{`{{ t | date: "%R", "Europe/Rom" }}`, `{{ t | time_zone: "Local" }}`} {
		if _, err := Parse(wrong, Options{}); err == nil || !strings.Contains(err.Error(), `want a name such as "Europe/Rome"`) {
			t.Errorf("%s is parsed with %v, want the zone refused", wrong, err)
		}
	}
	if _, err := parse(t, `{{ t | date: "%R", wrong }}`).Render(scope(t, data)); err == nil || !strings.Contains(err.Error(), `there is no time zone "Mars/Base"`) {
		t.Errorf("a zone of the data that does not exist renders with %v, want an error that names it", err)
	}
}
