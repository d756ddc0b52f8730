package dynamostore

import (
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gopkg.in/yaml.v3"
)

// TestTheCloudsTableIsTheTestsTable compares what template.yaml deploys with
// what the tests run on.
func TestTheCloudsTableIsTheTestsTable(t *testing.T) {
	var template struct {
		Resources struct {
			Table struct {
				Properties tableProperties `yaml:"Properties"`
			} `yaml:"Table"`
		} `yaml:"Resources"`
	}
	file, err := os.ReadFile("../../../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(file, &template); err != nil {
		t.Fatal(err)
	}
	got, want := template.Resources.Table.Properties, propertiesOf(definition("any"))
	want.TimeToLive.Attribute, want.TimeToLive.Enabled = "expires", true
	if diff := cmp.Diff(want, got, cmpopts.SortSlices(func(a, b attribute) bool { return a.Name < b.Name })); diff != "" {
		t.Errorf("template.yaml's table (-store +template):\n%s", diff)
	}
}

// tableProperties are CloudFormation's, as far as the store depends on them.
type tableProperties struct {
	BillingMode string            `yaml:"BillingMode"`
	Attributes  []attribute       `yaml:"AttributeDefinitions"`
	Keys        []keyProperty     `yaml:"KeySchema"`
	Indexes     []indexProperties `yaml:"GlobalSecondaryIndexes"`
	TimeToLive  struct {
		Attribute string `yaml:"AttributeName"`
		Enabled   bool   `yaml:"Enabled"`
	} `yaml:"TimeToLiveSpecification"`
}

type attribute struct {
	Name string `yaml:"AttributeName"`
	Type string `yaml:"AttributeType"`
}

type keyProperty struct {
	Name string `yaml:"AttributeName"`
	Type string `yaml:"KeyType"`
}

type indexProperties struct {
	Name       string        `yaml:"IndexName"`
	Keys       []keyProperty `yaml:"KeySchema"`
	Projection struct {
		Type string   `yaml:"ProjectionType"`
		More []string `yaml:"NonKeyAttributes"`
	} `yaml:"Projection"`
}

func propertiesOf(in *dynamodb.CreateTableInput) tableProperties {
	p := tableProperties{BillingMode: string(in.BillingMode)}
	for _, a := range in.AttributeDefinitions {
		p.Attributes = append(p.Attributes, attribute{*a.AttributeName, string(a.AttributeType)})
	}
	for _, k := range in.KeySchema {
		p.Keys = append(p.Keys, keyProperty{*k.AttributeName, string(k.KeyType)})
	}
	for _, in := range in.GlobalSecondaryIndexes {
		index := indexProperties{Name: *in.IndexName}
		for _, k := range in.KeySchema {
			index.Keys = append(index.Keys, keyProperty{*k.AttributeName, string(k.KeyType)})
		}
		index.Projection.Type, index.Projection.More = string(in.Projection.ProjectionType), in.Projection.NonKeyAttributes
		p.Indexes = append(p.Indexes, index)
	}
	return p
}
