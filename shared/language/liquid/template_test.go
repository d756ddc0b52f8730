package liquid

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseErrorsNameThePlace(t *testing.T) {
	for _, tt := range []struct{ source, want string }{
		{"Hi\n{{ a }}\n{% if x %}{{ b | foo }}{% endif %}", `line 3, column 18: unknown filter "foo"`},
		{"é{{ a | foo }}", `line 1, column 9: unknown filter "foo"`},
		{"{% foo %}", `line 1, column 1: unknown tag "foo"; did you mean "for"?`},
		{"{% include 'a' %}", `line 1, column 1: unknown tag "include"`},
		{"{% render 'a' %}", `line 1, column 1: unknown tag "render"`},
		{"a }} b", `line 1, column 3: leftover }} closes nothing`},
		{"{{ a }} }}", `line 1, column 9: leftover }} closes nothing`},
		{"{{ a }}}}", `line 1, column 8: leftover }} closes nothing`},
		{`{"a": {{ a }} }}`, `line 1, column 15: leftover }} closes nothing`},
		{"100 %}", `line 1, column 5: leftover %} closes nothing`},
		{"a {{ b", `line 1, column 3: {{ is not closed: want }}`},
		{"a\n {% if b", `line 2, column 2: {% is not closed: want %}`},
		{"{{ a }", `line 1, column 1: {{ is not closed: want }}`},
		{"{% if a %}x", `line 1, column 1: if is not closed: want endif`},
		{"{% for a in b %}{% if c %}{% endfor %}{% endif %}", `line 1, column 27: endfor does not close if: want endif`},
		{"{% endfor %}", `line 1, column 1: endfor closes nothing`},
		{"{% else %}", `line 1, column 1: else stands outside of its block`},
		{"{% if a %}{% else if b %}{% endif %}", `line 1, column 11: else if is not a tag: write elsif`},
		{"{% raw %}", `line 1, column 1: raw is not closed: want endraw`},
		{"{% comment %}{% comment %}{% endcomment %}", `line 1, column 1: comment is not closed: want endcomment`},
		{"{% liquid\n  if a\n  echo b\n%}", `line 2, column 3: if is not closed: want endif`},
		{"{% liquid\n  assign a = 1\n  foo\n%}", `line 3, column 3: unknown tag "foo"; did you mean "for"?`},
		{"{{ 'a }}", `line 1, column 4: a string is not closed`},
		{"{{ a @ b }}", `line 1, column 6: unexpected character '@'`},
		{"{{ a b }}", `line 1, column 6: unexpected "b"`},
		{"{{ a. }}", `line 1, column 7: want a name`},
		{"{{ a[1 }}", `line 1, column 8: want ]`},
		{"{{ 'a' | append }}", `line 1, column 10: filter "append" has 0 arguments: want 1`},
		{"{{ 'a' | slice: 1, 2, 3 }}", `line 1, column 10: filter "slice" has 3 arguments: want 1 to 2`},
		{"{{ 'a' | append: b: 1 }}", `line 1, column 18: filter "append" has no argument named "b"`},
		{"{% assign a.b = 1 %}", `line 1, column 12: unexpected "."`},
		{"{% for a of b %}{% endfor %}", `line 1, column 10: want in, not "of"`},
		{"{% for a in b by: 2 %}{% endfor %}", `line 1, column 15: unknown attribute "by"`},
		{"{% case a %}{% when 1 and 2 %}{% endcase %}", `line 1, column 23: unexpected "and"`},
		{"{% if a == 1 && b %}{% endif %}", `line 1, column 14: unexpected character '&'`},
		{"{% %}", `line 1, column 1: want the name of a tag`},
		{strings.Repeat("x", MaxSource+1), `line 1, column 1: a template of 65537 bytes: at most 65536 are allowed`},
		{strings.Repeat("{% if a %}", 33) + strings.Repeat("{% endif %}", 33), `line 1, column 321: if is nested deeper than 32`},
		{"{{ " + strings.Repeat("a[", 33) + "1" + strings.Repeat("]", 33) + " }}", `line 1, column 68: brackets are nested deeper than 32`},
		{"{{ secrets.a }}", `line 1, column 4: a secret cannot be used here`},
	} {
		_, err := Parse(tt.source, Options{})
		var fault *Error
		if !errors.As(err, &fault) || err.Error() != tt.want {
			t.Errorf("Parse(%.60q) = %v, want %s", tt.source, err, tt.want)
		}
	}
}

