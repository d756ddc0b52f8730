package liquid

import (
	"fmt"
	"strings"
	"testing"
)

// drawn writes pieces on one line: text with its offset, outputs as their
// index, (a|b) for one of them, [a] for any number of times.
func drawn(pieces []Piece) string {
	var b strings.Builder
	for _, p := range pieces {
		var parts []string
		for _, part := range p.Parts {
			parts = append(parts, drawn(part))
		}
		switch p.Kind {
		case Literal:
			fmt.Fprintf(&b, "%s@%d ", p.Text, p.Offset)
		case Printed:
			fmt.Fprintf(&b, "#%d ", p.Output)
		case OneOf:
			b.WriteString("(" + strings.Join(parts, "|") + ")")
		case AnyTimes:
			b.WriteString("[" + strings.Join(parts, "") + "]")
		case Leaves:
			b.WriteString("leaves ")
		case Ends:
			b.WriteString("ends ")
		}
	}
	return b.String()
}

func TestPiecesAreWhatATemplateMayPrint(t *testing.T) {
	for _, tt := range []struct{ source, want string }{
		{"a{{ x }}b", "a@0 #0 b@8 "},
		{"{{ x }} {%- assign y = 1 -%}  b", "#0 b@30 "},
		{"{% if x %}a{% endif %}", "(a@10 |)"},
		{"{% if x %}a{% elsif y %}{{ b }}{% else %}c{% endif %}", "(a@10 |#0 |c@41 )"},
		{"{% unless x %}a{% endunless %}", "(a@14 |)"},
		{"{% case x %}{% when 1 %}a{% else %}b{% endcase %}", "[a@24 ][b@35 ]"},
		{"{% for i in x %}{{ i }}{% break %}{% continue %}{% endfor %}", "[#0 leaves leaves ]"},
		{"{% for i in x %}a{% else %}b{% endfor %}", "([a@16 ]|b@27 )"},
		{"{% ifchanged %}a{% endifchanged %}", "(a@15 |)"},
		{"{% cycle 'a', 1 %}{% cycle x, 'b' %}", "(a@0 |1@0 )#0 "},
		{"{% capture c %}a{{ x }}{% endcapture %}{{ c }}", "#1 "},
		{"{% raw %}{{ x }}{% endraw %}{% increment n %}", "{{ x }}@9 0@28 "},
		{"{% abort %}", "ends "},
		{"{% liquid\necho x\nif y\necho z\nendif %}", "#0 (#1 |)"},
		{"{% if x %} {% endif %}", "(|)"}, // space alone is not printed
	} {
		if got := drawn(parse(t, tt.source).Pieces()); got != tt.want {
			t.Errorf("%q: pieces %s, want %s", tt.source, got, tt.want)
		}
	}
}
