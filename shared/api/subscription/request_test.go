package subscription_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/callback/egress"
)

// read applies fields beside a good url and returns the faults.
func read(t *testing.T, fields string) []httpapi.FieldError {
	t.Helper()
	body := fields
	if !strings.Contains(body, `"url"`) {
		body = `"url":"https://a.example/hook",` + body
	}
	_, err := subscription.Read(parse(t, "{"+body+"}"), subscription.Default(), &egress.Guard{})
	var problem *httpapi.Problem
	if err != nil && !errors.As(err, &problem) {
		t.Fatal(err)
	}
	if problem == nil {
		return nil
	}
	if problem.Status != 422 {
		t.Errorf("%s: status %d, want 422", fields, problem.Status)
	}
	return problem.Errors
}

func text(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func TestPatternsTemplatesAndTriggersAreJudgedWhenSaved(t *testing.T) {
	deep := strings.Repeat("{% if true %}", 33) + strings.Repeat("{% endif %}", 33)
	for _, tt := range []struct{ name, fields, field, about string }{
		{"unknown operator", `"filter":{"data":{"a":[{"matches":"x"}]}}`, "filter.data.a[0].matches", "unknown operator"},
		{"mixed types", `"filter":{"data":{"a":[{"numeric":[">","x"]}]}}`, "filter.data.a[0].numeric", "number"},
		{"empty array", `"filter":{"data":{"a":[]}}`, "filter.data.a", "at least one"},
		{"unknown root", `"filter":{"detail":{"a":[1]}}`, "filter.detail", "data"},
		{"consecutive wildcards", `"filter":{"type":[{"wildcard":"a**b"}]}`, "filter.type[0].wildcard", "*"},
		{"too complex a pattern", `"filter":{"data":{"a":[` + strings.Repeat(`"x",`, 10_001) + `"y"]}}`, "filter.data.a", "at most"},
		{"unknown tag", `"request":{"body":{"a":"x\n {% include 'b' %}"}}`, "request.body.a", "line 2, column 2"},
		{"unknown filter", `"request":{"body":{"a":"{{ data.x | shout }}"}}`, "request.body.a", "line 1, column"},
		{"leftover delimiter", `"request":{"headers":{"x-a":"}} x"}}`, "request.headers.x-a", "line 1, column 1"},
		{"unclosed output", `"url":"https://a.example/{{ data.x "`, "url", "line 1, column"},
		{"template over 64 KiB", `"request":{"body":` + text(strings.Repeat("x", 64<<10+1)) + `}`, "request.body", "65536"},
		{"nesting over 32", `"request":{"body":{"a":` + text(deep) + `}}`, "request.body.a", "32"},
		{"every below 1", `"trigger":{"every":0}`, "trigger.every", "1"},
		{"at below 1", `"trigger":{"at":-1}`, "trigger.at", "1"},
		{"duration out of range", `"trigger":{"delay":"366d"}`, "trigger.delay", "365d"},
		{"private token endpoint", `"auth":{"type":"oauth2","token_url":"https://10.0.0.1/t","client_id":"a","client_secret":"b"}`, "auth.token_url", "private"},
		{"plain token endpoint", `"auth":{"type":"oauth2","token_url":"http://id.example/t","client_id":"a","client_secret":"b"}`, "auth.token_url", "https"},
		{"templated token endpoint", `"auth":{"type":"oauth2","token_url":"https://id.example/{{ secrets.x }}","client_id":"a","client_secret":"b"}`, "auth.token_url", "URL"},
		{"no duration", `"max_age":"soon"`, "max_age", "number and a unit"},
		{"at with every", `"trigger":{"at":2,"every":3}`, "trigger.at", "every"},
		{"cancel without delay", `"trigger":{"cancel":[{"types":["a"]}]}`, "trigger.cancel", "delay"},
		{"distinct without a count", `"trigger":{"distinct":"data.x"}`, "trigger.distinct", "every"},
		{"cap over 100", `"trigger":{"cap":{"max":101,"per":"1d"}}`, "trigger.cap.max", "100"},
		{"unknown trigger field", `"trigger":{"after":"1h"}`, "trigger.after", "unknown"},
		{"template in the scheme", `"url":"{{ data.s }}://a.example/"`, "url", "scheme, host and port"},
		{"template in the host", `"url":"https://{{ data.h }}.example/"`, "url", "scheme, host and port"},
		{"template in the port", `"url":"https://a.example:{{ data.p }}/"`, "url", "scheme, host and port"},
		{"refused host behind a template", `"url":"https://127.0.0.1/{{ data.p }}"`, "url", "egress-allow"},
		{"forbidden header", `"request":{"headers":{"Content-Length":"1"}}`, "request.headers.Content-Length", "body"},
		{"authorization beside auth", `"auth":{"type":"bearer","token":"x"},"request":{"headers":{"Authorization":"y"}}`, "request.headers.Authorization", "auth"},
		{"JSON text without | json", `"request":{"body":"{\"a\": {{ data.a }} }"}`, "request.body", "| json"},
		{"a header that a signature sets", `"signature":[{"preset":"slack","secret":"x"}],"request":{"headers":{"x-slack-request-timestamp":"1"}}`, "request.headers.x-slack-request-timestamp", "signature"},
		{"a signature in the header of auth", `"signature":[{"header":"X-A","text":"a","secret":"x"}],"auth":{"type":"header","name":"x-a","value":"v"}`, "signature", "auth"},
		{"a form's signature of JSON", `"signature":[{"preset":"twilio","secret":"x"}]`, "signature", "x-www-form-urlencoded"},
		{"stars for a secret", `"auth":{"type":"bearer","token":"***"}`, "auth.token", "***"},
		{"auth of another world", `"auth":{"type":"digest"}`, "auth.type", "one of"},
		{"format beside body", `"request":{"format":"standard","body":{}}`, "request.format", "with body"},
		{"require outside the envelope", `"request":{"require":["line_id"]}`, "request.require[0]", "data"},
		{"unknown request field", `"request":{"query":{}}`, "request.query", "unknown"},
	} {
		faults := read(t, tt.fields)
		if len(faults) != 1 || faults[0].Field != tt.field || !strings.Contains(faults[0].Detail, tt.about) {
			t.Errorf("%s: faults = %q, want one of %s about %q", tt.name, faults, tt.field, tt.about)
		}
	}
}

func TestTheContractsExampleIsTaken(t *testing.T) {
	const example = `"name":"fifth flight","description":"","metadata":{},
		"url":"https://loyalty.example/users/{{ subject }}/points","types":["flight.booked"],
		"filter":{"data":{"cabin":[{"anything-but":"award"}]}},
		"trigger":{"key":"subject","at":5,"distinct":"data.booking_id"},"max_age":"1d",
		"request":{"method":"POST","headers":{"x-plan":"{{ data.plan }}"},"content_type":"application/json",
			"body":{"points":10,"user":"{{ subject }}","legs":"{{ data.legs }}"},"require":["subject"]},
		"auth":{"type":"bearer","token":"{{ secrets.loyalty }}"},"signing":"v1",
		"retry":{"schedule":["5s","5m","30m","2h","5h","10h","14h","20h","24h"],"timeout":"15s","success":["2xx"],"permanent":[]},
		"state":"active"`
	if faults := read(t, example); faults != nil {
		t.Fatalf("faults = %v, want none", faults)
	}
	wish, err := subscription.Read(parse(t, "{"+example+"}"), subscription.Default(), &egress.Guard{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]subscription.Mention{{Field: "auth", Secret: "loyalty"}}, wish.Mentions()); diff != "" {
		t.Errorf("mentions differ (-want +got):\n%s", diff)
	}
}
