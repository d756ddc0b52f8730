package template

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A deployment moves the alias. Without AutoPublishAliasAllProperties a changed template would not reach it.
func TestEverybodyCallsTheAliasThatDeploymentsMove(t *testing.T) {
	template := read(t)
	if got := at(template, "Globals", "Function", "AutoPublishAlias"); got != "live" {
		t.Errorf("functions publish the alias %v", got)
	}
	for id, f := range functions(template) {
		if f["AutoPublishAliasAllProperties"] != "true" {
			t.Errorf("%s: a change of its settings alone would not be published", id)
		}
	}
	for id, i := range resources(template, "AWS::ApiGatewayV2::Integration") {
		if got := text(at(i["IntegrationUri"], "Ref")); got != target(i["IntegrationUri"])+".Alias" {
			t.Errorf("%s calls %v, want the alias", id, i["IntegrationUri"])
		}
	}
	for id, p := range resources(template, "AWS::Lambda::Permission") {
		if got := text(at(p["FunctionName"], "Ref")); got != target(p["FunctionName"])+".Alias" {
			t.Errorf("%s permits to call %v, want the alias", id, p["FunctionName"])
		}
	}
}

func TestDeploymentsAreTakenBackOnAlarmsOfTheirFunction(t *testing.T) {
	template := read(t)
	for id, f := range functions(template) {
		if got := target(at(f["DeploymentPreference"], "Type")); got != "Deployment" {
			t.Errorf("%s is deployed as %v, want the parameter", id, got)
		}
		var alarms []string
		for _, a := range list(otherwise(at(f["DeploymentPreference"], "Alarms"))) {
			alarms = append(alarms, target(a))
		}
		want := []string{id + "ErrorsAlarm", id + "DurationAlarm"}
		if failures[id] != "" { // not the API's 5xx, which are refusals for overload too
			want = append(want, id+"FailuresAlarm")
		}
		if diff := cmp.Diff(want, alarms); diff != "" {
			t.Errorf("%s is taken back on (-want +got):\n%s", id, diff)
		}
	}
}

func TestFunctionsThatCallSubscribersCanHaveFixedAddresses(t *testing.T) {
	template := read(t)
	for id, f := range functions(template) {
		_, callsOut := environment(f)["POSTINO_EGRESS_ALLOW"]
		if inVPC := f["VpcConfig"] != nil; inVPC != callsOut {
			t.Errorf("%s calls subscribers: %v, can be in a VPC: %v", id, callsOut, inVPC)
		}
		role := resources(template, "AWS::IAM::Role")[target(f["Role"])]
		if may := role["ManagedPolicyArns"] != nil; may != callsOut {
			t.Errorf("%s may be plugged into a VPC: %v, want %v", id, may, callsOut)
		}
	}
	for id := range functions(template) {
		if at(template, "Resources", id, "DeletionPolicy") != "Delete" {
			t.Errorf("%s: SAM retains its versions, which keep their interfaces in subnets that it has left", id)
		}
	}
	for id, n := range resources(template, "AWS::EC2::NatGateway") {
		address := target(n["AllocationId"])
		if at(template, "Resources", address, "UpdateReplacePolicy") != "Retain" {
			t.Errorf("%s has the address %s, which goes with the stack", id, address)
		}
	}
	endpoints := map[string]string{}
	for _, e := range resources(template, "AWS::EC2::VPCEndpoint") {
		endpoints[text(at(e["ServiceName"], "Fn::Sub"))] = text(e["VpcEndpointType"])
	}
	want := map[string]string{"com.amazonaws.${AWS::Region}.dynamodb": "Gateway", "com.amazonaws.${AWS::Region}.sqs": "Interface"}
	if diff := cmp.Diff(want, endpoints); diff != "" {
		t.Errorf("endpoints that keep traffic off the NAT gateways (-want +got):\n%s", diff)
	}
}

// Provisioned pollers and a maximum of concurrency exclude each other.
func TestPollersReplaceConcurrency(t *testing.T) {
	var polled []string
	for _, m := range mappings(read(t)) {
		pollers, limit := list(at(m.properties["ProvisionedPollerConfig"], "Fn::If")), list(at(m.properties["ScalingConfig"], "Fn::If"))
		if pollers == nil {
			continue
		}
		polled = append(polled, m.queue)
		if len(limit) != 3 || limit[0] != pollers[0] || text(at(limit[1], "Ref")) != "AWS::NoValue" || text(at(pollers[2], "Ref")) != "AWS::NoValue" {
			t.Errorf("%s: pollers %v and concurrency %v may be set together", m.queue, pollers, limit)
		}
	}
	if want := []string{"Deliveries", "Events"}; !slices.Equal(polled, want) {
		t.Errorf("pollers can be provisioned for %v, want %v", polled, want)
	}
}

func TestEachFunctionCanReserveConcurrency(t *testing.T) {
	template := read(t)
	for _, id := range slices.Sorted(maps.Keys(functions(template))) {
		if got := target(otherwise(functions(template)[id]["ReservedConcurrentExecutions"])); got != id+"Reserved" {
			t.Errorf("%s reserves %v, want the parameter %sReserved", id, got, id)
		}
	}
}
