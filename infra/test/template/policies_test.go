package template

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
			if target(arn) != "CallbackNetwork" {
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

// A key policy must say "*", which there means the key itself. So must the policy of network interfaces, which have no name before they
// are made. No other resource may.
func TestOnlyTheKeyPolicyAndTheNetworkSayStar(t *testing.T) {
	for id, r := range read(t)["Resources"].(object) {
		if at(r, "Type") != "AWS::KMS::Key" && id != "CallbackNetwork" && saysStar(r) {
			t.Errorf("%s has a wildcard resource", id)
		}
	}
}

// Lambda takes the role of a function to plug it into a network. What the function runs must not do the same.
func TestTheCodeOfFunctionsMayNotMakeNetworkInterfaces(t *testing.T) {
	policy := resources(read(t), "AWS::IAM::ManagedPolicy")["CallbackNetwork"]
	allowed, denied := []any{}, []any{}
	for _, s := range list(at(policy, "PolicyDocument", "Statement")) {
		if at(s, "Effect") == "Allow" {
			allowed = append(allowed, list(at(s, "Action"))...)
		} else if at(s, "Condition", "Null", "lambda:SourceFunctionArn") == "false" {
			denied = append(denied, list(at(s, "Action"))...)
		}
	}
	if !slices.Contains(allowed, any("ec2:DeleteNetworkInterface")) {
		t.Errorf("Lambda may %v, so that interfaces would stay when a function leaves its network", allowed)
	}
	if diff := cmp.Diff(allowed, denied); diff != "" {
		t.Errorf("what the code may do of what Lambda may (-Lambda +denied to code):\n%s", diff)
	}
	for _, action := range allowed {
		if !strings.HasPrefix(text(action), "ec2:") {
			t.Errorf("the network's policy allows %v", action)
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
			"Manage":   {"Events", "Exhausted", "Resend", "Retries"}, // to conclude what was pulled
			"Sweep":    {"Events", "Resend", "Retries"},
		}},
		{"sqs:ReceiveMessage", map[string][]string{"Fanout": {"Events"}, "Delivery": {"Deliveries", "Resend", "Retries"}}},
		{"sqs:DeleteMessage", map[string][]string{"Fanout": {"Events"}, "Delivery": {"Deliveries", "Resend", "Retries"}}},
		{"kms:Decrypt", map[string][]string{ // the table's data comes by a key of one's own, if it has one
			"Ingest": {"TableKey"}, "Fanout": {"TableKey"}, "Delivery": {"SealingKey", "TableKey"}, "Manage": {"SealingKey", "TableKey"}, "Sweep": {"TableKey"},
		}},
		{"kms:DescribeKey", map[string][]string{
			"Ingest": {"TableKey"}, "Fanout": {"TableKey"}, "Delivery": {"TableKey"}, "Manage": {"TableKey"}, "Sweep": {"TableKey"},
		}},
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
