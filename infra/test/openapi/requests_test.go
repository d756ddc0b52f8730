package openapi_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/publication"
	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/callback/egress"
	"github.com/postino/postino/shared/language/strictjson"
)

// subscriptions are bodies to create a subscription with. Those of beyond are
// refused for a reason that no schema can express.
var subscriptions = struct{ good, bad, beyond []string }{
	good: []string{
		`{"url":"https://a.example"}`,
		`{"url":"https://a.example","disabled_reason":null,"created_at":"2026-03-01T12:00:00.000Z","updated_at":null}`,
		`{"url":"https://a.example","id":"a_b-1","name":"n","description":"d","metadata":{"a":[1]},"types":["a","b*","*","Order Completed","Order *"],"filter":{"type":["a"]}}`,
		`{"url":"https://a.example/{{ subject }}?q={{ data.q }}"}`,
		`{"url":"https://a.example","name":null,"description":null,"metadata":null,"types":null,"filter":null,"trigger":null,"max_age":null,"request":null,"auth":null,"signing":null,"retry":null,"state":null}`,
		`{"url":"https://a.example","filter":{"data":{"a":[{"prefix":"x"},null,true,5,"y"],"b":{"c":[{"exists":false}]}},"$or":[{"subject":["u"]},{"source":["s"]}]}}`,
		`{"pull":true}`, `{"url":"https://a.example","pull":false}`, `{"pull":true,"types":["a"],"signature":[{"preset":"github","secret":"x"}]}`,
		`{"types":["b"],"emit":{"on":"fire","type":"a"}}`, `{"pull":true,"types":["b"],"emit":{"on":"success","type":"a"}}`,
		`{"url":"https://a.example","trigger":{}}`,
		`{"url":"https://a.example","trigger":{"key":["subject","data.x"],"every":3,"distinct":"data.y","within":"1d","once_per":"30d","cap":{"max":3,"per":"1d","key":"subject"}}}`,
		`{"url":"https://a.example","trigger":{"at":5,"every":null,"once":true,"delay":"1h","on_repeat":"keep","on_change":"keep","cancel":[{"types":["a"],"filter":{"type":["a"]},"key":"subject"}]}}`,
		`{"url":"https://a.example","trigger":{"once":false,"once_per":"1d"}}`,
		`{"url":"https://a.example","max_age":"1d"}`,
		`{"url":"https://a.example","request":{"method":"PUT","headers":{"x-a":"{{ data.a }}"},"content_type":"text/plain","body":"hello","require":["subject"]}}`,
		`{"url":"https://a.example","request":{"format":"cloudevents"}}`,
		`{"url":"https://a.example","request":{"format":null,"body":{"a":[1,"{{ subject }}"]}}}`,
		`{"url":"https://a.example","request":{"format":"standard","body":null}}`,
		`{"url":"https://a.example","auth":{"type":"none"}}`,
		`{"url":"https://a.example","signature":null}`, `{"url":"https://a.example","signature":[]}`, `{"url":"https://a.example","signature":[{"preset":"stripe","secret":"x"},{"preset":"github","secret":{"raw":"x"}}]}`,
		`{"url":"https://a.example","signature":[{"header":"X-S","text":"{{ id }}.{{ body }}","prefix":"t={{ timestamp }},","hash":"sha512","encoding":"base64","headers":{"X-T":"{{ timestamp }}"},"secret":{"base64":"AAE="}}]}`,
		`{"url":"https://a.example","auth":{"type":"basic","username":"u"}}`,
		`{"url":"https://a.example","auth":{"type":"bearer","token":"{{ secrets.a }}"}}`,
		`{"url":"https://a.example","auth":{"type":"header","name":"X-Key","value":"v"}}`,
		`{"url":"https://a.example","retry":{"schedule":[],"timeout":"1s","success":["2xx","409"],"permanent":["4xx"]}}`,
		`{"url":"https://a.example","retry":{"schedule":null,"timeout":null,"success":null,"permanent":null},"state":"paused","signing":"v1"}`,
		`{"url":"https://a.example","secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}`, `{"url":"https://a.example","secret":{"raw":"it's a secret"}}`, `{"url":"https://a.example","secret":{"base64":"YQ=="}}`,
	},
	bad: []string{
		`{"pull":false}`, `{"pull":"true"}`, `{"pull":true,"url":"https://a.example"}`,
		`{}`, `[]`, `null`, `"x"`, `{"url":null}`, `{"url":""}`, `{"url":5}`, `{"url":"ftp://a.example"}`, `{"url":"a.example"}`,
		`{"url":"https://a.example","colour":1}`, `{"url":"https://a.example","id":"A"}`, `{"url":"https://a.example","id":null}`, `{"url":"https://a.example","created_at":"today"}`, `{"url":"https://a.example","disabled_reason":5}`,
		`{"url":"https://a.example","name":5}`, `{"url":"https://a.example","name":"a\u0000"}`, `{"url":"https://a.example","name":"` + strings.Repeat("é", 257) + `"}`,
		`{"url":"https://a.example","description":"` + strings.Repeat("é", 2049) + `"}`,
		`{"url":"https://a.example","metadata":[]}`, `{"url":"https://a.example","types":[]}`, `{"url":"https://a.example","types":[" a"]}`, `{"url":"https://a.example","types":["a "]}`, `{"url":"https://a.example","types":[" *"]}`, `{"url":"https://a.example","types":["a\u0085"]}`, `{"url":"https://a.example","types":["a*b"]}`, `{"url":"https://a.example/` + strings.Repeat("x", 2048) + `"}`, `{"url":"https://a.example","types":"a"}`,
		`{"url":"https://a.example","filter":{"detail":{"a":[1]}}}`, `{"url":"https://a.example","filter":{"type":[]}}`, `{"url":"https://a.example","filter":{"type":"a"}}`, `{"url":"https://a.example","filter":[]}`,
		`{"url":"https://a.example","trigger":{"after":"1h"}}`, `{"url":"https://a.example","trigger":{"every":0}}`, `{"url":"https://a.example","trigger":{"every":2,"at":2}}`,
		`{"url":"https://a.example","trigger":{"distinct":"data.x"}}`, `{"url":"https://a.example","trigger":{"within":"1d"}}`, `{"url":"https://a.example","trigger":{"on_repeat":"keep"}}`, `{"url":"https://a.example","trigger":{"on_change":"keep"}}`, `{"url":"https://a.example","trigger":{"delay":"1h","on_change":"drop"}}`,
		`{"url":"https://a.example","trigger":{"once":true,"once_per":"1d"}}`, `{"url":"https://a.example","trigger":{"cancel":[{"types":["a"]}]}}`, `{"url":"https://a.example","trigger":{"delay":"1h","cancel":[{}]}}`,
		`{"url":"https://a.example","trigger":{"delay":"1h","cancel":[]}}`, `{"url":"https://a.example","trigger":{"cap":{"max":101,"per":"1d"}}}`, `{"url":"https://a.example","trigger":{"cap":{"max":1}}}`,
		`{"url":"https://a.example","trigger":{"delay":"soon"}}`, `{"url":"https://a.example","max_age":"0s"}`, `{"url":"https://a.example","max_age":5}`,
		`{"url":"https://a.example","request":{"query":{}}}`, `{"url":"https://a.example","request":{"method":"GET"}}`, `{"url":"https://a.example","request":{"headers":{"a b":"x"}}}`, `{"url":"https://a.example","request":{"headers":{"a":5}}}`,
		`{"url":"https://a.example","request":{"format":"standard","body":{}}}`, `{"url":"https://a.example","request":{"require":"subject"}}`,
		`{"url":"https://a.example","signature":{}}`, `{"url":"https://a.example","signature":[{}]}`, `{"url":"https://a.example","signature":[{"preset":"stripe"}]}`, `{"url":"https://a.example","signature":[{"preset":"strip","secret":"x"}]}`, `{"url":"https://a.example","signature":[{"preset":"stripe","header":"X","secret":"x"}]}`,
		`{"url":"https://a.example","signature":[{"header":"X-S","secret":"x"}]}`, `{"url":"https://a.example","signature":[{"header":"X S","text":"a","secret":"x"}]}`, `{"url":"https://a.example","signature":[{"header":"X-S","text":"a","hash":"md5","secret":"x"}]}`, `{"url":"https://a.example","signature":[{"header":"X-S","text":"a","encoding":"hex ","secret":"x"}]}`,
		`{"url":"https://a.example","signature":[{"header":"X-S","text":"a","secret":{"raw":""}}]}`, `{"url":"https://a.example","signature":[{"header":"X-S","text":"a","secret":{"base64":"A"}}]}`, `{"url":"https://a.example","signature":[{"header":"X-S","text":"a","secret":{"hex":"aa"}}]}`, `{"url":"https://a.example","signature":[{"header":"X-S","text":"a","secret":""}]}`, `{"url":"https://a.example","signature":[{"header":"X-S","text":"a","secret":"x","colour":1}]}`,
		`{"url":"https://a.example","auth":{"type":"digest"}}`, `{"url":"https://a.example","auth":{"type":"bearer"}}`, `{"url":"https://a.example","auth":{"type":"bearer","token":""}}`, `{"url":"https://a.example","auth":{"type":"bearer","token":"a***"}}`,
		`{"url":"https://a.example","auth":{"type":"basic","username":"u","token":"t"}}`, `{"url":"https://a.example","signing":"v2"}`, `{"url":"https://a.example","state":"off"}`,
		`{"url":"https://a.example","retry":{"schedule":["0s"]}}`, `{"url":"https://a.example","retry":{"success":[]}}`, `{"url":"https://a.example","retry":{"permanent":["600"]}}`, `{"url":"https://a.example","retry":{"timeout":"1h"}}`, `{"url":"https://a.example","retry":{"tries":3}}`,
		`{"url":"https://a.example","max_age":"366d"}`, `{"url":"https://a.example","retry":{"timeout":"26s"}}`, `{"url":"https://a.example","retry":{"timeout":"999ms"}}`, `{"url":"https://a.example","retry":{"schedule":["500ms"]}}`, `{"url":"https://a.example","retry":{"schedule":["8d"]}}`,
		`{"url":"https://a.example","secret":"short"}`, `{"url":"https://a.example","secret":{}}`, `{"url":"https://a.example","secret":{"raw":""}}`, `{"url":"https://a.example","secret":{"raw":"a","base64":"YQ=="}}`, `{"url":"https://a.example","secret":{"hex":"aa"}}`, `{"url":"https://a.example","secret":{"base64":"YQ"}}`, `{"url":"https://a.example","secret":null}`,
	},
	beyond: []string{
		`{"url":"https://a.example","auth":{"type":"bearer","token":"***"}}`, `{"url":"https://a.example","state":"disabled"}`, // only of one that is so
		`{"url":"https://a.example","signature":[{"preset":"stripe","secret":"***"}]}`, `{"url":"https://a.example","signature":[{"preset":"twilio","secret":"x"}]}`, `{"url":"https://a.example","signature":[{"header":"X-S","text":"{{ secret }}","secret":"x"}]}`, `{"url":"https://a.example","signature":[{"header":"Webhook-Id","text":"a","secret":"x"}]}`,
		`{"url":"https://127.0.0.1"}`, `{"url":"https://a.example/{{ x }}"}`,
		`{"url":"https://a.example","request":{"headers":{"Host":"x"}}}`, `{"url":"https://a.example","filter":{"type":[{"matches":"x"}]}}`,
	},
}

