package template

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Who deploys from the console sees the groups and labels, and no names. So a
// label begins with the name, which documentation, rules and descriptions use.
func TestEveryParameterIsLabelledGroupedAndDescribed(t *testing.T) {
	template := read(t)
	parameters := template["Parameters"].(object)
	shown := at(template, "Metadata", "AWS::CloudFormation::Interface")
	var grouped []string
	for _, g := range list(at(shown, "ParameterGroups")) {
		if text(at(g, "Label", "default")) == "" {
			t.Errorf("group %v has no label", g)
		}
		for _, name := range list(at(g, "Parameters")) {
			grouped = append(grouped, text(name))
		}
	}
	slices.Sort(grouped)
	names := slices.Sorted(maps.Keys(parameters))
	if diff := cmp.Diff(names, grouped); diff != "" {
		t.Errorf("grouped parameters (-want +got):\n%s", diff)
	}
	for _, name := range names {
		if label := text(at(shown, "ParameterLabels", name, "default")); !strings.HasPrefix(label, name+": ") {
			t.Errorf("%s has the label %q, want its name, a colon, and what it is", name, label)
		}
		if text(at(parameters, name, "Description")) == "" {
			t.Errorf("%s has no description", name)
		}
		if at(parameters, name, "Default") == nil {
			t.Errorf("%s has no default, so deploying would ask for it", name)
		}
	}
}

// Who deploys for the first time reads one group.
func TestTheFirstGroupHasTenParametersAndTheOthersAreAdvanced(t *testing.T) {
	for i, g := range list(at(read(t), "Metadata", "AWS::CloudFormation::Interface", "ParameterGroups")) {
		advanced := strings.HasPrefix(text(at(g, "Label", "default")), "Advanced: ")
		if n := len(list(at(g, "Parameters"))); advanced == (i == 0) || i == 0 && n > 10 {
			t.Errorf("group %d, %v, has %d parameters", i+1, at(g, "Label", "default"), n)
		}
	}
}

func TestOutputsTellWhereThingsAre(t *testing.T) {
	outputs := read(t)["Outputs"].(object)
	want := []string{
		"AdminKeyCommand", "AdminKeySecret", "AlarmTopic", "DeadLetterQueues", "DomainTarget", "EgressAddresses", "Endpoint", "ExhaustedQueue",
		"ResendQueue", "SealingKeyArn", "TableName",
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(outputs))); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	for name, o := range outputs {
		if text(at(o, "Description")) == "" {
			t.Errorf("%s has no description", name)
		}
	}
}

func TestPublishingHasALimitOfItsOwn(t *testing.T) {
	stage := resources(read(t), "AWS::ApiGatewayV2::Stage")["ApiStage"]
	publish := stage["DefaultRouteSettings"]
	if target(at(publish, "ThrottlingRateLimit")) != "PublishRate" || target(at(publish, "ThrottlingBurstLimit")) != "PublishBurst" {
		t.Errorf("publish limits %v, want the parameters", publish)
	}
	if number(at(stage, "RouteSettings", "$default", "ThrottlingRateLimit")) == 0 {
		t.Error("the other routes have no limit")
	}
	if !literal(stage["RouteSettings"]) {
		t.Errorf("RouteSettings %v: a property of type JSON turns the numbers of parameters into strings, want literals", stage["RouteSettings"])
	}
}

// literal reports whether v holds no function of CloudFormation's.
func literal(v any) bool {
	o, isObject := v.(object)
	for name, part := range o {
		if name == "Ref" || strings.HasPrefix(name, "Fn::") || !literal(part) {
			return false
		}
	}
	return isObject || !slices.ContainsFunc(list(v), func(part any) bool { _, is := part.(object); return is })
}

// accessLogVariables are what AWS documents for the access logs of HTTP APIs. API
// Gateway refuses a stage whose format names another.
var accessLogVariables = strings.Fields(`accountId apiId authorizer.error authorizer.principalId awsEndpointRequestId awsEndpointRequestId2
	customDomain.basePathMatched dataProcessed domainName domainPrefix error.message error.messageString error.responseType extendedRequestId
	httpMethod identity.accountId identity.caller identity.cognitoAuthenticationProvider identity.cognitoAuthenticationType
	identity.cognitoIdentityId identity.cognitoIdentityPoolId identity.principalOrgId identity.clientCert.clientCertPem
	identity.clientCert.subjectDN identity.clientCert.issuerDN identity.clientCert.serialNumber identity.clientCert.validity.notBefore
	identity.clientCert.validity.notAfter identity.sourceIp identity.user identity.userAgent identity.userArn integration.error
	integration.integrationStatus integration.latency integration.requestId integration.status integrationErrorMessage integrationLatency
	integrationStatus path protocol requestId requestTime requestTimeEpoch responseLatency responseLength routeKey stage status`)

func TestAccessLogsNameOnlyWhatHTTPAPIsKnow(t *testing.T) {
	stage := resources(read(t), "AWS::ApiGatewayV2::Stage")["ApiStage"]
	format := text(at(otherwise(stage["AccessLogSettings"]), "Format"))
	used := regexp.MustCompile(`\$context\.([A-Za-z0-9.]+)`).FindAllStringSubmatch(format, -1)
	if len(used) == 0 {
		t.Fatalf("the access log's format %q names no variable", format)
	}
	for _, m := range used {
		if !slices.Contains(accessLogVariables, m[1]) {
			t.Errorf("the access log names $context.%s, which HTTP APIs do not have", m[1])
		}
	}
}

func TestRoutesLeadToIngestAndManage(t *testing.T) {
	template := read(t)
	integrations := resources(template, "AWS::ApiGatewayV2::Integration")
	got := map[string]string{}
	for _, r := range resources(template, "AWS::ApiGatewayV2::Route") {
		id := target(object{"Fn::Sub": text(at(r["Target"], "Fn::Sub"))[len("integrations/"):]})
		got[text(r["RouteKey"])] = target(integrations[id]["IntegrationUri"])
	}
	want := map[string]string{"POST /v1/tenants/{tenant}/events": "Ingest", "$default": "Manage"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
}
