package template

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// others are second values of parameters whose patterns no rule derives them from.
var others = map[string]string{
	"EgressAllow": "10.0.0.0/8", "EgressPorts": "443,8443", "SubnetIds": "subnet-0123456789abcdef2,subnet-0123456789abcdef3",
	"SecurityGroupIds": "sg-0123456789abcdef1", "VpcCidr": "10.74.0.0/24", "DomainName": "other.example.com",
	"CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/1", "HostedZoneId": "Z0123456789", "AlarmEmail": "a@b.example",
	"TableKey": "arn:aws:kms:us-east-1:000000000000:key/1",
}

// another returns an allowed value of a parameter beside the one it has.
func another(t *testing.T, s stack, name string) string {
	t.Helper()
	now, _ := s.parameter(name)
	p := at(s.template, "Parameters", name)
	for _, v := range list(at(p, "AllowedValues")) {
		if fmt.Sprint(v) != now {
			return fmt.Sprint(v)
		}
	}
	if at(p, "Type") == "Number" {
		if n, _ := strconv.Atoi(now); at(p, "MaxValue") == nil || n < number(at(p, "MaxValue")) {
			return strconv.Itoa(n + 1)
		}
		return strconv.Itoa(number(at(p, "MinValue")))
	}
	if others[name] == "" {
		t.Fatalf("%s: the table others has no second value for it", name)
	}
	return others[name]
}

// The alias, which everybody calls, leads to a published version, and CloudFormation publishes another one only if a property of the
// version changes: SAM gives it a new logical id for a changed template, and none for a changed parameter. To publish what has not
// changed is an error too, with which a deployment ends.
func TestWhatReachesAFunctionIsPublishedAndNothingElse(t *testing.T) {
	template := read(t)
	for _, base := range deployed(t)[:len(choices)] {
		for parameter := range template["Parameters"].(object) {
			changed := base.with(map[string]string{parameter: another(t, base, parameter)})
			for id := range functions(template) {
				reaches, published := !cmp.Equal(configuration(base, id), configuration(changed, id)), version(base, id) != version(changed, id)
				if reaches != published {
					t.Errorf("with %v, %s %s reaches %s: %v; it publishes a version: %v", base.parameters, parameter, changed.parameters[parameter], id, reaches, published)
				}
			}
		}
	}
}

// Only then is it enough to transform once what the test above deploys with
// many parameters.
func TestSAMPublishesNothingForAParameterByItself(t *testing.T) {
	ids := func(s stack) []string { return slices.Sorted(maps.Keys(resources(s.template, "AWS::Lambda::Version"))) }
	if diff := cmp.Diff(ids(deployed(t)[0]), ids(deployed(t)[len(choices)])); diff != "" {
		t.Errorf("versions (-defaults +all parameters changed):\n%s", diff)
	}
}

// configuration is what a version of a function keeps.
func configuration(s stack, id string) object {
	kept := s.resolve(resources(s.template, "AWS::Lambda::Function")[id]).(object)
	for _, name := range []string{"ReservedConcurrentExecutions", "Tags", "RecursiveLoop"} { // of the function itself, at once
		delete(kept, name)
	}
	return kept
}

// version is what identifies the version of a function that is published.
func version(s stack, id string) string {
	for name, properties := range resources(s.template, "AWS::Lambda::Version") {
		if strings.HasPrefix(name, id+"Version") {
			return name + fingerprint(s.resolve(properties))
		}
	}
	return ""
}
