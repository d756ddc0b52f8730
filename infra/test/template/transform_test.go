package template

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/postino/postino/infra/tools/testserver"
)

var transformed struct {
	once sync.Once
	text []byte
	err  error
}

// transform returns the template as CloudFormation has it, after SAM's transform.
func transform(t *testing.T) (text []byte, template object) {
	t.Helper()
	python := filepath.Join(filepath.Dir(testserver.Require(t, "POSTINO_SAM")), "python")
	transformed.once.Do(func() {
		cmd := exec.CommandContext(t.Context(), python, "infra/test/template/transform.py")
		cmd.Dir, cmd.Stderr = "../../..", os.Stderr
		cmd.Env = append(os.Environ(), "AWS_DEFAULT_REGION="+testserver.Region)
		transformed.text, transformed.err = cmd.Output()
	})
	if transformed.err != nil {
		t.Fatalf("SAM does not transform the template: %v", transformed.err)
	}
	if err := json.Unmarshal(transformed.text, &template); err != nil {
		t.Fatal(err)
	}
	return transformed.text, template
}

func TestTheTransformLeadsEverythingToTheAlias(t *testing.T) {
	_, template := transform(t)
	seen := 0
	for kind, keys := range map[string][]string{
		"AWS::Lambda::EventSourceMapping": {"FunctionName"}, "AWS::Scheduler::Schedule": {"Target", "Arn"},
		"AWS::ApiGatewayV2::Integration": {"IntegrationUri"}, "AWS::Lambda::Permission": {"FunctionName"},
	} {
		for id, r := range resources(template, kind) {
			seen++
			if got := target(at(r, keys...)); !strings.HasSuffix(got, "Aliaslive") {
				t.Errorf("%s calls %s, want an alias", id, got)
			}
		}
	}
	if want := 4 + 1 + 2 + 2; seen != want {
		t.Errorf("%d callers, want %d", seen, want)
	}
	for function := range functions(read(t)) {
		group := resources(template, "AWS::CodeDeploy::DeploymentGroup")[function+"DeploymentGroup"]
		branches := list(at(group["AlarmConfiguration"], "Fn::If"))
		if len(branches) != 3 || len(list(at(branches[1], "Alarms"))) < 2 || len(list(at(branches[2], "Alarms"))) > 0 {
			t.Errorf("%s is taken back on %v, want its alarms if RollbackOnAlarms", function, group["AlarmConfiguration"])
		}
	}
}

// What SAM makes is linted with the options all on, and all off: conditions leave out other halves.
func TestTheTransformedTemplateHasNothingToLintWhateverIsChosen(t *testing.T) {
	text, _ := transform(t)
	file := filepath.Join(t.TempDir(), "template.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	lint := testserver.Require(t, "POSTINO_CFN_LINT")
	for name, chosen := range map[string][]string{
		"all": {
			"Network=fixed", "Alarms=on", "AlarmEmail=a@b.example", "Dashboard=on", "DomainName=a.example", "HostedZoneId=Z0123456789",
			"CertificateArn=arn:aws:acm:us-east-1:000000000000:certificate/0", "EventsPollers=2", "DeliveriesPollers=2", "IngestReserved=10",
			"TableKey=arn:aws:kms:us-east-1:000000000000:key/0",
		},
		"none": {"Alarms=off", "Dashboard=off", "AccessLog=off", "RollbackOnAlarms=off"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ignored := []string{"W2001", "W1030"} // a parameter that SAM has put in its place; and see the template's own Metadata
			inRoot(t, lint, append(append([]string{"--ignore-checks", ignored[0], ignored[1], "--parameters"}, chosen...), "--", file)...)
		})
	}
}
