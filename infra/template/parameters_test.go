package template

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Who deploys from the console sees the groups and labels, not the names.
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
		if text(at(shown, "ParameterLabels", name, "default")) == "" {
			t.Errorf("%s has no label", name)
		}
		if text(at(parameters, name, "Description")) == "" {
			t.Errorf("%s has no description", name)
		}
		if at(parameters, name, "Default") == nil {
			t.Errorf("%s has no default, so deploying would ask for it", name)
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
	publish := at(stage["RouteSettings"], "POST /v1/tenants/{tenant}/events")
	if target(at(publish, "ThrottlingRateLimit")) != "PublishRate" || target(at(publish, "ThrottlingBurstLimit")) != "PublishBurst" {
		t.Errorf("publish limits %v, want the parameters", publish)
	}
	if number(at(stage, "DefaultRouteSettings", "ThrottlingRateLimit")) == 0 {
		t.Error("the other routes have no limit")
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
