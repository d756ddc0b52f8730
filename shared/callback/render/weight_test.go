package render_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/webhook"
)

// bodyOf makes a subscription with a body of JSON.
func bodyOf(body string) webhook.Subscription {
	return webhook.Subscription{URL: "https://a.example/", Request: &webhook.RequestSpec{Body: json.RawMessage(body)}}
}

// listed writes a JSON list of n values.
func listed(n int, value string) string {
	return "[" + strings.TrimSuffix(strings.Repeat(value+",", n), ",") + "]"
}

func TestAWholeRequestIsBounded(t *testing.T) {
	for name, tt := range map[string]struct {
		s    webhook.Subscription
		want string // part of the fault; "" for none
	}{
		"templates at the limit":   {bodyOf(listed(render.MaxTemplates, `"{{a}}"`)), "unknown variable"},
		"templates":                {bodyOf(listed(render.MaxTemplates, `"{{data.a}}"`)), ""},
		"one template too many":    {bodyOf(listed(render.MaxTemplates+1, `"{{data.a}}"`)), "request: has more than 1000 templates"},
		"keys count too":           {bodyOf(listed(501, `{"{{data.b}}":"{{data.a}}"}`)), "request: has more than 1000 templates"},
		"values":                   {bodyOf(listed(render.MaxNodes-1, `1`)), ""},
		"one value too many":       {bodyOf(listed(render.MaxNodes, `1`)), "request: has a body of more than 10000 values"},
		"bytes":                    {bodyOf(`"` + strings.Repeat("x", render.MaxSize) + `"`), "request: has 262146 bytes, want at most 262144"},
		"memory":                   {bodyOf(`{"a":"` + strings.Repeat("{{data.a}}", 6500) + `"}`), "request: would take more than 2097152 bytes"},
		"a tree of tiny templates": {bodyOf(listed(200_000, `"{{data.a}}"`)), "request: has"},
		"a long name above a list": {bodyOf(`{"` + strings.Repeat("n", 60_000) + `":` + listed(9000, `"{{data.a}}"`) + `}`), "request: has more than 1000 templates"},
		"headers are of the request": {webhook.Subscription{URL: "https://a.example/", Request: &webhook.RequestSpec{
			Headers: map[string]string{"x-a": strings.Repeat("{{data.a}}", 30_000)}}}, "request: has 300003 bytes"},
	} {
		_, faults := render.Compile(tt.s)
		var got []string
		for _, f := range faults {
			got = append(got, f.Field+": "+f.Detail)
		}
		if tt.want == "" && len(got) > 0 || tt.want != "" && (len(got) == 0 || !strings.Contains(got[len(got)-1], tt.want)) {
			t.Errorf("%s: faults %.300q, want %q", name, got, tt.want)
		}
	}
}

func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func TestARequestWeighsWhatItTakesWithinAFactorOfTwo(t *testing.T) {
	headers := map[string]string{}
	for i := range 50 {
		headers[fmt.Sprintf("x-%d", i)] = "{{ data.a | upcase }}"
	}
	for name, s := range map[string]webhook.Subscription{
		"plain":          {URL: "https://a.example/hook"},
		"templates":      bodyOf(listed(render.MaxTemplates, `"{{data.a}}"`)),
		"constants":      bodyOf(listed(5000, `"constant"`)),
		"numbers":        bodyOf(listed(9000, `12`)),
		"usual":          bodyOf(`{"id":"{{ event.id }}","user":{"name":"{{ data.user.name }}","plan":"gold"},"items":"{{ data.items }}","n":1}`),
		"text":           bodyOf(`"[` + strings.Repeat(`{{ data.a | json }},`, 1000) + `1]"`),
		"headers":        {URL: "https://a.example/{{ data.id }}", Request: &webhook.RequestSpec{Headers: headers}},
		"required paths": {URL: "https://a.example/", Request: &webhook.RequestSpec{Require: strings.Split(strings.Repeat("data.a.b,", 49)+"data.c", ",")}},
	} {
		kept := make([]*render.Request, 20)
		before := heap()
		for i := range kept {
			r, faults := render.Compile(s)
			if faults != nil {
				t.Fatalf("%s: %v", name, faults)
			}
			kept[i] = r
		}
		taken := (heap() - before) / len(kept)
		if weight := kept[0].Weight(); taken > 2*weight || weight > 2*taken {
			t.Errorf("%s: weighs %d, takes %d", name, weight, taken)
		}
		runtime.KeepAlive(kept)
	}
}
