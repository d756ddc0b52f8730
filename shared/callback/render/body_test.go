package render_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/webhook"
)

// written is a subscription with a body of raw text.
func written(contentType, body string) webhook.Subscription {
	source, _ := json.Marshal(body)
	return webhook.Subscription{URL: "https://a.example/", Request: &webhook.RequestSpec{ContentType: contentType, Body: source}}
}

func TestAnOutputInQuotesStaysInThem(t *testing.T) {
	for _, tt := range []struct{ body, data, want string }{
		{`{"a":"{{ data.x | json }}","b":1}`, `"x"`, `{"a":"\"x\"","b":1}`},
		{`{"a":"{{ data.x | json }}","b":1}`, `5`, `{"a":"5","b":1}`},
		{`{"a":"{{ data.x | json }}","b":1}`, `{"k":"\"v"}`, `{"a":"{\"k\":\"\\\"v\"}","b":1}`},
		{`{"a":"{{ data.x }}","b":1}`, `"\",\"evil\":1,\"z\":\"\n"`, `{"a":"\",\"evil\":1,\"z\":\"\n","b":1}`},
		{`{"{{ data.x }}":"Dear \"{{ data.x }}\\"}`, `"\"é"`, `{"\"é":"Dear \"\"é\\"}`},
		{`{"a":"\u0041{{ data.x }}"}`, `"b"`, `{"a":"\u0041b"}`},
		{`{% capture c %}{{ data.x }}"{% endcapture %}{"a":"{{ c }}","b":{{ c | json }}}`, `"\\"`, `{"a":"\\\"","b":"\\\""}`},
		{`[{% for i in data.x %}"{{ i }}"{% unless forloop.last %},{% endunless %}{% endfor %}]`, `["a\"","b"]`, `["a\"","b"]`},
		{`{"a":{% if data.x %}"{{ data.x }}"{% else %}null{% endif %}}`, `"\""`, `{"a":"\""}`},
		{`{"a":"{% if data.x == "" %}x"{% else %}{{ data.x }}"{% endif %},"b":{{ data.x | json }}}`, `"\""`, `{"a":"\"","b":"\""}`},
		{`{"a":"{% cycle data.x, 'y' %}{% liquid
echo data.x %}"}`, `"\""`, `{"a":"\"\""}`},
		{`{"a":-{{ data.x | json }}.5,"b":"{% increment n %}"}`, `7`, `{"a":-7.5,"b":"0"}`},
		{`{"a":"{{ secrets.s }}"}`, `1`, `{"a":""}`},
	} {
		e := event
		e.Data = json.RawMessage(`{"x":` + tt.data + `}`)
		_, content, err := rendered(t, e, written("", tt.body))
		if got := content.Body.Plain; got != tt.want || err != nil {
			t.Errorf("%s with %s renders\n %s, %v, want\n %s", tt.body, tt.data, got, err, tt.want)
		}
	}
}