func TestBracesOfTheTextAreNoLeftovers(t *testing.T) {
	for _, source := range []string{
		`{"a":{"b":{{ a }}}}`,
		`{"a":{"b":1}}`,
		`td {width:100%}`,
		`{% if a %}{"x":{"y":1}}{% else %}{"x":{"y":2}}{% endif %}`,
		`{"o":{ {% if a %}"x":1}}{% else %}"x":2}}{% endif %}`,
		`{"o":{ {% case a %}{% when 1 %}"x":1}}{% else %}"x":2}}{% endcase %}`,
		`{"o":{ {% for i in a %}"x":1}}{% else %}"x":2}}{% endfor %}`,
		`{% raw %}}} %} {{ {% {% endraw %}`,
		`{% comment %}}} %} {{ {% {% endcomment %}`,
		`{{ "{{" }}`,
	} {
		if _, err := Parse(source, Options{}); err != nil {
			t.Errorf("Parse(%q) = %v, want no error", source, err)
		}
	}
}

func TestThirtyTwoBlocksMayNest(t *testing.T) {
	source := strings.Repeat("{% if true %}", MaxNesting) + "x" + strings.Repeat("{% endif %}", MaxNesting)
	if got := render(t, source, ""); got != "x" {
		t.Errorf("renders %q, want x", got)
	}
}

func TestSecretsStandOnlyAlone(t *testing.T) {
	for _, source := range []string{
		"{{ secrets }}", "{{ secrets.a.b }}", "{{ secrets.a | upcase }}", "{{ secrets['a'] }}", "{{ ['secrets'].a }}",
		"{{ a | append: secrets.a }}", "{{ a[secrets.a] }}", "{% echo secrets.a %}", "{% assign x = secrets.a %}", "{% assign secrets = 1 %}",
		"{% capture secrets %}{% endcapture %}", "{% for secrets in a %}{% endfor %}", "{% for x in secrets %}{% endfor %}",
		"{% if secrets.a %}{% endif %}", "{% case secrets.a %}{% endcase %}", "{% increment secrets %}", "{% cycle secrets.a %}",
		"{% capture x %}{{ secrets.a }}{% endcapture %}", "{% ifchanged %}{{ secrets.a }}{% endifchanged %}",
		"{% tablerow secrets in a %}{% endtablerow %}", "{% abort secrets.a %}", "{{ (secrets.a..1) }}", "{% liquid\necho secrets.a %}",
	} {
		if _, err := Parse(source, Options{Secrets: true}); err == nil || !strings.Contains(err.Error(), "a secret ") {
			t.Errorf("Parse(%q) = %v, want a refusal of secrets", source, err)
		}
	}
}

func TestTemplatesTellWhatTheyContain(t *testing.T) {
	source := "a {{ data.x | upcase | json }}{% assign y = z.y %}{% for i in list %}{{ i }}{% endfor %}{{ y }}\n" +
		"{% capture c %}{{ data.y }}{% endcapture %}{{ secrets.k }}{% cycle 'a', 'b' %}{% cycle data, b %}{{ secrets.k }}"
	template, err := Parse(source, Options{Secrets: true})
	if err != nil {
		t.Fatal(err)
	}
	outputs := []Output{
		{1, 3, "data.x | upcase | json", "json", "", false},
		{1, 70, "i", "", "", false},
		{1, 89, "y", "", "", false},
		{2, 16, "data.y", "", "", true},
		{2, 44, "secrets.k", "", "k", false},
		{2, 79, "data, b", "", "", false},
		{2, 98, "secrets.k", "", "k", false},
	}
	if diff := cmp.Diff(outputs, template.Outputs()); diff != "" {
		t.Errorf("Outputs (-want +got):\n%s", diff)
	}
	roots := []Root{{"data", 1, 6}, {"z", 1, 45}, {"list", 1, 63}, {"b", 2, 94}}
	if diff := cmp.Diff(roots, template.Roots()); diff != "" {
		t.Errorf("Roots (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"k"}, template.Secrets()); diff != "" {
		t.Errorf("Secrets (-want +got):\n%s", diff)
	}
	if template.Prefix() != "a " || template.Source() != source {
		t.Errorf("Prefix = %q, Source = %q", template.Prefix(), template.Source())
	}
}

func TestConstantAndLoneTemplates(t *testing.T) {
	for _, tt := range []struct {
		source         string
		constant, lone bool
	}{
		{"", true, false},
		{"plain", true, false},
		{"{{ a }}", false, true},
		{"{{- a | json -}}", false, true},
		{" {{ a }}", false, false},
		{"{{ a }}{{ b }}", false, false},
		{"{{ secrets.a }}", false, false},
		{"{% comment %}{% endcomment %}{{ a }}", false, false},
		{"{% if a %}{% endif %}", false, false},
		{"a{% comment %}b{% endcomment %}c", false, false}, // its source is not what it prints
		{"a{%- # b %}", false, false},
		{"{% raw %}{{ a }}{% endraw %}", false, false},
	} {
		template, err := Parse(tt.source, Options{Secrets: true})
		if err != nil {
			t.Fatal(err)
		}
		if template.Constant() != tt.constant || template.Lone() != tt.lone {
			t.Errorf("%q: Constant %v, Lone %v, want %v, %v", tt.source, template.Constant(), template.Lone(), tt.constant, tt.lone)
		}
	}
}
