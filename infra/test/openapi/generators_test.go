package openapi_test

import (
	"strings"
	"testing"

	"github.com/postino/postino/shared/api/openapi"
)

// The served description is simpler than the exact one, and must not refuse
// what that allows: clients check requests and answers by it.
func TestTheSimplerDescriptionRefusesNothingThatIsValid(t *testing.T) {
	served := openText(t, openapi.Document, false)
	for schema, bodies := range map[string][]string{"SubscriptionInput": subscriptions.good, "NewEvent": events.good} {
		for _, body := range bodies {
			if err := served.judge(object{"$ref": "#/components/schemas/" + schema}, parse(t, body)); err != nil {
				t.Errorf("%.200s: the served schema of %s says %v", body, schema, err)
			}
		}
	}
	exact := open(t, false)
	for _, op := range exact.operations() {
		for status, response := range op.is["responses"].(object) {
			content, _ := exact.resolve(response)["content"].(object)
			for media, is := range content {
				simpler := served.resolve(served.find(fill(op.path))[op.method].is["responses"].(object)[status])
				for _, example := range exact.shown(is.(object)) {
					if _, one := example.(object)["id"]; one && op.is["operationId"] == "publishEvents" {
						continue // the answer to an event without an array
					}
					if err := served.judge(simpler["content"].(object)[media].(object)["schema"], example); err != nil {
						t.Errorf("%s %s: %v is valid, and not by what is served: %v", op, status, example, err)
					}
				}
			}
		}
	}
}

// Generators give methods the parameters in the order in which they are
// described, and take the first body of several.
func TestTheTenantIsTheFirstParameterAndJSONTheOnlyBody(t *testing.T) {
	served := openText(t, openapi.Document, false)
	for _, op := range served.operations() {
		first, _, isThere := strings.Cut(placeholders(op.path), "}")
		if parameters, _ := op.is["parameters"].([]any); isThere && served.resolve(parameters[0])["name"] != first[1:] {
			t.Errorf("%s has %v as its first parameter, want %s", op, parameters[0], first[1:])
		}
		content, _ := served.body(op)
		if len(content) > 1 || len(content) == 1 && content["application/json"] == nil {
			t.Errorf("%s has the bodies %v, want JSON alone", op, content)
		}
	}
}
