package e2e

import (
	"encoding/json"
	"strings"
)

var readableScenarios = []scenario{
	{name: "what no receiver could read is refused", play: unreadableIsRefused},
	{name: "a receiver reads what a template was meant to say", play: templatesAreRead},
	{name: "a CloudEvent keeps its id and the type of its data", play: cloudEventsAreKept},
}

// unreadable are requests, as members of a subscription, with the field that a
// problem names.
var unreadable = []struct{ members, field string }{
	{`"url":"https://a.example/users/{{ subject }}/café"`, "url"},
	{`"url":"https://a.example/a%2Fb/{{ subject }}/é"`, "url"},
	{`"url":"https://a.example/a b/{{ subject }}"`, "url"},
	{`"url":"https://a.example/{{ subject }}?q=%zz"`, "url"},
	{`"url":"https://a.example/{{ subject }}?q=a|b"`, "url"},
	{`"url":"https://a.example/{{ subject }}?q=<a>"`, "url"},
	{`"url":"https://a.example/{{ subject }}#top"`, "url"},
	{`"url":"https://a.example/{% if subject %}é{% endif %}"`, "url"},
	{`"url":"https://a.example/{% raw %}é{% endraw %}"`, "url"},
	{`"request":{"content_type":"text/plain; charset=iso-8859-1","body":"x"}`, "request.content_type"},
	{`"request":{"headers":{"content-encoding":"gzip"}}`, "request.headers.content-encoding"},
	{`"request":{"headers":{"webhook_id":"x"}}`, "request.headers.webhook_id"},
	{`"request":{"headers":{"Webhook_Signature":"x"}}`, "request.headers.Webhook_Signature"},
	{`"request":{"content_type":"text/json","body":"{\"a\":{{ data.x }}}"}`, "request.body"},
	{`"request":{"body":"{\"a\":\"{{ data.x }}\",}"}`, "request.body"},
	{`"request":{"body":{"a":"{{ event.typ }}"}}`, "request.body.a"},
	{`"request":{"body":{"a":"{{ occasion.cnt }}"}}`, "request.body.a"},
	{`"request":{"body":{"a":"{{ delivery.signature }}"}}`, "request.body.a"},
}

func unreadableIsRefused(s *scene) {
	for _, u := range unreadable {
		members := u.members
		if !strings.HasPrefix(members, `"url"`) {
			members = `"url":"https://a.example/",` + members
		}
		refused := s.must(422, "PUT", "/subscriptions/other", "{"+members+"}")
		if fields := refused.fields(); len(fields) != 1 || fields[0] != u.field {
			s.Errorf("%s: fields %q, want %s alone", u.members, fields, u.field)
		}
	}
	s.must(404, "GET", "/subscriptions/other", "")
}

func templatesAreRead(s *scene) {
	const form = "application/x-www-form-urlencoded"
	url := s.must(201, "PUT", "/subscriptions/url", `{"url":"`+s.to.URL+`/users/{{ data.id }}/caf%C3%A9?q=%2F&id={{ data.id }}"}`)
	s.to.trust("/users/bob/admin?x#y/café", url.str("secret"))
	s.subscribe("quoted", `"request":{"body":"{\"a\":\"{{ data.text | json }}\",\"b\":1}"}`)
	s.subscribe("form", `"request":{"content_type":"`+form+`","body":{"ids":"{{ data.ids }}","o":"{{ data.o }}","t":"o: {{ data.o }}"}}`)
	s.subscribe("capitals", `"request":{"content_type":"text/plain","body":"{{ data.street | upcase }}","headers":{"x-street":"{{ data.street }}"}}`)
	s.subscribe("xml", `"request":{"content_type":"application/xml","body":"<a>{{ data.control | escape }}</a>"}`)
	s.publish("e1", `{"id":"bob/admin?x#y","text":"a\"b","ids":["a","b"],"o":{"k":1},"street":"Straße","control":"\u0001"}`)
	for path, want := range map[string]string{
		"quoted": `{"a":"\"a\\\"b\"","b":1}`, "form": "ids=%5B%22a%22%2C%22b%22%5D&o=%7B%22k%22%3A1%7D&t=o%3A+%7B%22k%22%3A1%7D", "capitals": "STRASSE",
	} {
		if got := s.came(path, 1)[0].body; got != want {
			s.Errorf("%s got %s, want %s", path, got, want)
		}
	}
	if got, want := s.came("users/bob/admin?x#y/café", 1)[0].target, "/users/bob%2Fadmin%3Fx%23y/caf%C3%A9?q=%2F&id=bob%2Fadmin%3Fx%23y"; got != want {
		s.Errorf("the url arrived as %s, want %s", got, want)
	}
	if got := s.came("capitals", 1)[0].headers.Get("x-street"); got != "Stra%C3%9Fe" {
		s.Errorf("the header arrived as %s, want Stra%%C3%%9Fe", got)
	}
	if d := s.delivery("e1", "xml", "status", "canceled"); d.str("reason") != "render_error" {
		s.Errorf("delivery %s, want the reason render_error: U+0001 cannot stand in XML", d.text)
	}
}

func cloudEventsAreKept(s *scene) {
	s.subscribe("ce", `"request":{"format":"cloudevents"}`)
	s.must(202, "POST", "/events", `{"specversion":"1.0","id":"größe 1","source":"/s","type":"a.b","datacontenttype":"application/vnd.acme+json","data":{}}`,
		"content-type", "application/cloudevents+json")
	got := s.came("ce", 1)[0]
	if id := got.headers.Get("postino-event-id"); id != "gr%C3%B6%C3%9Fe%201" {
		s.Errorf("the id arrived as %s, want gr%%C3%%B6%%C3%%9Fe%%201", id)
	}
	var event map[string]any
	if err := json.Unmarshal([]byte(got.body), &event); err != nil || event["datacontenttype"] != "application/vnd.acme+json" || event["id"] != "größe 1" {
		s.Errorf("the event arrived as %s, want its id and its type of data", got.body)
	}
}
