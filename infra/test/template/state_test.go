package template

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTableHasTheKeysThatTheStoreUses(t *testing.T) {
	table := resources(read(t), "AWS::DynamoDB::Table")["Table"]
	got := map[string][]string{"table": keys(table)}
	for _, index := range list(table["GlobalSecondaryIndexes"]) {
		got[text(at(index, "IndexName"))] = keys(index)
	}
	want := map[string][]string{"table": {"pk HASH", "sk RANGE"}, "GSI1": {"gsi1pk HASH", "gsi1sk RANGE"}, "GSI2": {"gsi2pk HASH", "gsi2sk RANGE"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	for _, a := range list(table["AttributeDefinitions"]) {
		if at(a, "AttributeType") != "S" {
			t.Errorf("%v, want a string", a)
		}
	}
}

func keys(table any) (names []string) {
	for _, k := range list(at(table, "KeySchema")) {
		names = append(names, text(at(k, "AttributeName"))+" "+text(at(k, "KeyType")))
	}
	return names
}

func TestTableExpiresWhatEndedAndSurvivesAccidents(t *testing.T) {
	template := read(t)
	table := resources(template, "AWS::DynamoDB::Table")["Table"]
	for _, tt := range []struct {
		want string
		keys []string
	}{
		{"expires", []string{"TimeToLiveSpecification", "AttributeName"}},
		{"true", []string{"TimeToLiveSpecification", "Enabled"}},
		{"true", []string{"PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"}},
		{"true", []string{"SSESpecification", "SSEEnabled"}},
		{"PAY_PER_REQUEST", []string{"BillingMode"}},
		{"DeletionProtection", []string{"DeletionProtectionEnabled", "Ref"}},
	} {
		if got := at(table, tt.keys...); got != tt.want {
			t.Errorf("%v is %v, want %s", tt.keys, got, tt.want)
		}
	}
	// A first creation that fails leaves only the empty table, which costs nothing: its protection would make the return fail too.
	for id, want := range map[string]string{"Table": "Retain", "SealingKey": "RetainExceptOnCreate", "NatAddress1": "RetainExceptOnCreate", "NatAddress2": "RetainExceptOnCreate"} {
		r := at(template["Resources"], id)
		if at(r, "DeletionPolicy") != want || at(r, "UpdateReplacePolicy") != "Retain" {
			t.Errorf("%s has the policies %v and %v, want %s and Retain", id, at(r, "DeletionPolicy"), at(r, "UpdateReplacePolicy"), want)
		}
	}
}

func TestAdminKeyIsGeneratedAndNeverInTheEnvironment(t *testing.T) {
	template := read(t)
	generated := resources(template, "AWS::SecretsManager::Secret")["AdminKey"]["GenerateSecretString"]
	if number(at(generated, "PasswordLength")) < 32 {
		t.Errorf("admin key %v, want one of at least 32 characters, generated", generated)
	}
	for function, properties := range functions(template) {
		for name, v := range environment(properties) {
			if strings.Contains(text(v)+text(at(v, "Fn::Sub")), "{{resolve:") {
				t.Errorf("%s: %s contains the secret itself", function, name)
			}
		}
	}
}
