package openapi_test

import (
	"net/http"
	"strings"
	"testing"
)

// bodies are requests that a running server takes or refuses; the schema must
// think the same of them.
var bodies = []struct {
	method, path, media, schema string
	good, bad                   []string
}{
	{
		"POST", "/keys", "application/json", "APIKeyInput",
		[]string{`{"role":"publish"}`, `{"role":"portal","name":"é","expires_in":"1h"}`, `{"role":"manage","expires_in":"3650d"}`},
		[]string{`{}`, `{"role":"admin"}`, `{"role":null}`, `{"role":"publish","name":5}`, `{"role":"publish","name":"a\n"}`, `{"role":"publish","expires_in":"soon"}`, `{"role":"publish","expires_in":"425ms"}`, `{"role":"publish","expires_in":"3651d"}`, `{"role":"publish","colour":1}`, `[]`, `{"role":"publish","name":"` + strings.Repeat("a", 129) + `"}`},
	}, {
		"PUT", "/secrets/a", "application/json", "SecretValue",
		[]string{`{"value":"x"}`, `{"value":"é **"}`},
		[]string{`{}`, `{"value":""}`, `{"value":5}`, `{"value":null}`, `{"value":"a***"}`, `{"value":"a\u0000"}`, `{"value":"x","colour":1}`, `"x"`},
	}, {
		"PUT", "/event-types/a", "application/json", "EventTypeInput",
		[]string{`{}`, `{"description":"d","schema":{"type":"string"},"sample":"x","deprecated":true}`, `{"schema":true}`, `{"sample":null}`, `{"type":"a","description":null,"schema":null,"sample":null,"deprecated":null,"updated_at":"2026-03-01T12:00:00.000Z"}`},
		[]string{`{"schema":5}`, `{"schema":"x"}`, `{"description":5}`, `{"deprecated":"yes"}`, `{"colour":1}`, `[]`},
	}, {
		"POST", "/preview", "application/json", "DraftTrial",
		[]string{`{"event":{"type":"a","data":1},"subscription":{"url":"https://a.example"}}`, `{"event":{"specversion":"1.0","id":"1","source":"/s","type":"a"},"subscription":{"url":"https://a.example","id":"x"}}`},
		[]string{`{}`, `{"event":{"type":"a","data":1}}`, `{"subscription":{"url":"https://a.example"}}`, `{"event":{"type":"bare"},"subscription":{"url":"https://a.example"}}`, `{"event":5,"subscription":{"url":"https://a.example"}}`, `{"event":{"type":"a","data":1},"subscription":{}}`, `{"event":{"type":"a","data":1},"subscription":{"url":"https://a.example"},"colour":1}`},
	}, {
		"PATCH", "/subscriptions/s", "application/json", "SubscriptionPatch",
		[]string{`{}`, `{"name":"n","types":null}`, `{"retry":{"schedule":[]}}`, `{"id":"s"}`},
		[]string{`{"url":null}`, `{"url":""}`, `{"state":"off"}`, `{"updated_at":"today"}`, `{"types":[]}`, `[]`, `{"colour":1}`},
	}, {
		"POST", "/subscriptions/s/pause", "application/json", "",
		[]string{`{}`}, []string{`{"a":1}`, `[]`, `5`},
	}, {
		"POST", "/events", "application/json", "NewEvents",
		[]string{`[{"type":"b","data":1}]`, `[{"type":"b","data":1},{"type":"c","data":null,"time":"2026-03-01T12:00:00+01:00"}]`},
		[]string{`[]`, `[{"type":"b"}]`, `[5]`, `[{"type":"b","data":1},{"type":"b","data":1,"colour":1}]`, `[` + strings.Repeat(`{"type":"b","data":1},`, 500) + `{"type":"b","data":1}]`},
	}, {
		"POST", "/events", "application/cloudevents+json", "CloudEvent",
		[]string{`{"specversion":"1.0","id":"1","source":"/s","type":"b"}`, `{"specversion":"1.0","id":"1","source":"/s","type":"b","subject":null,"time":"2026-03-01T12:00:00Z","datacontenttype":"application/json","dataschema":"https://a.example","data":{},"ext":5,"vip":true,"none":null}`},
		[]string{`{"specversion":"0.3","id":"1","source":"/s","type":"b"}`, `{"id":"1","source":"/s","type":"b"}`, `{"specversion":"1.0","id":"1","source":"/s"}`, `{"specversion":"1.0","id":null,"source":"/s","type":"b"}`, `{"specversion":"1.0","id":"1","source":"/s","type":"b","Ext":1}`, `{"specversion":"1.0","id":"1","source":"/s","type":"b","ext":{}}`, `{"specversion":"1.0","id":"1","source":"/s","type":"b","ext":1.5}`, `{"specversion":"1.0","id":"1","source":"/s","type":"b","ext":3000000000}`, `{"specversion":"1.0","id":"1","source":"/s","type":"b","data_base64":"AA=="}`, `{"specversion":"1.0","id":"1","source":"/s","type":"b","datacontenttype":"text/xml"}`, `{"specversion":"1.0","id":"1","source":"/s","type":"b","dataschema":"a"}`, `[]`},
	},
}

func TestSchemasAndServerAgree(t *testing.T) {
	r := record(t)
	r.call(201, "PUT", acme+"/subscriptions/s", `{"url":"https://a.example"}`)
	for _, tt := range bodies {
		schema := any(object{"$ref": "#/components/schemas/" + tt.schema})
		if tt.schema == "" {
			schema = r.d.at("#/components/requestBodies/Nothing").(object)["content"].(object)[tt.media].(object)["schema"]
		}
		for _, body := range tt.good {
			if status := r.send(tt.method, acme+tt.path, tt.media, body); status >= 300 {
				t.Errorf("%s %s takes not %.200s: %d", tt.method, tt.path, body, status)
			}
			if err := r.d.judge(schema, parse(t, body)); err != nil {
				t.Errorf("%s takes not %.200s: %v", tt.schema, body, err)
			}
		}
		for _, body := range tt.bad {
			if status := r.send(tt.method, acme+tt.path, tt.media, body); status != http.StatusUnprocessableEntity {
				t.Errorf("%s %s answers %d to %.200s", tt.method, tt.path, status, body)
			}
			if err := r.d.judge(schema, parse(t, body)); err == nil {
				t.Errorf("%s takes %.200s", tt.schema, body)
			}
		}
	}
}

// send makes a request, whatever its answer is.
func (r *recorder) send(method, path, media, body string) (status int) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.s.URL()+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminKey)
	req.Header.Set("Content-Type", media)
	answer, err := patient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	r.d.check(r.t, method, path, answer)
	return answer.StatusCode
}
