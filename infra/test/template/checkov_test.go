package template

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/postino/postino/infra/tools/testserver"
)

// judged are the findings of checkov that stay, with the reason.
var judged = map[string]struct {
	kinds []string // of resources
	why   string
}{
	"CKV_AWS_27":  {[]string{"AWS::SQS::Queue"}, "the queues are encrypted by SQS's own key (SqsManagedSseEnabled); a key of one's own is asked, and paid, for messages"},
	"CKV_AWS_95":  {[]string{"AWS::ApiGatewayV2::Stage"}, "the access log is on unless AccessLog is off; checkov does not read Fn::If"},
	"CKV_AWS_111": {[]string{"AWS::IAM::ManagedPolicy"}, "network interfaces have no name before they are made; what a function runs may not do it: TestTheCodeOfFunctionsMayNotMakeNetworkInterfaces"},
	"CKV_AWS_116": {[]string{"AWS::Serverless::Function"}, "nobody invokes a function asynchronously but the schedule, which comes again in a minute; the queues have dead letters"},
	"CKV_AWS_117": {[]string{"AWS::Serverless::Function"}, "these functions call AWS alone; a network costs $88 a month, and Network is for those that call subscribers"},
	"CKV_AWS_149": {[]string{"AWS::SecretsManager::Secret"}, "the secret is encrypted by the account's key for secrets, and read by two roles"},
	"CKV_AWS_158": {[]string{"AWS::Logs::LogGroup"}, "CloudWatch encrypts logs by its own key; they have no bodies and no secrets"},
	"CKV_AWS_173": {[]string{"AWS::Serverless::Function"}, "variables name resources and limits, no secrets; Lambda encrypts them by its own key"},
}

// TestEveryFindingOfCheckovIsJudged: a new one is mended, or gets its reason here.
func TestEveryFindingOfCheckovIsJudged(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), testserver.Require(t, "POSTINO_CHECKOV"), "--file", "template.yaml",
		"--framework", "cloudformation", "--skip-download", "--quiet", "--compact", "--soft-fail", "--output", "json")
	cmd.Dir, cmd.Stderr = "../../..", os.Stderr
	cmd.Env = append(os.Environ(), "BC_SKIP_MAPPING=TRUE") // it asks nobody
	said, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Summary struct {
			Passed  int
			Parsing int `json:"parsing_errors"`
		}
		Results struct {
			Failed []struct {
				ID       string `json:"check_id"`
				Name     string `json:"check_name"`
				Resource string
			} `json:"failed_checks"`
		}
	}
	if err := json.Unmarshal(said, &report); err != nil {
		t.Fatalf("%v: %.300s", err, said)
	}
	if report.Summary.Passed == 0 || report.Summary.Parsing > 0 {
		t.Errorf("%d checks passed, with %d errors of parsing: want the template read", report.Summary.Passed, report.Summary.Parsing)
	}
	found := map[string]bool{}
	for _, f := range report.Results.Failed {
		found[f.ID] = true
		if !slices.ContainsFunc(judged[f.ID].kinds, func(kind string) bool { return len(f.Resource) > len(kind) && f.Resource[:len(kind)] == kind }) {
			t.Errorf("%s: %s (%s)", f.Resource, f.Name, f.ID)
		}
	}
	for id := range judged {
		if !found[id] {
			t.Errorf("checkov finds no %s any more: remove the reason", id)
		}
	}
}
