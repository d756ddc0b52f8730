package template

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/postino/postino/infra/tools/testserver"
)

// transform returns the template as CloudFormation has it, after SAM's transform,
// deployed with the defaults.
func transform(t *testing.T) (text []byte, template object) {
	t.Helper()
	template = deployed(t)[0].template
	text, err := json.Marshal(template)
	if err != nil {
		t.Fatal(err)
	}
	return text, template
}

// choices are deployments in which each parameter matters once: with the
// defaults, with our network, and with one that is there.
var choices = []map[string]string{
	{},
	{"Network": "fixed", "TableKey": "arn:aws:kms:us-east-1:000000000000:key/0"},
	{"Network": "existing", "SubnetIds": "subnet-0123456789abcdef0,subnet-0123456789abcdef1", "SecurityGroupIds": "sg-0123456789abcdef0",
		"DomainName": "hooks.example.com", "CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/0"},
}

var transformed struct {
	once       sync.Once
	err        error
	templates  []object
	createOnly map[string][]string
	rights     map[string][]string // of whoever deploys, by type
}

// deployed returns the stacks of choices, and after these one in which each
// parameter is another than by default. SAM sees the parameters too, as it does
// in CloudFormation.
func deployed(t *testing.T) (stacks []stack) {
	t.Helper()
	all := append(slices.Clone(choices), map[string]string{})
	first := stack{template: read(t)}
	for parameter := range first.template["Parameters"].(object) {
		all[len(choices)][parameter] = another(t, first, parameter)
	}
	python := filepath.Join(filepath.Dir(testserver.Require(t, "POSTINO_SAM")), "python")
	transformed.once.Do(func() { transformed.err = runTransform(python, all) })
	if transformed.err != nil {
		t.Fatalf("SAM does not transform the template: %v", transformed.err)
	}
	for i, template := range transformed.templates {
		stacks = append(stacks, stack{template: template, parameters: all[i], name: "postino", createOnly: transformed.createOnly})
	}
	return stacks
}

// runTransform transforms the template with each of the choices.
func runTransform(python string, all []map[string]string) error {
	input, err := json.Marshal(all)
	if err != nil {
		return err
	}
	cmd := exec.Command(python, "infra/test/template/transform.py")
	cmd.Dir, cmd.Stderr, cmd.Stdin = "../../..", os.Stderr, bytes.NewReader(input)
	cmd.Env = append(os.Environ(), "AWS_DEFAULT_REGION="+testserver.Region)
	output, err := cmd.Output()
	if err != nil {
		return err
	}
	var made struct {
		Templates   []object
		CreateOnly  map[string][]string
		Permissions map[string][]string
	}
	err = json.Unmarshal(output, &made)
	transformed.templates, transformed.createOnly, transformed.rights = made.Templates, made.CreateOnly, made.Permissions
	return err
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
