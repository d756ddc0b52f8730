package liquid

import (
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// scope decodes an object into variables.
func scope(tb testing.TB, data string) Scope {
	tb.Helper()
	vars := map[string]Value{}
	if data != "" {
		v, err := Decode([]byte(data))
		if err != nil {
			tb.Fatal(err)
		}
		for name, member := range v.Members() {
			vars[name] = member
		}
	}
	return Scope{Vars: vars, Now: time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)}
}

func render(tb testing.TB, source, data string) string {
	tb.Helper()
	text, err := parse(tb, source).Render(scope(tb, data))
	if err != nil {
		tb.Errorf("render %q: %v", source, err)
	}
	return text
}

func parse(tb testing.TB, source string) *Template {
	tb.Helper()
	template, err := Parse(source, Options{Secrets: true})
	if err != nil {
		tb.Fatal(err)
	}
	return template
}

func TestALoneOutputKeepsItsType(t *testing.T) {
	data := `{"n":12345678901234567890123, "i":7, "price":10.50, "e":1e2, "legs":[ {"to":"LIS" , "s":"\u00e9\/"} ], "s":"x", "b":false, "l":[3,1,2]}`
	for _, tt := range []struct{ source, want string }{
		{"{{ n }}", "12345678901234567890123"},
		{"{{ i }}", "7"},
		{"{{ i | plus: 1 }}", "8"},
		{"{{ price }}", "10.50"},
		{"{{ e }}", "1e2"},
		{"{{ legs }}", `[ {"to":"LIS" , "s":"\u00e9\/"} ]`},
		{"{{ legs[0].s }}", `"\u00e9\/"`},
		{"{{ legs | json }}", `"[{\"to\":\"LIS\",\"s\":\"\\u00e9\\/\"}]"`},
		{"{{ legs | map: 'to' }}", `["LIS"]`},
		{"{{ l | sort }}", "[1,2,3]"},
		{"{{ (1..3) }}", "[1,2,3]"},
		{"{{ b }}", "false"},
		{"{{ nothing }}", "null"},
		{"{{ s }}!", `"x!"`},
		{"plain", `"plain"`},
	} {
		v, err := parse(t, tt.source).Eval(scope(t, data))
		if got := string(v.AppendJSON(nil)); got != tt.want || err != nil {
			t.Errorf("Eval(%q) = %s, %v, want %s", tt.source, got, err, tt.want)
		}
	}
}

