package template

import (
	"slices"
	"testing"
)

// broken lists what the template's rules say against a choice of parameters,
// before anything is made.
func broken(s stack) (said []string) {
	for _, rule := range s.template["Rules"].(object) {
		if condition := at(rule, "RuleCondition"); condition != nil && !s.true(condition) {
			continue
		}
		for _, assertion := range list(at(rule, "Assertions")) {
			if !s.true(at(assertion, "Assert")) {
				said = append(said, text(at(assertion, "AssertDescription")))
			}
		}
	}
	slices.Sort(said)
	return said
}

// A resource would refuse them too, ten minutes later and in words of its own.
func TestParametersThatCannotWorkTogetherAreRefusedByARule(t *testing.T) {
	s := stack{template: read(t)}
	const subnets, groups = "subnet-0123456789abcdef0,subnet-0123456789abcdef1", "sg-0123456789abcdef0"
	for _, tt := range []struct {
		chosen map[string]string
		want   []string
	}{
		{map[string]string{"Network": "existing"}, []string{"Network existing needs SecurityGroupIds", "Network existing needs SubnetIds"}},
		{map[string]string{"Network": "existing", "SubnetIds": subnets}, []string{"Network existing needs SecurityGroupIds"}},
		{map[string]string{"Network": "existing", "SubnetIds": subnets, "SecurityGroupIds": groups}, nil},
		{map[string]string{"SubnetIds": subnets}, []string{"SubnetIds are only for Network existing"}},
		{map[string]string{"Network": "fixed", "SecurityGroupIds": groups}, []string{"SecurityGroupIds are only for Network existing"}},
		{map[string]string{"DomainName": "a.example"}, []string{"DomainName needs CertificateArn"}},
		{map[string]string{"HostedZoneId": "Z0123"}, []string{"HostedZoneId is only for a DomainName"}},
		{map[string]string{"CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/0"}, []string{"CertificateArn is only for a DomainName"}},
		{map[string]string{"EventsPollers": "1"}, []string{"EventsPollers is 0, or 2 and more: Lambda takes no single one"}},
		{map[string]string{"DeliveriesPollers": "1", "EventsPollers": "2"}, []string{"DeliveriesPollers is 0, or 2 and more: Lambda takes no single one"}},
		{map[string]string{"Alarms": "off", "AlarmEmail": "a@b.example"}, []string{"AlarmEmail needs Alarms on"}},
		{map[string]string{"Alarms": "off"}, nil},
		{map[string]string{"Metrics": "off", "Dashboard": "off"}, []string{"Alarms on needs Metrics on"}},
		{map[string]string{"Metrics": "off", "Alarms": "off"}, []string{"Dashboard on needs Metrics on"}},
		{map[string]string{"Metrics": "off", "Alarms": "off", "Dashboard": "off"}, nil},
	} {
		if got := broken(s.with(tt.chosen)); !slices.Equal(got, tt.want) {
			t.Errorf("%v: the rules say %q, want %q", tt.chosen, got, tt.want)
		}
	}
	for _, chosen := range choices {
		if got := broken(s.with(chosen)); got != nil {
			t.Errorf("%v: the rules say %q of what works", chosen, got)
		}
	}
}
