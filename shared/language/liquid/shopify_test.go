package liquid

import (
	"errors"
	"strings"
	"testing"
)

// Facts about Shopify's Liquid 5.13 that templates from elsewhere may rely on.
func TestTemplatesFromElsewhereMeanTheSame(t *testing.T) {
	const data = `{"l":[1,2,3,4],"s":"x","missing":null,"o":{"a":1}}`
	for _, tt := range []struct{ source, want string }{
		{"a{% doc %}{% if {{ x {% raw %}{% enddoc %}b", "ab"},
		{"a {%- doc -%} x {%- enddoc -%} b", "ab"},
		{"{% doc %}{% enddocs %}x{% enddoc y %}b", "b"},
		{"{% liquid\ndoc\n if {{\nenddoc\necho 1 %}", "1"},
		{"{% for i in l limit: 2 %}{{ i }}{% endfor %}-{% for i in l offset:continue offset:0 %}{{ i }}{% endfor %}", "12-1234"},
		{"{% for i in l limit: 2 %}{{ i }}{% endfor %}-{% for i in l offset:0 offset:continue %}{{ i }}{% endfor %}", "12-34"},
		{"{{ 'straße ﬁ ŉ' | upcase }}", "STRASSE FI ʼN"},
		{"{{ 'ß' | upcase }}{{ 'ßA' | capitalize }}{{ 'ﬁX' | capitalize }}{{ 'ǆ' | capitalize }}", "SSSsaFixǅ"},
		{"{{ 'İIÉ' | downcase }}|{{ 'aİ' | capitalize }}", "i\u0307ié|Ai\u0307"},
		{"{{ 3 | sort: 'id' | json }}{{ 3 | sort_natural: 'id' | json }}{{ 3 | uniq: 'id' | json }}", "[3][3][3]"},
		{"{{ (2..1) | first }}{{ (2..1) | last }}{{ (2..1) | default: 'd' }}{{ (2..1) | size }}", "212..10"},
		{"{{ '1_000' | plus: 1 }} {{ '1__0' | plus: 1 }} {{ '_1' | plus: 1 }}", "1001 2 1"},
		{"{{ s | where: missing }}{{ s | reject: missing }}{{ o | map: missing | json }}", "[null]"},
	} {
		if got := render(t, tt.source, data); got != tt.want {
			t.Errorf("%q renders %q, want %q", tt.source, got, tt.want)
		}
	}
	for source, about := range map[string]string{
		"{{ s | map: missing }}": "cannot select the property", "{{ s | has: missing }}": "cannot select the property",
		"{{ 1 | find: missing }}": "cannot select the property", "{{ l | sort: 'id' }}": "cannot select the property",
	} {
		_, err := parse(t, source).Render(scope(t, data))
		if fault := new(Error); !errors.As(err, &fault) || !strings.Contains(err.Error(), about) {
			t.Errorf("%q: %v, want an error about %q", source, err, about)
		}
	}
	for source, about := range map[string]string{
		"{% doc %}{% doc %}{% enddoc %}": "doc cannot be used inside doc", "{% doc x %}{% enddoc %}": `unexpected "x"`, "{% doc %}": "doc is not closed: want enddoc",
		"{% liquid\ndoc %}": "doc is not closed",
	} {
		if _, err := Parse(source, Options{}); err == nil || !strings.Contains(err.Error(), about) {
			t.Errorf("%q: %v, want an error about %q", source, err, about)
		}
	}
}

// What differs on purpose; docs/templates.md says the same.
func TestKnownDifferencesFromShopify(t *testing.T) {
	for _, tt := range []struct{ source, want string }{
		{"{% comment %}{% {{ {%- endcomment %}x", "x"},                  // Ruby refuses an open tag in a comment
		{"{{ 0 | times: -1.5 }}", "0.0"},                                // Ruby: -0.0
		{"{{ 1700000000000 | date: '%Y' }}", "1700000000000"},           // Ruby: the year 55840
		{"{{ 1700000000000 | divided_by: 1000 | date: '%Y' }}", "2023"}, // the cure
		{"{{ '10..10' | date: '%d' }}", "10..10"},                       // Ruby: the 10th
		{"{{ self.data }}", ""},                                         // Ruby: data
		{"{{ big | times: 1.5 }}", "1500000000000000.0"},
	} {
		if got := render(t, tt.source, `{"data":1,"big":1e15}`); got != tt.want {
			t.Errorf("%q renders %q, want %q", tt.source, got, tt.want)
		}
	}
	for _, source := range []string{"{{ 1 | divided_by: 0.0 }}", "{{ 1 | modulo: 0.0 }}", "{{ 'abc' | has: 1.5 }}"} {
		if _, err := parse(t, source).Render(scope(t, `{}`)); err == nil {
			t.Errorf("%q renders, want an error", source)
		}
	}
}
