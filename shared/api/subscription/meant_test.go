package subscription

import (
	"errors"
	"strings"
	"testing"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/callback/egress"
	"github.com/postino/postino/shared/language/strictjson"
)

func detail(t *testing.T, fields string) string {
	t.Helper()
	faults := faultsOf(t, fields)
	if len(faults) != 1 {
		t.Fatalf("%s: %v, want one fault", fields, faults)
	}
	return faults[0].Detail
}

func faultsOf(t *testing.T, fields string) []httpapi.FieldError {
	t.Helper()
	v, err := strictjson.Parse([]byte(`{"url":"https://a.example",` + fields + `}`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = Read(v, Default(), &egress.Guard{})
	var problem *httpapi.Problem
	if !errors.As(err, &problem) {
		return nil
	}
	return problem.Errors
}

func TestAFieldThatNoSubscriptionHasLeadsToTheOneThatWasMeant(t *testing.T) {
	for fields, want := range map[string]string{
		`"event_types":["a"]`:                 `did you mean "types"?`,
		`"payload":{}`:                        `did you mean "request.body"?`,
		`"max_attempts":5`:                    `did you mean "retry.schedule"?`,
		`"headers":{}`:                        `did you mean "request.headers"?`,
		`"timeout":"5s"`:                      `did you mean "retry.timeout"?`,
		`"Filter":{}`:                         `did you mean "filter"?`,
		`"rateLimit":{}`:                      `did you mean "rate_limit"?`,
		`"meta_data":{}`:                      `did you mean "metadata"?`,
		`"request":{"heades":{}}`:             `did you mean "headers"?`,
		`"retry":{"shedule":[]}`:              `did you mean "schedule"?`,
		`"trigger":{"dealy":"1h"}`:            `did you mean "delay"?`,
		`"auth":{"type":"barer","token":"x"}`: `did you mean "bearer"?`,
		`"auth":{"type":"bearer","token":"x","tokn":"x"}`: `did you mean "token"?`,
		`"auth":{"tls":{"certificat":"x"}}`:               `did you mean "certificate"?`,
		`"state":"actve"`:                                 `did you mean "active"?`,
		`"request":{"format":"cloudevent"}`:               `did you mean "cloudevents"?`,
		`"request":{"body":"{{ data.x | upcsae }}"}`:      `did you mean "upcase"?`,
		`"request":{"body":"{% asign a = 1 %}"}`:          `did you mean "assign"?`,
		`"rate_limit":10`:                                 `like {"per_second": 10}`,
	} {
		if got := detail(t, fields); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", fields, got, want)
		}
	}
}

func TestWhatIsMeantByAForeignNameIsThere(t *testing.T) {
	known := map[string]bool{}
	for _, f := range fields {
		known[f.name] = true
	}
	for name, at := range meant {
		root, _, _ := strings.Cut(at, ".")
		if known[name] || !known[root] {
			t.Errorf("%q is said to be %q: want a name of nothing that leads to a field", name, at)
		}
	}
}