func TestTextsThatCannotBeReadAreRefusedWhenSaved(t *testing.T) {
	const lines, xml = "application/x-ndjson", "application/xml"
	for _, tt := range []struct{ name, contentType, body, about string }{
		{"outside of quotes", "", `{"a":{{ data.x }}}`, "line 1, column 6: {{ data.x }} must end in | json, or be inside quotes"},
		{"behind a string", "", `{"a":"{{ data.x }}",{{ data.y }}:1}`, "column 21"},
		{"a quote of a branch", "", `{"a":{% if data.x %}"{% endif %}{{ data.x | json }}"}`, "must be closed in it"},
		{"a quote of a loop", "", `[{% for i in data.x %}"{{ i }}{% endfor %}"]`, "must be closed in it"},
		{"a quote before break", "", `[{% for i in data.x %}"{% if i %}{% break %}{% endif %}"{% endfor %}{{ data.x | json }}]`, "must be closed in it"},
		{"behind a backslash", "", `{"a":"\{{ data.x }}"}`, `behind a \`},
		{"within an escape", "", `{"a":"\u00{{ data.x }}"}`, `behind a \`},
		{"a secret outside of quotes", "", `[{{ secrets.s }}]`, "{{ secrets.s }} must be inside quotes"},
		{"no JSON", "", `hello`, "is not JSON; if it has another type, set content_type"},
		{"an open brace", "", `{"a":{{ data.x | json }}`, "is not JSON"},
		{"a comma too many", "", `{"a":"{{ data.x }}",}`, "is not JSON"},
		{"a line that is no JSON", lines, `{"a":"{{ data.x }}"}` + "\n{", "is not JSON"},
		{"a line's output", lines, "{{ data.x }}", "| json"},
		{"an open element", xml, `<a>{{ data.x | escape }}`, "is not XML: line 1"},
		{"elements crossed", xml, `<a><b>{{ data.x | escape }}</a></b>`, "is not XML"},
		{"a control character", xml, "<a>\u0001{{ data.x | escape }}</a>", "U+0001"},
		{"another encoding", xml, `<?xml version="1.0" encoding="iso-8859-1"?><a>{{ data.x | escape }}</a>`, "UTF-8, but says that it is in iso-8859-1"},
		{"an entity of HTML", xml, `<a>&nbsp;{{ data.x | escape }}</a>`, "&nbsp;"},
	} {
		_, faults := render.Compile(written(tt.contentType, tt.body))
		if len(faults) != 1 || faults[0].Field != "request.body" || !strings.Contains(faults[0].Detail, tt.about) {
			t.Errorf("%s: faults = %v, want one of request.body about %q", tt.name, faults, tt.about)
		}
	}
}

func TestTextsThatCanBeReadAreTaken(t *testing.T) {
	for _, tt := range []struct{ contentType, body string }{
		{"", `{ {{ data.x | json }}:1,{{ data.y | json }}:2}`},
		{"", `{{ data.x | json }}{{ data.y | json }}`}, // two digits of a number
		{"", `{"price":{{ data.x | json }}.00,"minus":-{{ data.y | json }}}`},
		{"", `{% if data.x %}{"a":1}{% else %}[]{% endif %}`},
		{"", `{% for i in data.l %}{{ i | json }}{% break %}{% endfor %}`},
		{"", `{"a":"{% if data.x %}{% abort %}{% endif %}"}`},
		{"application/x-ndjson", `{"index":"{{ data.x }}"}` + "\n\n" + `{"a":{{ data.y | json }}}` + "\n"},
		{"application/xml", `<?xml version="1.0" encoding="utf-8"?><!-- {{ data.x | escape }} --><a b="{{ data.x | escape }}">&#{{ data.y | escape }};</a>`},
		{"application/xml", `<!DOCTYPE a [<!ENTITY e "x">]><a>&e;{{ data.x | escape }}</a>`},
		{"application/soap+xml", `<s:Envelope xmlns:s="urn:x"><s:Body><![CDATA[{{ data.x | escape }}]]></s:Body></s:Envelope>`},
		{"text/plain", `}"{{ data.x }}\`},
		{"application/xml", ``},
	} {
		if _, faults := render.Compile(written(tt.contentType, tt.body)); faults != nil {
			t.Errorf("%s: faults = %v, want none", tt.body, faults)
		}
	}
}

func TestWhatCannotStandInXMLCancelsTheDelivery(t *testing.T) {
	const plain, comment = `<a b="{{ data.x | escape }}">{{ data.x | escape }}</a>`, `<!-- {{ data.x | escape }} --><a/>`
	for _, tt := range []struct{ body, data, detail, want string }{
		{plain, `"\u0001"`, "U+0001, which XML cannot represent: print it with | json | escape", ""},
		{plain, `"a\u0000"`, "U+0000", ""},
		{plain, `"\u001f"`, "U+001F", ""},
		{plain, `"\ufffe"`, "U+FFFE", ""},
		{comment, `"--"`, "is not XML: line 1", ""},
		{`<!DOCTYPE a><a>{{ data.x | escape }}</a>`, `"\u000b"`, "U+000B", ""},
		{`<a>{{ data.x | escape_once }}</a>`, `"&nbsp;"`, "&nbsp;", ""},
		{`<a>{{ data.x | json | escape }}</a>`, `"\u0001"`, "", `<a>&quot;\u0001&quot;</a>`},
		{plain, `"<\t\n\u0085\u007f>"`, "", "<a b=\"&lt;\t\n\u0085\u007f&gt;\">&lt;\t\n\u0085\u007f&gt;</a>"},
	} {
		e := event
		e.Data = json.RawMessage(`{"x":` + tt.data + `}`)
		_, content, err := rendered(t, e, written("application/xml", tt.body))
		var skip *render.Skip
		switch {
		case tt.detail == "" && (err != nil || content.Body.Plain != tt.want):
			t.Errorf("%s with %s renders %q, %v, want %q", tt.body, tt.data, content.Body.Plain, err, tt.want)
		case tt.detail != "" && (!errors.As(err, &skip) || skip.Reason != webhook.ReasonRenderError || !strings.Contains(skip.Detail, tt.detail)):
			t.Errorf("%s with %s: %v, want a skip by render_error about %q", tt.body, tt.data, err, tt.detail)
		}
	}
}
