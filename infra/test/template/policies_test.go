package template

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// vpcPolicy lets Lambda make network interfaces, which no policy can name before they are made.
const vpcPolicy = "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"

func TestFunctionsMayDoOnlyNamedThingsToNamedResources(t *testing.T) {
	template := read(t)
	for function := range functions(template) {
		for _, s := range statements(t, template, function) {
			for _, action := range s.actions {
				if action == "" || strings.Contains(action, "*") || action == "dynamodb:Scan" || strings.HasPrefix(action, "dynamodb:PartiQL") {
					t.Errorf("%s may do %q", function, action)
				}
			}
			for _, r := range s.resources {
				if target(r) == "" || strings.Contains(text(at(r, "Fn::Sub")), "*") {
					t.Errorf("%s: %v may be done to %v, want a resource of this template", function, s.actions, r)
				}
			}
		}
	}
	for id, role := range resources(template, "AWS::IAM::Role") {
		for _, arn := range list(otherwise(role["ManagedPolicyArns"])) {
			if text(at(arn, "Fn::Sub")) != vpcPolicy {
				t.Errorf("%s has a policy that this test cannot see: %v", id, arn)
			}
		}
	}
	for function, properties := range functions(template) {
		if properties["Policies"] != nil || properties["Tracing"] != nil {
			t.Errorf("%s: SAM would add a policy with a wildcard", function)
		}
	}
}

// A key policy must say "*", which there means the key itself. No other resource may.
func TestOnlyTheKeyPolicySaysStar(t *testing.T) {
	for id, r := range read(t)["Resources"].(object) {
		if at(r, "Type") != "AWS::KMS::Key" && saysStar(r) {
			t.Errorf("%s has a wildcard resource", id)
		}
	}
}

func saysStar(v any) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, saysStar)
	case object:
		if slices.Contains(list(v["Resource"]), any("*")) {
			return true
		}
		return slices.ContainsFunc(slices.Collect(maps.Values(v)), saysStar)
	}
	return false
}

// The table says, for each function, on what it may use each right that matters.
func TestEachFunctionHasTheRightsOfItsStage(t *testing.T) {
	for _, tt := range []struct {
		action string
		who    map[string][]string
	}{
		{"sqs:SendMessage", map[string][]string{
			"Ingest":   {"Events"},
			"Fanout":   {"Deliveries", "Events"},
			"Delivery": {"Events", "Exhausted", "Resend", "Retries"},
			"Manage":   {"Events", "Resend"},
			"Sweep":    {"Events", "Resend", "Retries"},
		}},
		{"sqs:ReceiveMessage", map[string][]string{"Fanout": {"Events"}, "Delivery": {"Deliveries", "Resend", "Retries"}}},
		{"sqs:DeleteMessage", map[string][]string{"Fanout": {"Events"}, "Delivery": {"Deliveries", "Resend", "Retries"}}},
		{"kms:Decrypt", map[string][]string{"Delivery": {"SealingKey"}, "Manage": {"SealingKey"}}},
		{"kms:GenerateDataKey", map[string][]string{"Manage": {"SealingKey"}}},
		{"secretsmanager:GetSecretValue", map[string][]string{"Ingest": {"AdminKey"}, "Manage": {"AdminKey"}}},
	} {
		template := read(t)
		got := map[string][]string{}
		for function := range functions(template) {
			if ids := allowed(t, template, function, tt.action); ids != nil {
				got[function] = ids
			}
		}
		if diff := cmp.Diff(tt.who, got); diff != "" {
			t.Errorf("who may %s (-want +got):\n%s", tt.action, diff)
		}
	}
}

// Lists read indexes: those of the API, and those that jobs work through.
func TestOnlyManageAndJobsReadIndexes(t *testing.T) {
	template := read(t)
	for function := range functions(template) {
		for _, s := range statements(t, template, function) {
			for _, r := range s.resources {
				index := strings.Contains(text(at(r, "Fn::Sub")), "/index/")
				lists := function == "Manage" || function == "Delivery"
				if index && (!lists || !slices.Equal(s.actions, []string{"dynamodb:Query"})) {
					t.Errorf("%s may %v an index; decisions never read one, since it lags", function, s.actions)
				}
			}
		}
	}
}
