package subscription

import (
	"strings"
	"testing"
)

func TestAStatusIsNotASuccessAndPermanent(t *testing.T) {
	for retry, field := range map[string]string{
		`{"permanent":["4xx","2xx"]}`:                   "retry.permanent[1]",
		`{"permanent":["204"]}`:                         "retry.permanent[0]",
		`{"success":["200","409"],"permanent":["409"]}`: "retry.permanent[0]",
		`{"success":["2xx","4xx"],"permanent":["404"]}`: "retry.permanent[0]",
	} {
		if got := detail(t, `"retry":`+retry); !strings.Contains(got, "is a success too") {
			t.Errorf("%s: %q, want a fault of %s", retry, got, field)
		}
	}
	for _, retry := range []string{`{"success":["200"],"permanent":["2xx"]}`, `{"permanent":["4xx","501"]}`, `{"permanent":[]}`} {
		if faults := faultsOf(t, `"retry":`+retry); faults != nil {
			t.Errorf("%s: %v, want none", retry, faults)
		}
	}
}
