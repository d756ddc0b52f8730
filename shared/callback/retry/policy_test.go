package retry

import (
	"errors"
	"strings"
	"testing"
)

func TestStatusesMeanWhatTheTableSays(t *testing.T) {
	standard := Policy{}
	line := Policy{Success: []string{"2xx", "409"}, Permanent: []string{"400", "4xx"}}
	odd := Policy{Success: []string{"410", "302"}, Permanent: []string{"302", "500"}}
	early := Policy{Success: []string{"1xx", "101", "2xx"}}
	for _, tt := range []struct {
		policy Policy
		name   string
		status int
		want   Outcome
	}{
		{standard, "standard", 200, Success},
		{standard, "standard", 204, Success},
		{standard, "standard", 299, Success},
		{standard, "standard", 100, Retry},
		{standard, "standard", 301, Retry}, // redirects are not followed
		{standard, "standard", 302, Retry},
		{standard, "standard", 304, Retry},
		{standard, "standard", 400, Retry},
		{standard, "standard", 404, Retry},
		{standard, "standard", 409, Retry},
		{standard, "standard", 410, Gone},
		{standard, "standard", 429, Retry},
		{standard, "standard", 500, Retry},
		{standard, "standard", 503, Retry},
		{standard, "standard", 0, Retry}, // no answer
		{standard, "standard", 999, Retry},
		{line, "line", 409, Success}, // success wins over permanent
		{line, "line", 400, Permanent},
		{line, "line", 422, Permanent},
		{line, "line", 410, Gone}, // gone wins over permanent
		{line, "line", 500, Retry},
		{odd, "odd", 410, Success}, // success wins over gone
		{odd, "odd", 302, Success},
		{odd, "odd", 200, Retry}, // a list replaces the default
		{odd, "odd", 500, Permanent},
		{early, "early", 101, Retry}, // such an answer never comes to an end
		{early, "early", 199, Retry},
	} {
		if got := tt.policy.Outcome(tt.status); got != tt.want {
			t.Errorf("%s policy: Outcome(%d) = %v, want %v", tt.name, tt.status, got, tt.want)
		}
	}
}

func TestPoliciesNameStatuses(t *testing.T) {
	for _, code := range []string{"200", "410", "599", "2xx", "5xx"} {
		if err := (Policy{Success: []string{code}, Permanent: []string{code}}).Validate(); err != nil {
			t.Errorf("Validate(%q) = %v, want it accepted", code, err)
		}
	}
	for _, code := range []string{"100", "101", "199", "1xx"} {
		if err := (Policy{Permanent: []string{code}}).Validate(); err != nil {
			t.Errorf("Validate(%q) as permanent = %v, want it accepted", code, err)
		}
		err := Policy{Success: []string{"2xx", code}}.Validate()
		if !errors.Is(err, ErrNoAnswer) || !strings.HasPrefix(err.Error(), "success[1]: ") {
			t.Errorf("Validate(%q) as success = %v, want success[1]: ErrNoAnswer", code, err)
		}
	}
	for _, code := range []string{"", "2", "20", "099", "600", "0xx", "6xx", "2XX", "x00", "20x", "2x0", "2000", "-20", "2 0", "٢00"} {
		err := Policy{Permanent: []string{"400", code}}.Validate()
		if !errors.Is(err, ErrCode) || !strings.HasPrefix(err.Error(), "permanent[1]: ") {
			t.Errorf("Validate(%q) = %v, want permanent[1]: ErrCode", code, err)
		}
	}
	if err := (Policy{Success: make([]string, MaxCodes+1)}).Validate(); !errors.Is(err, ErrTooManyCodes) {
		t.Errorf("Validate of %d entries = %v, want ErrTooManyCodes", MaxCodes+1, err)
	}
}

func TestOutcomesHaveNames(t *testing.T) {
	for outcome, want := range map[Outcome]string{Retry: "retry", Success: "success", Gone: "gone", Permanent: "permanent", 7: "7", -1: "-1"} {
		if got := outcome.String(); got != want {
			t.Errorf("Outcome(%d) = %q, want %q", int(outcome), got, want)
		}
	}
}
