package planted

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/postino/postino/cmd/postino/server"
	"github.com/postino/postino/infra/tools/testserver"
	"github.com/postino/postino/shared/platform/aws/dynamostore"
)

func TestAnErasedSubjectIsNowhereInLocalMode(t *testing.T) {
	w := open(t, nil, func(c *server.Config) { c.TestClock = true })
	w.erase()
	w.close()
	w.rows()
	w.judge()
}

func TestAnErasedSubjectIsNowhereWithDynamoDB(t *testing.T) {
	client := dynamodb.NewFromConfig(aws.Config{
		Region: testserver.Region, BaseEndpoint: aws.String(testserver.DynamoDB(t)),
		Credentials: credentials.NewStaticCredentialsProvider(testserver.AccessKey, testserver.SecretKey, ""),
	}, dynamostore.Options, func(o *dynamodb.Options) {
		o.HTTPClient = o.HTTPClient.(*awshttp.BuildableClient).WithTimeout(time.Minute)
	})
	name := "erased-" + rand.Text()
	if err := dynamostore.CreateTable(t.Context(), client, name); err != nil {
		t.Fatal(err)
	}
	w := open(t, &breaking{Store: dynamostore.New(client, name)}, func(c *server.Config) { c.TestClock = true })
	w.erase()
	w.close()
	w.rows() // of the queues
	w.items(client, name, 50)
	w.judge()
}

// erase plants a person in every place that keeps something of people, erases that
// person, and searches from then on.
func (w *world) erase() {
	w.Helper()
	person := w.plant("subject", "planted-person-"+token())
	about := w.plant("attribute", "planted-attribute-"+token())
	said := w.plant("data of an event", "planted-data-"+token())
	subscriber := func(status int) string {
		s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			text := w.sent.note(r)
			rw.WriteHeader(status)
			rw.Write([]byte(text))
		}))
		w.Cleanup(s.Close)
		return s.URL
	}
	everything := object1("body", map[string]any{"who": "{{ subject }}", "data": "{{ data.said }}", "of": "{{ profile.about }}"})
	for id, more := range map[string][]any{
		"ok":    {},
		"bad":   {"retry", map[string]any{"schedule": []string{"1h"}}},
		"fifth": {"trigger", map[string]any{"at": 5}},
		"later": {"trigger", map[string]any{"delay": "1h"}},
		"pair":  {"trigger", map[string]any{"key": []string{"subject", "data.said"}, "every": 2}},
		"once":  {"trigger", map[string]any{"once": true, "cap": map[string]any{"max": 1, "per": "1d"}}},
		"gold":  {"filter", map[string]any{"profile": map[string]any{"about": []any{object1("exists", true)}}}, "state", "paused"},
	} {
		status := 200
		if id == "bad" {
			status = 500
		}
		w.call(201, "PUT", "/subscriptions/"+id, object(append(more, "url", subscriber(status), "types", []string{"visited", "postino.send"}, "request", everything)...))
	}
	w.call(201, "PUT", "/attributes/last", object("keep", "last", "value", "data.said"))
	w.call(201, "PUT", "/attributes/all", object("keep", "set", "value", "data.said"))
	w.call(201, "PUT", "/profiles/"+person, object("attributes", object1("about", about)), "subject", "attribute")
	for _, id := range []string{"v1", "v2", "v3"} {
		w.call(202, "POST", "/events", object("type", "visited", "id", id, "subject", person, "data", object1("said", said)))
	}
	w.advance(0)
	w.call(202, "POST", "/sends", object("subscription", "ok", "subjects", []string{person}, "data", object1("x", 1)))
	w.until("/deliveries?subscription=bad", `"waiting":"retry"`)
	w.until("/deliveries?subscription=gold", `"waiting":"paused"`)
	w.until("/deliveries?subscription=once&status=succeeded", `"event":"v`)
	w.advance(time.Second)
	if missing := w.missing("subject", "attribute", "data of an event"); len(missing) > 0 {
		w.Errorf("no callback carried %q", missing)
	}
	before := w.call(200, "GET", "/profiles/"+person+"/timeline", "", "subject", "data of an event", "attribute")
	if !strings.Contains(before, said) {
		w.Errorf("the timeline shows no request: %s", before)
	}
	w.call(202, "DELETE", "/profiles/"+person+"?erase=true", "")
	w.advance(20 * time.Minute)
	w.until("/jobs", `"kind":"erase","subscription":null,"tenant":"acme","status":"done"`)
	jobs := w.call(200, "GET", "/jobs", "")
	if !strings.Contains(jobs, `"erased":{"profiles":1,"states":`) || !strings.Contains(jobs, `"events":4}`) {
		w.Errorf("the jobs are %s, want one that has removed a profile and four events", jobs)
	}
	for _, path := range []string{"/events", "/events/v1", "/deliveries", "/profiles", "/events?subject=" + person} {
		w.call(200, "GET", path, "")
	}
	w.call(404, "GET", "/profiles/"+person, "")
	w.call(404, "GET", "/profiles/"+person+"/timeline", "")
}

// advance moves the server's clock.
func (w *world) advance(by time.Duration) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
	defer cancel()
	if err := w.Advance(ctx, by); err != nil {
		w.Fatal(err)
	}
}
