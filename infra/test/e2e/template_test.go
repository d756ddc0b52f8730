package e2e

import (
	"os"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// template is what the tests take from template.yaml.
type template struct {
	Parameters map[string]parameter `yaml:"Parameters"`
	Resources  map[string]resource  `yaml:"Resources"`
}

type parameter struct {
	Default string `yaml:"Default"`
}

type resource struct {
	Type       string     `yaml:"Type"`
	Properties properties `yaml:"Properties"`
}

type properties struct {
	// of a queue
	VisibilityTimeout string `yaml:"VisibilityTimeout"`
	RedrivePolicy     struct {
		DeadLetterTarget yaml.Node `yaml:"deadLetterTargetArn"`
		MaxReceiveCount  int       `yaml:"maxReceiveCount"`
	} `yaml:"RedrivePolicy"`

	// of a function
	CodeURI     string    `yaml:"CodeUri"`
	Timeout     int       `yaml:"Timeout"`    // seconds
	MemorySize  yaml.Node `yaml:"MemorySize"` // MB
	Environment struct {
		Variables map[string]yaml.Node `yaml:"Variables"`
	} `yaml:"Environment"`
	Events map[string]source `yaml:"Events"`
	Role   yaml.Node         `yaml:"Role"`

	// of a role
	Policies []struct {
		PolicyDocument struct {
			Statement []struct {
				Action   yaml.Node `yaml:"Action"`
				Resource yaml.Node `yaml:"Resource"`
				// operator to key to patterns
				Condition map[string]map[string]yaml.Node `yaml:"Condition"`
			} `yaml:"Statement"`
		} `yaml:"PolicyDocument"`
	} `yaml:"Policies"`

	// of a stage of the API, of a route, and of an integration
	AccessLog      yaml.Node `yaml:"AccessLogSettings"`
	RouteKey       string    `yaml:"RouteKey"`
	Target         yaml.Node `yaml:"Target"`
	IntegrationURI yaml.Node `yaml:"IntegrationUri"`
}

// source is an event source of a function.
type source struct {
	Type       string `yaml:"Type"`
	Properties struct {
		Queue         yaml.Node `yaml:"Queue"`
		BatchSize     int       `yaml:"BatchSize"`
		ResponseTypes []string  `yaml:"FunctionResponseTypes"`
	} `yaml:"Properties"`
}

func readTemplate(t *testing.T) (tmpl template) {
	t.Helper()
	text, err := os.ReadFile("../../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &tmpl); err != nil {
		t.Fatal(err)
	}
	return tmpl
}

// of returns the resources of a type, by logical id.
func (tmpl template) of(kind string) map[string]resource {
	found := map[string]resource{}
	for id, r := range tmpl.Resources {
		if r.Type == kind {
			found[id] = r
		}
	}
	return found
}

// routes returns the functions behind the API, by route key.
func (tmpl template) routes() map[string]string {
	routes := map[string]string{}
	for _, r := range tmpl.of("AWS::ApiGatewayV2::Route") {
		integration := strings.TrimSuffix(strings.TrimPrefix(r.Properties.Target.Value, "integrations/${"), "}")
		routes[r.Properties.RouteKey] = named(tmpl.Resources[integration].Properties.IntegrationURI)
	}
	return routes
}

// named is the logical id that a !Ref or !GetAtt names.
func named(n yaml.Node) string {
	id, _, _ := strings.Cut(n.Value, ".")
	return id
}
