package subscription_test

import (
	"errors"
	"testing"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/callback/egress"
)

func TestARateLimitIsAWholeNumberWithinItsBounds(t *testing.T) {
	for text, field := range map[string]string{
		`{"per_second":1}`: "", `{"per_second":10000}`: "", `{"per_second":5.0e1}`: "rate_limit.per_second", `null`: "",
		`{"per_second":0}`: "rate_limit.per_second", `{"per_second":10001}`: "rate_limit.per_second", `{"per_second":-5}`: "rate_limit.per_second",
		`{"per_second":0.5}`: "rate_limit.per_second", `{"per_second":"50"}`: "rate_limit.per_second", `{"per_second":null}`: "rate_limit.per_second",
		`{"per_second":99999999999999999999}`: "rate_limit.per_second", `{}`: "rate_limit.per_second", `50`: "rate_limit", `[]`: "rate_limit",
		`{"per_second":5,"burst":9}`: "rate_limit.burst",
	} {
		_, err := subscription.Read(parse(t, `{"url":"https://a.example","rate_limit":`+text+`}`), subscription.Default(), &egress.Guard{})
		var problem *httpapi.Problem
		if !errors.As(err, &problem) {
			if err != nil || field != "" {
				t.Errorf("%s: error %v, want a fault in %q", text, err, field)
			}
			continue
		}
		if len(problem.Errors) != 1 || problem.Errors[0].Field != field {
			t.Errorf("%s: faults %+v, want one in %q", text, problem.Errors, field)
		}
	}
}