// events are bodies to publish.
var events = struct{ good, bad, beyond []string }{
	good: []string{
		`{"type":"a","data":null}`, `{"type":"Order Completed","data":1,"time":"2026-02-01t11:00:00z"}`, `{"type":"a.b","data":{"x":1},"id":"a b","source":"/s","subject":"u 1","time":"2026-03-01T12:00:00Z"}`,
		`{"type":"é","data":1,"id":"é"}`, `{"type":"a","data":1,"source":"https://a.example/x?y"}`,
	},
	bad: []string{
		`{}`, `{"type":"a"}`, `{"data":1}`, `{"type":"","data":1}`, `{"type":5,"data":1}`, `{"type":" a","data":1}`, `{"type":"a ","data":1}`, `{"type":"a\u0085","data":1}`, `{"type":"a","data":1,"id":"a\u0085"}`, `{"type":"a","data":1,"source":"a\u0085"}`, `{"type":"a","data":1,"source":"%zz"}`, `{"type":"a","data":1,"source":"http://[::1"}`, `{"type":"a","data":1,"time":"2026-03-01T12:00:00+24:00"}`, `{"type":"a*","data":1}`, `{"type":"postino.x","data":1}`,
		`{"type":"` + strings.Repeat("a", 129) + `","data":1}`, `{"type":"a","data":1,"colour":1}`, `{"type":"a","data":1,"id":""}`, `{"type":"a","data":1,"id":" a"}`, `{"type":"a","data":1,"id":"a\n"}`,
		`{"type":"a","data":1,"id":"` + strings.Repeat("é", 257) + `"}`, `{"type":"a","data":1,"source":""}`, `{"type":"a","data":1,"source":"postino"}`, `{"type":"a","data":1,"source":"a b"}`,
		`{"type":"a","data":1,"subject":""}`, `{"type":"a","data":1,"subject":"` + strings.Repeat("a", 513) + `"}`, `{"type":"a","data":1,"time":"today"}`, `{"type":"a","data":1,"time":5}`, `{"type":"a","data":1,"time":null}`,
		`5`, `null`, `"x"`,
	},
	beyond: []string{`{"type":"a","data":1,"time":"2126-03-01T12:00:00Z"}`, `{"type":"a","data":1,"time":"1969-03-01T12:00:00Z"}`, `{"type":"a\u200b","data":1}`},
}

