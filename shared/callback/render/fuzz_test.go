package render_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/webhook"
)

// eventOf is an event with a text in its data.
func eventOf(v string) *render.Event {
	data, _ := json.Marshal(map[string]any{"v": v, "l": []string{v, v}, "o": map[string]string{"k": v}})
	return render.NewEvent(webhook.Event{ID: "evt_1", Data: data})
}

// FuzzURL looks for a url that net/http writes otherwise than it was judged.
func FuzzURL(f *testing.F) {
	for _, path := range []string{
		"/users/{{ data.v }}/caf%C3%A9", "/a%2Fb/{{ data.v }}", "?q={{ data.v }}&x=[]", "/{% if data.v %}a{% else %}?b{% endif %}{{ data.v }}",
		"/{% for i in data.l %}{{ i }}/{% endfor %}", "//{{ data.o }}//?", "/x", "/{% raw %}a{% endraw %}{{ data.v }}", "/{{ data.v }};x=1,2:@",
	} {
		f.Add(path, "bob/admin?x#y")
		f.Add(path, "é%2e")
	}
	f.Fuzz(func(t *testing.T, path, v string) {
		const host = "https://a.example"
		s := webhook.Subscription{URL: host + path}
		if !strings.Contains(path, "{{") && !strings.Contains(path, "{%") && render.WrongURL(s.URL) != "" || !strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "?") {
			return
		}
		r, faults := render.Compile(s)
		if len(faults) > 0 {
			return
		}
		target, err := r.Target(eventOf(v), s, render.Occasion{Delivery: "dlv_1"})
		if err != nil || len(target.URL.Inserts) > 0 {
			return
		}
		req, err := http.NewRequest("POST", target.URL.Plain, nil)
		if err != nil {
			t.Fatalf("%s with %q renders %s, which is no url: %v", path, v, target.URL.Plain, err)
		}
		want := strings.TrimPrefix(target.URL.Plain, host)
		if !strings.HasPrefix(want, "/") {
			want = "/" + want
		}
		if got := req.URL.RequestURI(); got != want || req.URL.Host != "a.example" {
			t.Errorf("%s with %q is sent to %s as %s, want %s", path, v, req.URL.Host, got, want)
		}
	})
}

// FuzzJSONText looks for data that leaves its place in a JSON text: with other
// data, a text must have the same kinds of tokens in the same order.
func FuzzJSONText(f *testing.F) {
	for _, body := range []string{
		`{"a":"{{ data.v | json }}","b":1}`, `{"a":"{{ data.v }}"}`, `[{% for i in data.l %}"{{ i }}",{% endfor %}0]`, `{"a":{{ data.v | json }}}`,
		`{"{{ data.v }}":"\u0041\\{{ data.o }}"}`, `"{% cycle data.v, 'a' %}{% capture c %}{{ data.v }}"{% endcapture %}{{ c }}"`,
		`[{% for i in data.l %}"{% break %}"{% endfor %}{{ data.v | json }}]`, `["{% tablerow i in data.l %}{{ i }}{% endtablerow %}"]`,
		`[{% for i in data.l %}{% continue %}"{{ i }}"{% endfor %}]`, `{"a":"{% increment n %}{% raw %}"{% endraw %},"b":{{ data.o | json }}}`,
	} {
		f.Add(body, `","evil":1,"z":"`)
		f.Add(body, `\`)
	}
	f.Fuzz(func(t *testing.T, body, v string) {
		for _, chooses := range []string{"if", "unless", "case", "data[", "data.v.", "..", "limit", "offset"} {
			if strings.Contains(body, chooses) || v == "" {
				return // what is printed depends on data, as it should
			}
		}
		if strings.Count(body, "|") != strings.Count(body, "| json") {
			return
		}
		source, err := json.Marshal(body)
		if err != nil {
			return
		}
		s := webhook.Subscription{URL: "https://a.example/", Request: &webhook.RequestSpec{Body: source}}
		r, faults := render.Compile(s)
		if len(faults) > 0 {
			return
		}
		got, ok1 := tokens(t, r, s, v)
		want, ok2 := tokens(t, r, s, "x")
		if ok1 && ok2 && got != want {
			t.Errorf("%s with %q renders tokens %s, with x %s", body, v, got, want)
		}
	})
}

// tokens renders a JSON text and returns the kinds of its tokens; false if
// there is none.
func tokens(t *testing.T, r *render.Request, s webhook.Subscription, v string) (kinds string, ok bool) {
	_, content, err := r.Render(eventOf(v), s, render.Occasion{Delivery: "dlv_1"})
	if err != nil || len(content.Body.Inserts) > 0 {
		return "", false
	}
	d := jsontext.NewDecoder(strings.NewReader(content.Body.Plain))
	for {
		token, err := d.ReadToken()
		if err == io.EOF {
			return kinds, true
		}
		if err != nil {
			t.Fatalf("%s is no JSON: %v", content.Body.Plain, err)
		}
		kinds += token.Kind().String()[:1]
	}
}