func TestSecretsAreSegmentsThatDataCannotForge(t *testing.T) {
	template := parse(t, "Bearer {{ data }}{% for i in (1..2) %}<{{ secrets.key }}>{% endfor %}{{ [name].key }}")
	data := `{"data":"{{ secrets.key }}","name":"secrets","secrets":{"key":"forged"}}`
	got, err := template.Segments(scope(t, data))
	if err != nil {
		t.Fatal(err)
	}
	want := []Segment{{Text: "Bearer {{ secrets.key }}<"}, {Secret: "key"}, {Text: "><"}, {Secret: "key"}, {Text: ">"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Segments (-want +got):\n%s", diff)
	}
	if _, err := template.Render(scope(t, data)); err == nil {
		t.Error("Render of a template with secrets succeeds, want an error")
	}
}

func TestEscapeGetsEveryOutputAndNoLiteral(t *testing.T) {
	var before []string
	s := scope(t, `{"id":"../a?b=1#c", "l":["x/y","?"], "none":null}`)
	s.Escape = func(_ int, rendered []byte, text string) (string, error) {
		before = append(before, string(rendered))
		return url.PathEscape(text), nil
	}
	source := "/u/{{ id }}/{% capture c %}{{ id }}{% endcapture %}{% for i in l %}{{ i }}/{% endfor %}{% cycle id, 'x' %}" +
		"{% cycle 'p/q' %}{% increment n %}{{ none }}{{ c }}{% echo id %}"
	got, err := parse(t, source).Render(s)
	id := "..%2Fa%3Fb=1%23c"
	if want := "/u/" + id + "/x%2Fy/%3F/" + id + "p/q0" + id + id; got != want || err != nil {
		t.Errorf("renders %q, %v, want %q", got, err, want)
	}
	if len(before) != 7 || before[0] != "/u/" || before[1] != "/u/"+id+"/" {
		t.Errorf("Escape saw %q", before)
	}
}

func TestAnErrorOfEscapeEndsTheRender(t *testing.T) {
	missing := errors.New("nothing to print")
	s := scope(t, "")
	s.Escape = func(_ int, _ []byte, text string) (string, error) {
		if text == "" {
			return "", missing
		}
		return text, nil
	}
	_, err := parse(t, "/a/{{ user }}").Render(s)
	if !errors.Is(err, missing) || err.Error() != "line 1, column 4: nothing to print" {
		t.Errorf("Render = %v, want %v with its place", err, missing)
	}
}

func TestAbortEndsTheRender(t *testing.T) {
	for _, tt := range []struct{ source, want string }{
		{"a{% if true %}{% abort %}{% endif %}b", ""},
		{"a{% abort 'no ' | append: 'stock' %}", "no stock"},
		{"{% for i in (1..3) %}{% capture x %}{% abort i %}{% endcapture %}{% endfor %}", "1"},
		{"{% abort '" + strings.Repeat("é", 300) + "' %}", strings.Repeat("é", maxReason)},
	} {
		text, err := parse(t, tt.source).Render(Scope{})
		var abort *Abort
		if !errors.As(err, &abort) || abort.Message != tt.want || text != "" {
			t.Errorf("%q renders %q, %v, want an abort with %q", tt.source, text, err, tt.want)
		}
	}
}

func TestRenderErrorsNameThePlace(t *testing.T) {
	for _, tt := range []struct{ source, want string }{
		{"a\n{{ 1 | divided_by: 0 }}", "line 2, column 8: divided by 0"},
		{"{% if 1 < 'a' %}{% endif %}", "line 1, column 7: cannot compare a number with a string"},
		{"{% for i in (1..3) limit: 'x' %}{% endfor %}", "line 1, column 1: want an integer"},
		{"{% assign a = 'x' | slice: 'y' %}", "line 1, column 21: want an integer"},
		{"{{ 'x' | concat: 1 }}", "line 1, column 10: concat wants an array as its argument"},
		{"{{ '*' | base64_decode }}", "line 1, column 10: base64_decode wants base64"},
		{"{{ 0 | date: '%1000d' }}", "line 1, column 8: a width of more than 100 in a date format"},
	} {
		s := scope(t, `{"now":"2026-01-01"}`)
		if _, err := parse(t, tt.source).Render(s); err == nil || err.Error() != tt.want {
			t.Errorf("Render(%q) = %v, want %s", tt.source, err, tt.want)
		}
	}
}

func TestBudgetsAreNamedWhenTheyAreUsedUp(t *testing.T) {
	loop := "{% for i in (1..100000) %}{% endfor %}"
	for _, tt := range []struct {
		limits Limits
		source string
		want   string
	}{
		{Limits{Steps: 100}, loop, "line 1, column 1: over the budget of 100 steps"},
		{Limits{Output: 9}, "{{ '1234567890' }}", "line 1, column 1: over the output budget of 9 bytes"},
		{Limits{Output: 9}, "1234567890", "line 1, column 1: over the output budget of 9 bytes"},
		{Limits{Memory: 9}, "{{ 'abcde' | append: 'fghij' }}", "line 1, column 14: over the memory budget of 9 bytes for variables"},
		{Limits{Time: 1}, loop, "line 1, column 1: over the time budget of 1ns"},
	} {
		_, err := parse(t, tt.source).Render(Scope{Budget: NewBudget(tt.limits)})
		var budget *BudgetError
		if !errors.As(err, &budget) || err.Error() != tt.want {
			t.Errorf("%+v: Render(%q) = %v, want %s", tt.limits, tt.source, err, tt.want)
		}
	}
}

func TestRendersShareOneBudget(t *testing.T) {
	template := parse(t, "{{ 'abc' }}")
	for _, limits := range []Limits{{Steps: 20}, {Output: 20}} {
		budget := NewBudget(limits)
		var err error
		renders := 0
		for ; err == nil && renders < 100; renders++ {
			_, err = template.Render(Scope{Budget: budget})
		}
		var used *BudgetError
		if !errors.As(err, &used) || renders < 2 {
			t.Errorf("%+v: %d renders end with %v, want a few and then a budget error", limits, renders, err)
		}
	}
	lone, budget := parse(t, "{{ big }}"), NewBudget(Limits{Output: 100})
	s := Scope{Vars: map[string]Value{"big": String(strings.Repeat("x", 60))}, Budget: budget}
	if _, err := lone.Eval(s); err != nil {
		t.Errorf("the first Eval: %v", err)
	}
	if _, err := lone.Eval(s); err == nil {
		t.Error("the second Eval is within the output budget, want it to be over")
	}
}

func TestTheItemOfALoopHidesWhatWasAssigned(t *testing.T) {
	for _, tt := range []struct{ source, want string }{
		{"{% for x in (1..2) %}{{ x }}{% assign x = 'a' %}{{ x }} {% endfor %}{{ x }}", "11 22 a"},
		{"{% for i in (1..2) %}{% for i in (7..8) %}{{ i }}{% endfor %}{{ i }} {% endfor %}{{ i }}", "781 782 g"},
		{"{% for i in (1..2) %}{% increment i %}{{ i }} {% endfor %}{{ i }}{% increment j %}{{ j }}", "01 12 201"},
		{"{% assign n = 5 %}{% increment n %}{% increment n %}{{ n }}{% decrement n %}", "0151"},
		{"{% decrement l %} {{ l }} {% increment l %} {{ l }}", "-1 -1 -1 0"},
		{"{% for x in l %}{% assign y = x %}{% endfor %}{{ y }}{{ x }}{% assign l = nil %}{{ l }}", "b"},
	} {
		data := `{"l":["a","b"]}`
		if tt.want == "781 782 g" {
			data = `{"i":"g"}`
		}
		if got := render(t, tt.source, data); got != tt.want {
			t.Errorf("%q renders %q, want %q", tt.source, got, tt.want)
		}
	}
}

func TestDelimitersTrimTheTextBesideThem(t *testing.T) {
	for _, tt := range []struct{ source, want string }{
		{"a {{-}} b", "ab"},
		{"a {{- 1 }} b", "a1 b"},
		{"a {{ 1 -}}\n b", "a 1b"},
		{"a {%- assign x = 1 -%} b", "ab"},
		{"a {% comment -%} c {%- endcomment -%} b", "a b"},
		{"a {%- raw -%} c {%- endraw -%} b", "a c b"},
		{"a{% if true %} {% assign x = 1 %} {% endif %}b", "ab"},
	} {
		if got := render(t, tt.source, ""); got != tt.want {
			t.Errorf("%q renders %q, want %q", tt.source, got, tt.want)
		}
	}
}

func TestConcurrentRendersOfOneTemplateAgree(t *testing.T) {
	template := compileBench(t, richTemplate)
	shared := benchScope(t)
	want, err := template.Render(shared)
	if err != nil {
		t.Fatal(err)
	}
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for range 50 {
				if got, err := template.Render(shared); got != want || err != nil {
					t.Errorf("renders %q, %v, want %q", got, err, want)
				}
			}
		})
	}
	workers.Wait()
}

func TestARenderLeavesNothingForTheNext(t *testing.T) {
	source := "{{ a }}{% assign a = 'x' %}{% increment n %}{% cycle 1, 2 %}{% ifchanged %}y{% endifchanged %}" +
		"{% for i in (1..4) limit: 2 %}{{ i }}{% endfor %}{% for i in (1..4) offset: continue %}{{ i }}{% endfor %}"
	template := parse(t, source)
	for range 3 {
		if got, err := template.Render(Scope{}); got != "01y1234" || err != nil {
			t.Errorf("renders %q, %v, want 01y1234", got, err)
		}
		failing := parse(t, "{% for i in (1..3) %}{% assign a = 'y' %}{{ 1 | divided_by: 0 }}{% endfor %}")
		if _, err := failing.Render(Scope{}); err == nil {
			t.Error("division by 0 succeeds")
		}
	}
}
