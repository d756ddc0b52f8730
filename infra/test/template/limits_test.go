package template

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// longest are the longest values that the parameters allow, beside a stack name
// of the 128 characters that CloudFormation takes.
func longest(t *testing.T, base stack) stack {
	t.Helper()
	base.name = strings.Repeat("n", 128)
	p := base.template["Parameters"].(object)
	fill := func(parameter, with string) string {
		limit := number(at(p, parameter, "MaxLength"))
		if limit == 0 {
			t.Fatalf("%s has no MaxLength", parameter)
		}
		return strings.Repeat(with, limit/len(with)+1)[:limit]
	}
	return base.with(map[string]string{
		"EgressAllow": fill("EgressAllow", "10.123.123.0/24,"), "EgressPorts": fill("EgressPorts", "10443,"), "DomainName": fill("DomainName", "hooks."),
		"SubnetIds":        strings.TrimSuffix(strings.Repeat("subnet-0123456789abcdef0,", 16), ","), // Lambda takes 16
		"SecurityGroupIds": strings.TrimSuffix(strings.Repeat("sg-0123456789abcdef0,", 5), ","),      // and 5
		"LogLevel":         "ERROR", "Retention": "365", "PayloadRetention": "365", "OnceRetention": "3650", "MaxSubscriptions": "1000000000",
		"MaxBacklog": "1000000000", "AlarmEmail": strings.Repeat("a", 64) + "@b.example",
	})
}

// lengths are the most characters that AWS takes, by type and property.
var lengths = map[string]map[string]int{
	"AWS::ApiGatewayV2::Api":      {"Name": 128},
	"AWS::CloudWatch::Alarm":      {"AlarmName": 255, "AlarmDescription": 1024},
	"AWS::CloudWatch::Dashboard":  {"DashboardName": 255},
	"AWS::IAM::ManagedPolicy":     {"Description": 1000},
	"AWS::KMS::Alias":             {"AliasName": 256},
	"AWS::KMS::Key":               {"Description": 8192},
	"AWS::Lambda::Function":       {"FunctionName": 64},
	"AWS::Lambda::Version":        {"Description": 256},
	"AWS::Logs::LogGroup":         {"LogGroupName": 512},
	"AWS::SNS::Topic":             {"TopicName": 256},
	"AWS::SQS::Queue":             {"QueueName": 80},
	"AWS::Scheduler::Schedule":    {"Name": 64},
	"AWS::SecretsManager::Secret": {"Description": 2048},
}

func TestEverythingFitsWhateverTheStackIsCalledAndTheParametersSay(t *testing.T) {
	for _, base := range deployed(t)[:len(choices)] {
		s := longest(t, base)
		for kind, limits := range lengths {
			for id, properties := range s.resources(kind) {
				for property, limit := range limits {
					if n := utf8.RuneCountInString(text(properties[property])); n > limit && !generated(properties[property]) {
						t.Errorf("with %v: %s of %s has %d characters, AWS takes %d: %s", base.parameters, property, id, n, limit, properties[property])
					}
				}
			}
		}
	}
}

// generated reports whether a text is one that AWS makes up, and fits.
func generated(v any) bool { return strings.HasPrefix(text(v), "<") }

// Whoever names a thing by the stack's name belongs into the table above.
func TestTheTableOfLengthsHasEveryName(t *testing.T) {
	s := deployed(t)[0]
	s.name = "STACKNAME"
	for id, r := range s.template["Resources"].(object) {
		kind := text(at(r, "Type"))
		properties, _ := at(r, "Properties").(object)
		for property, v := range properties {
			resolved, isText := s.resolve(v).(string)
			if isText && strings.Contains(resolved, s.name) && !generated(resolved) && !strings.HasPrefix(resolved, "arn:") && lengths[kind][property] == 0 && property != "DashboardBody" {
				t.Errorf("%s of %s holds the stack's name, and lengths no limit for it", property, id)
			}
		}
	}
}

// Lambda takes 4 KB of environment, with names and values, in all.
func TestEnvironmentsFit(t *testing.T) {
	const room = 4096 - 4*100 - 200 // names that AWS makes up are up to 100 characters longer than those in these stacks
	for _, base := range deployed(t)[:len(choices)] {
		for id, function := range longest(t, base).resources("AWS::Lambda::Function") {
			size := 0
			for name, value := range at(function, "Environment", "Variables").(object) {
				size += len(name) + len(text(value))
			}
			if size > room {
				t.Errorf("with %v: the environment of %s has %d bytes, want %d at most", base.parameters, id, size, room)
			}
		}
	}
}

// The sum of a role's own policies may have 10,240 characters, a managed policy
// 6,144, without blanks.
func TestPoliciesFit(t *testing.T) {
	for _, base := range deployed(t)[:len(choices)] {
		s := longest(t, base)
		for id, role := range s.resources("AWS::IAM::Role") {
			fits(t, id, role["Policies"], 10_240)
		}
		for id, policy := range s.resources("AWS::IAM::ManagedPolicy") {
			fits(t, id, policy["PolicyDocument"], 6_144)
		}
		for id, policy := range s.resources("AWS::SNS::TopicPolicy") {
			fits(t, id, policy["PolicyDocument"], 30_720)
		}
	}
}

func fits(t *testing.T, id string, policy any, limit int) {
	t.Helper()
	written, err := json.Marshal(policy)
	if err != nil {
		t.Fatal(err)
	}
	if len(written) > limit {
		t.Errorf("%s has policies of %d characters, AWS takes %d", id, len(written), limit)
	}
}

// The policy of an account's log deliveries has room for a few groups of other
// names, and the stage of one more cannot be made.
func TestAPIGatewayLogsWhereItNeedsNoPolicyForEachGroup(t *testing.T) {
	for id, group := range deployed(t)[0].resources("AWS::Logs::LogGroup") {
		name := text(group["LogGroupName"])
		if strings.HasPrefix(name, "/aws/lambda/") == (id == "ApiLogs") || id == "ApiLogs" && !strings.HasPrefix(name, "/aws/vendedlogs/") {
			t.Errorf("%s is named %s", id, name)
		}
	}
}

// untyped are the properties whose type is JSON, in which the number of a
// parameter arrives as a string.
var untyped = map[string][]string{
	"AWS::ApiGatewayV2::Api":         {"Body", "Tags"},
	"AWS::ApiGatewayV2::Integration": {"RequestParameters", "RequestTemplates", "ResponseParameters"},
	"AWS::ApiGatewayV2::Route":       {"RequestModels", "RequestParameters"},
	"AWS::ApiGatewayV2::Stage":       {"RouteSettings", "StageVariables", "Tags"},
}

func TestPropertiesOfTypeJSONHoldNoParameters(t *testing.T) {
	template, seen := read(t), 0
	for kind, names := range untyped {
		for id, properties := range resources(template, kind) {
			for _, property := range names {
				if v := properties[property]; v != nil {
					seen++
					if !literal(v) {
						t.Errorf("%s of %s is %v: want literals", property, id, v)
					}
				}
			}
		}
	}
	if seen == 0 {
		t.Error("the template has no property of type JSON: RouteSettings is one")
	}
}
