package render_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/webhook"
)

func TestWhatAURLPrintsByItselfIsJudgedWhenSaved(t *testing.T) {
	const host = "https://a.example"
	for _, tt := range []struct{ url, about string }{
		{"/users/{{ subject }}/café", `line 1, column 42: want a URL: write "é" as %C3%A9`},
		{"/a%2Fb/{{ subject }}/é", "%C3%A9"},
		{"/a b/{{ subject }}", `" " as %20`},
		{"/{{ subject }}?q=a b", `" " as %20`},
		{"/{{ subject }}\n", "control characters"},
		{"/{{ subject }}/%zz", "write %25"},
		{"/{{ subject }}?q=%zz", "write %25"},
		{"/{{ subject }}?q=100%", "write %25"},
		{"/{{ subject }}?q=%{{ data.x }}", "write %25"},
		{"/{{ subject }}?q=%4{{ data.x }}", "write %25"},
		{"/{{ subject }}?q=a|b", "%7C"},
		{`/{{ subject }}?q="a"`, "%22"},
		{"/{{ subject }}?q=<a", "%3C"},
		{"/{{ subject }}?q=a>", "%3E"},
		{`/{{ subject }}\x`, "%5C"},
		{"/{{ subject }}?q={a}", "%7B"},
		{"/{{ subject }}#top", "fragment"},
		{"/{{ subject }}?a=1#", "fragment"},
		{"#{{ subject }}", "scheme, host and port"},
		{"/{% if subject %}é{% endif %}", "%C3%A9"},
		{"/{% if subject %}a{% elsif data %}b{% else %}é{% endif %}", "%C3%A9"},
		{"/{% unless subject %}a b{% endunless %}", "%20"},
		{"/{% case subject %}{% when 'a' %}x{% else %}#{% endcase %}", "fragment"},
		{"/{% for i in data.l %}a b{% endfor %}", "%20"},
		{"/{% for i in data.l %}a{% else %}é{% endfor %}", "%C3%A9"},
		{"/{% ifchanged %}é{% endifchanged %}", "%C3%A9"},
		{"/{% cycle 'a', 'é' %}", "%C3%A9"},
		{"/{% raw %}{{x}}{% endraw %}", "%7B"},
		{"/{% raw %}é{% endraw %}", "%C3%A9"},
		{"/{% tablerow i in data.l %}{{ i }}{% endtablerow %}", "%3C"},
		{"/{% assign x = subject %} {{ x }}", "%20"},
		{"/../{{ subject }}", ". or .."},
		{"/{{ subject }}/%2e%2E/x", ". or .."},
		{"/{{ subject }}/..?q=1", ". or .."},
		{"/{% if subject %}/./{% endif %}", ". or .."},
	} {
		_, faults := render.Compile(webhook.Subscription{URL: host + tt.url})
		if len(faults) != 1 || faults[0].Field != "url" || !strings.Contains(faults[0].Detail, tt.about) {
			t.Errorf("%s: faults = %v, want one of url about %q", tt.url, faults, tt.about)
		}
	}
}

func TestConstantURLsAreJudgedByTheSameRule(t *testing.T) {
	for _, tt := range []struct{ url, about string }{
		{"https://a.example/café", "%C3%A9"}, {"https://a.example/a b", "%20"}, {"https://a.example/?q=%zz", "%25"},
		{"https://a.example/?q=%", "%25"}, {"https://a.example/#x", "fragment"}, {"https://a.example/a/../b", ". or .."},
		{"https://a.example/?q=a|b", "%7C"}, {"https://é.example/", "xn--"}, {"https://a.example/\t", "control"},
		{"https://a.example/a%2Fb/[x]/!$&'()*+,;=:@-._~?/..?[x]=!$&'()*+,;=:@-._~%20", ""},
	} {
		wrong := render.WrongURL(tt.url)
		if !strings.Contains(wrong, tt.about) || (wrong == "") != (tt.about == "") {
			t.Errorf("WrongURL(%s) = %q, want %q", tt.url, wrong, tt.about)
		}
	}
}

func TestGoodLiteralsOfAURLStay(t *testing.T) {
	for _, tt := range []struct{ url, want string }{
		{"/users/{{ data.v }}/caf%C3%A9", "/users/bob%2Fadmin%3Fx%23y/caf%C3%A9"},
		{"/a%2Fb/{{ data.v }}/%C3%A9", "/a%2Fb/bob%2Fadmin%3Fx%23y/%C3%A9"},
		{"/[x]/{{ data.v }}?a[]={{ data.v }}&q=/../", "/[x]/bob%2Fadmin%3Fx%23y?a[]=bob%2Fadmin%3Fx%23y&q=/../"},
		{"/{% if data.v %}a%20b{% else %}c{% endif %}", "/a%20b"},
		{"/{% capture c %}a é#{{ data.v }}{% endcapture %}{{ c }}", "/a%20%C3%A9%23bob%2Fadmin%3Fx%23y"},
		{"/{{ 'a é' }}", "/a%20%C3%A9"},
		{"/x{% comment %}é{% endcomment %}", "/x"},
		{"/{% raw %}a{% endraw %}", "/a"},
		{"/ {%- if data.v -%} a {%- endif -%} ", "/a"},
	} {
		e := event
		e.Data = json.RawMessage(`{"v":"bob/admin?x#y"}`)
		target, _, err := rendered(t, e, webhook.Subscription{URL: "https://a.example" + tt.url})
		if got := strings.TrimPrefix(target.URL.Plain, "https://a.example"); got != tt.want || err != nil {
			t.Errorf("%s renders %s, %v, want %s", tt.url, got, err, tt.want)
		}
	}
}