func TestSchemasAndValidationAgreeOnSubscriptions(t *testing.T) {
	agree(t, "SubscriptionInput", subscriptions, func(v strictjson.Value) error {
		_, err := subscription.Read(v, subscription.Default(), &egress.Guard{})
		return err
	})
}

func TestSchemasAndValidationAgreeOnEvents(t *testing.T) {
	agree(t, "NewEvent", events, func(v strictjson.Value) error {
		var faults httpapi.Faults
		publication.One(v, "acme", time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), &faults)
		return faults.Err()
	})
}

// agree holds both to the same verdict, with the exceptions that only
// validation can know of.
func agree(t *testing.T, schema string, bodies struct{ good, bad, beyond []string }, read func(strictjson.Value) error) {
	t.Helper()
	d := open(t, false)
	for _, group := range []struct {
		bodies         []string
		schema, reader bool // what they say
	}{
		{bodies.good, true, true}, {bodies.bad, false, false}, {bodies.beyond, true, false},
	} {
		for _, body := range group.bodies {
			v, err := strictjson.Parse([]byte(body))
			if err != nil {
				t.Fatalf("%s: %v", body, err)
			}
			said := read(v)
			if problem := (*httpapi.Problem)(nil); said != nil && !errors.As(said, &problem) {
				t.Fatal(said)
			}
			if (said == nil) != group.reader {
				t.Errorf("%.200s: validation says %v, want ok = %v", body, said, group.reader)
			}
			if err := d.judge(object{"$ref": "#/components/schemas/" + schema}, parse(t, body)); (err == nil) != group.schema {
				t.Errorf("%.200s: the schema says %v, want ok = %v", body, err, group.schema)
			}
		}
	}
}
