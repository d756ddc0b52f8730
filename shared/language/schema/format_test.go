package schema_test

import (
	"testing"

	"github.com/postino/postino/shared/language/schema"
)

func TestFormatsHoldInEveryDraft(t *testing.T) {
	for _, draft := range []string{``, `"$schema":"https://json-schema.org/draft/2020-12/schema",`, `"$schema":"http://json-schema.org/draft-07/schema#",`} {
		for _, tt := range []struct {
			format, data string
			well         bool
		}{
			{"date-time", `"2026-03-01T12:00:00Z"`, true},
			{"date-time", `"2026-03-01t12:00:00z"`, true},
			{"date-time", `"2016-12-31T23:59:60Z"`, true},
			{"date-time", `"2026-03-01T12:00:00+24:00"`, false},
			{"date-time", `"2026-03-01"`, false},
			{"date-time", `5`, true}, // a format is of strings
			{"date", `"2026-02-30"`, false},
			{"uuid", `"nope"`, false},
			{"email", `"nope"`, false},
			{"regex", `"("`, false},
			{"colour", `"nope"`, true}, // nobody knows it
		} {
			compiled, faults := schema.Compile([]byte(`{` + draft + `"format":"` + tt.format + `"}`))
			if faults != nil {
				t.Fatalf("%s: %v", tt.format, faults)
			}
			budget := schema.MaxCost
			if got := compiled.Check([]byte(tt.data), &budget); (got == nil) != tt.well {
				t.Errorf("%s %s %s: %v, want well = %v", draft, tt.format, tt.data, got, tt.well)
			}
		}
	}
}
