package render_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/webhook"
)

func bodied(body string) webhook.Subscription {
	return webhook.Subscription{Tenant: "acme", ID: "s", URL: "https://a.example/", Request: &webhook.RequestSpec{Body: json.RawMessage(body)}}
}

func TestAConditionChoosesBetweenJSONValues(t *testing.T) {
	for _, tt := range []struct{ body, data, want string }{
		{`{"percent":{"$if":"data.total > 100 and data.vip","then":15,"else":5}}`, `{"total":120,"vip":true}`, `{"percent":15}`},
		{`{"percent":{"$if":"data.total > 100 and data.vip","then":15,"else":5}}`, `{"total":120}`, `{"percent":5}`},
		{`{"a":1,"b":{"$if":"{{ data.x }}","then":{"deep":"{{ data.x }}"}},"c":2}`, `{"x":[1]}`, `{"a":1,"b":{"deep":[1]},"c":2}`},
		{`{"a":1,"b":{"$if":"{{ data.x }}","then":{"deep":"{{ data.x }}"}},"c":2}`, `{}`, `{"a":1,"c":2}`},
		{`{"b":{"$if":"data.x","then":1},"c":2}`, `{}`, `{"c":2}`},
		{`[{"$if":"data.x","then":1},2,{"$if":"data.x == null","then":null}]`, `{}`, `[2,null]`},
		{`{"n":{"$if":"data.n < 1","then":"few","else":{"$if":"data.n < 10","then":true,"else":[]}}}`, `{"n":3}`, `{"n":true}`},
		{`{"$if":"data.x","then":1}`, `{}`, `null`},
	} {
		r, faults := render.Compile(bodied(tt.body))
		if len(faults) > 0 {
			t.Errorf("%s: %v", tt.body, faults)
			continue
		}
		e := webhook.Event{Tenant: "acme", ID: "e", Type: "a", Data: json.RawMessage(tt.data), AcceptedAt: time.Now()}
		_, c, err := r.Render(render.NewEvent(e), bodied(tt.body), render.Occasion{Delivery: "d"})
		if err != nil || c.Body.Plain != tt.want {
			t.Errorf("%s of %s renders as %s, %v, want %s", tt.body, tt.data, c.Body.Plain, err, tt.want)
		}
	}
}

func TestAConditionThatCannotBeReadIsNamed(t *testing.T) {
	for body, want := range map[string]string{
		`{"a":{"$if":"data.x >","then":1}}`:             "request.body.a.$if: line 1, column ",
		`{"a":{"$if":"dta.x","then":1}}`:                `request.body.a.$if: line 1, column 1: unknown variable "dta"`,
		`{"a":{"$if":"x %}{% abort","then":1}}`:         `request.body.a.$if: want a condition`,
		`{"a":{"$if":1,"then":1}}`:                      `request.body.a.$if: want a condition`,
		`{"a":{"$if":"data.x"}}`:                        `request.body.a: want "then"`,
		`{"a":{"$if":"data.x","then":1,"otherwise":2}}`: `request.body.a.otherwise: beside "$if"`,
		`{"a":{"$if":"data.x","then":"{{ foo }}"}}`:     `request.body.a.then: line 1, column 4: unknown variable "foo"`,
		`{"a":{"$if":"attempt.number > 1","then":1}}`:   `request.body.a.$if: line 1, column 1: "attempt" differs from attempt to attempt`,
	} {
		_, faults := render.Compile(bodied(body))
		if len(faults) != 1 || !strings.HasPrefix(faults[0].Field+": "+faults[0].Detail, want) {
			t.Errorf("%s: %v, want %s", body, faults, want)
		}
	}
}

func TestURLAndHeadersMayTellTheAttemptAndTheBodyMayNot(t *testing.T) {
	s := bodied(`{"a":"{{ now }}"}`)
	s.URL = "https://a.example/{{ attempt.number }}"
	s.Request.Headers = map[string]string{"x-at": "{{ attempt.time }} {{ sent_at | date: '%s' }}"}
	r, faults := render.Compile(s)
	if len(faults) > 0 || !r.ReadsAttempt() || !render.MayReadAttempt(s) {
		t.Fatal(faults, r.ReadsAttempt())
	}
	e := webhook.Event{Tenant: "acme", ID: "e", Type: "a", Data: json.RawMessage(`{}`), AcceptedAt: time.UnixMilli(1000).UTC()}
	for o, want := range map[render.Occasion]string{
		{}:                                    "https://a.example/1 1970-01-01T00:00:01.000Z 1",
		{Attempt: 3, At: time.UnixMilli(5e3)}: "https://a.example/3 1970-01-01T00:00:05.000Z 5",
	} {
		target, content, err := r.Render(render.NewEvent(e), s, o)
		if err != nil || target.URL.Plain+" "+target.Headers[0].Value.Plain != want || content.Body.Plain != `{"a":"1970-01-01T00:00:01.000Z"}` {
			t.Errorf("attempt %d renders as %v %s, %v, want %s", o.Attempt, target, content.Body.Plain, err, want)
		}
	}
	for _, body := range []string{`{"a":"{{ attempt.number }}"}`, `"{{ sent_at | json }}"`} {
		if _, faults := render.Compile(bodied(body)); len(faults) != 1 || !strings.Contains(faults[0].Detail, "use it in url and headers") {
			t.Errorf("%s: %v, want it refused", body, faults)
		}
	}
	if r, _ := render.Compile(bodied(`{"a":1}`)); r.ReadsAttempt() || render.MayReadAttempt(bodied(`{"a":1}`)) {
		t.Error("a request that does not name the attempt reads it")
	}
}

func TestTemplatesOfBrazeAreToldWhatToWrite(t *testing.T) {
	for template, want := range map[string]string{
		`Hi {{${first_name}}}`:                                   `{{ profile.first_name }}`,
		`{{ ${user_id} | default: "x" }}`:                        `{{ subject }}`,
		`{{custom_attribute.${plan}}}`:                           `{{ profile.plan }}`,
		`{{event_properties.${amount}}}`:                         `{{ data.name }}`,
		`{{canvas_entry_properties.${amount}}}`:                  `{{ data.name }}`,
		`{{campaign.${name}}}`:                                   `{{ subscription.name }}`,
		`{% abort_message("no consent") %}`:                      `{% abort "reason" %}`,
		`{% connected_content https://x.example :save answer %}`: `keep what they need in the profile`,
		`{{content_blocks.${footer}}}`:                           `write their text here`,
		`{% catalog_items games 1 %}`:                            `there are no catalogs`,
	} {
		text, _ := json.Marshal(template)
		if _, faults := render.Compile(bodied(`{"a":` + string(text) + `}`)); len(faults) != 1 || !strings.Contains(faults[0].Detail, want) {
			t.Errorf("%s: %v, want it to say %s", template, faults, want)
		}
	}
	if _, faults := render.Compile(bodied(`{"a":"${x} is literal text"}`)); len(faults) > 0 {
		t.Errorf("text with ${ is refused: %v", faults)
	}
}
