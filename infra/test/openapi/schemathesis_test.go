package openapi_test

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/infra/tools/testserver"
)

// checks are what Schemathesis holds every answer to: no fault of ours, nothing
// but what is described, and no bad request taken.
var checks = []string{
	"not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance", "response_schema_conformance",
	"unsupported_method", "allow_header_conformance", "negative_data_rejection", "missing_required_header", "ignored_auth",
}

// TestSchemathesisFindsNothing has Schemathesis make requests of the
// description, good and bad, in and out of order, and send them to a server. Its
// seed and the number of its examples are fixed: about 40 s.
func TestSchemathesisFindsNothing(t *testing.T) {
	command := testserver.Require(t, "POSTINO_SCHEMATHESIS")
	s := start(t)
	description, err := filepath.Abs(exact)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // of a machine that does much else
	defer cancel()
	cmd := exec.CommandContext(ctx, command, "run", description, "--url", s.URL(), "--header", "Authorization: Bearer "+adminKey,
		"--checks", strings.Join(checks, ","), "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "3",
		"--seed", "1", "--workers", "1", "--no-shrink", "--continue-on-failure", "--request-timeout", "30")
	cmd.Dir = t.TempDir() // where it leaves files
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v:\n%s", err, output)
	}
	all := fmt.Sprintf("Tested: %d\n", len(open(t, false).operations()))
	if !strings.Contains(string(output), all) {
		t.Errorf("want %q of:\n%s", all, output)
	}
	_, summary, _ := strings.Cut(string(output), "= SUMMARY =")
	t.Log(summary)
}
