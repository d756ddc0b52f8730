package render

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/postino/postino/shared/language/liquid"
	"github.com/postino/postino/shared/webhook"
)

func TestUnknownMembersAreRefusedWhenSaved(t *testing.T) {
	for _, tt := range []struct{ template, want string }{
		{"{{ event.typ }}", `line 1, column 4: unknown variable "event.typ": event has data, extensions, id, source, subject, time, type; did you mean "type"?`},
		{"{{ occasion.cnt }}", `unknown variable "occasion.cnt": occasion has count`},
		{"{{ delivery.signature }}", `unknown variable "delivery.signature": delivery has id, uuid`},
		{"{{ subscription.meta.team }}", `unknown variable "subscription.meta": subscription has id, metadata, name`},
		{"{{ event['typ'] }}", `did you mean "type"?`},
		{"{% if event.Type == 'a' %}x{% endif %}", `did you mean "type"?`},
		{"x\n{% for i in event.dta.list %}{{ i }}{% endfor %}", `line 2, column 13: unknown variable "event.dta"`},
		{"{% assign x = occasion.coutn | plus: 1 %}{{ x }}", `did you mean "count"?`},
		{"{{ data.x | append: event.subjct }}", `did you mean "subject"?`},
		{"{{ data[event.typ] }}", `did you mean "type"?`},
		{"{{ event.type.name }}", `"event.type" has no members, such as "name"`},
		{"{{ subject.id }}", `"subject" has no members, such as "id"`},
		{"{{ now.year }}", `"now" has no members`},
		{"{{ occasion.count.value }}", `"occasion.count" has no members`},
		{"{% for i in data.l %}{{ forloop.cnt }}{% endfor %}", `unknown variable "forloop.cnt"`},
		{"{% for i in data.l %}{{ forloop.lenght }}{% endfor %}", `did you mean "length"?`},
		{"{{ evnt.type }}", `unknown variable "evnt": want one of event, data, subject, profile, delivery, subscription, occasion, now; did you mean "event"?`},
		{"{{ type }}", `did you mean "event.type"?`},
		{"{{ secret.x }}", `did you mean "secrets"?`},
	} {
		s := webhook.Subscription{URL: "https://a.example/", Request: &webhook.RequestSpec{Headers: map[string]string{"x-a": tt.template}}}
		body, _ := json.Marshal(map[string]string{"a": tt.template})
		for field, spec := range map[string]*webhook.RequestSpec{
			"request.headers.x-a": s.Request, "request.body.a": {Body: body},
		} {
			_, faults := Compile(webhook.Subscription{URL: s.URL, Request: spec})
			if field == "request.headers.x-a" && strings.Contains(tt.template, "\n") {
				continue
			}
			if len(faults) != 1 || faults[0].Field != field || !strings.Contains(faults[0].Detail, tt.want) {
				t.Errorf("%s: faults = %v, want one of %s: %s", tt.template, faults, field, tt.want)
			}
		}
		if _, faults := Compile(webhook.Subscription{URL: "https://a.example/" + strings.ReplaceAll(tt.template, "\n", "")}); len(faults) != 1 || faults[0].Field != "url" {
			t.Errorf("%s in a url: faults = %v, want one", tt.template, faults)
		}
	}
}

func TestWhatMayHaveAnyMembersIsNotJudged(t *testing.T) {
	for _, template := range []string{
		"{{ data.typ.x }}{{ event.data.typ }}{{ event.extensions.traceparent }}{{ subscription.metadata.team.lead }}",
		"{{ event[data.name] }}{{ event.size }}{{ subject.first }}{{ event.type.size }}{{ data.list[0].x }}",
		"{% assign event = data %}{{ event.typ }}",
		"{% for occasion in data.list %}{{ occasion.cnt }}{% endfor %}",
		"{% capture now %}x{% endcapture %}{{ now.x }}",
		"{% for i in data.l %}{% for j in i %}{{ forloop.parentloop.index }}{{ forloop.rindex0 }}{% endfor %}{% endfor %}",
		"{% tablerow i in data.l %}{{ tablerowloop.col_first }}{% endtablerow %}",
		"{{ event.data }}{{ event['id'] }}{{ delivery.uuid }}",
	} {
		c := &compiler{}
		if c.parse("a", template); c.faults != nil {
			t.Errorf("%s: faults = %v, want none", template, c.faults)
		}
	}
}

func TestKnownMembersAreThoseThatARenderHas(t *testing.T) {
	sc, err := newScope(NewEvent(webhook.Event{ID: "1"}), webhook.Subscription{}, Occasion{})
	if err != nil {
		t.Fatal(err)
	}
	sc.Vars[responseRoot] = (&Response{}).value() // of an emission
	sc.attempting(webhook.Event{}, Occasion{})    // of url and headers
	for name, value := range sc.Vars {
		known, listed := variables[name]
		if !listed || !slices.Contains(append([]string{responseRoot, attemptRoot, sentAt}, roots...), name) {
			t.Errorf("a render has %s, which templates may not name", name)
		}
		if value.IsObject() && known != nil {
			sameNames(t, name, value, known)
		}
	}
	if got, want := len(variables), len(sc.Vars)+2; got != want { // forloop and tablerowloop
		t.Errorf("templates may name %d variables, and a render has %d", got, want)
	}
}

func sameNames(t *testing.T, root string, value liquid.Value, known names) {
	t.Helper()
	n := 0
	for name := range value.Members() {
		n++
		if _, listed := known[name]; !listed {
			t.Errorf("a render has %s.%s, which templates may not name", root, name)
		}
	}
	if n != len(known) {
		t.Errorf("%s has %d members, and templates may name %d", root, n, len(known))
	}
}

func TestRequiredPathsMustBeAbleToLeadSomewhere(t *testing.T) {
	for path, want := range map[string]string{
		"subjct": `did you mean "subject"?`, "line_id": "begins with one of", "subject.id": `"subject" has no members`, "type.x": "no members",
		"data.items[0].id": "names only", "data..x": "separated by dots",
	} {
		_, faults := Compile(webhook.Subscription{URL: "https://a.example/", Request: &webhook.RequestSpec{Require: []string{path}}})
		if len(faults) != 1 || faults[0].Field != "request.require[0]" || !strings.Contains(faults[0].Detail, want) {
			t.Errorf("%s: faults = %v, want one about %s", path, faults, want)
		}
	}
	for _, path := range []string{"subject", "id", "data", "data.subject.id", "extensions.x"} {
		if _, err := parsePath(path); err != nil {
			t.Errorf("%s: %v, want no fault", path, err)
		}
	}
}
