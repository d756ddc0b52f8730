package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/postino/postino/cmd/postino/server"
)

var subscriptionScenarios = []scenario{
	{name: "headers arrive whatever their case, and ours cannot be replaced", play: headersArrive},
	{name: "credentials are shown as stars, and stars are no credentials", play: credentialsAreRedacted},
	{name: "PATCH replaces what is given, and null clears it", play: patchReplacesAndClears},
	{name: "a deleted subscription gets nothing", play: deletedSubscriptionsGetNothing},
	{name: "callbacks go to public addresses only", play: publicAddressesOnly},
	{name: "a test sends one marked request and stores nothing", play: testsAreSent},
}

func headersArrive(s *scene) {
	s.subscribe("s", `"request":{"headers":{"X-Plan":"gold","x-lower":"{{ subject }}","X-MiXeD":"m"}}`)
	s.publish("e1", `{}`)
	got := s.came("s", 1)[0].headers
	for name, want := range map[string]string{"x-plan": "gold", "X-LOWER": "u1", "x-mixed": "m", "content-type": "application/json", "postino-event-id": "e1"} {
		if got.Get(name) != want {
			s.Errorf("header %s is %q, want %q", name, got.Get(name), want)
		}
	}
	if !strings.HasPrefix(got.Get("user-agent"), "Postino/") || got.Get("webhook-id") == "" || got.Get("webhook-id") != got.Get("idempotency-key") {
		s.Errorf("headers %v, want Postino's own", got)
	}
	for _, name := range []string{
		"Host", "connection", "Content-Length", "transfer-encoding", "TE", "upgrade", "Keep-Alive", "proxy-connection", "user-agent",
		"webhook-id", "Webhook-Signature", "webhook-timestamp", "webhook-anything", "postino-event-id", "Postino-X", "bad name", "",
	} {
		refused := s.must(422, "PUT", "/subscriptions/other", `{"url":"https://a.example","request":{"headers":{"`+name+`":"x"}}}`)
		if fields := refused.fields(); len(fields) != 1 || !strings.HasPrefix(fields[0], "request.headers") {
			s.Errorf("header %q: %s, want a problem that names it", name, refused.text)
		}
	}
	s.must(422, "PUT", "/subscriptions/other", `{"url":"https://a.example","request":{"headers":{"x-a":"1","X-A":"2"}}}`)
	s.must(422, "PUT", "/subscriptions/other", `{"url":"https://a.example","auth":{"type":"bearer","token":"t"},"request":{"headers":{"Authorization":"x"}}}`)
	s.must(422, "PUT", "/subscriptions/other", `{"url":"https://a.example","request":{"headers":{"x-a":"line\nbreak"}}}`)
	s.must(404, "GET", "/subscriptions/other", "")
}

func credentialsAreRedacted(s *scene) {
	const hidden = "correct-horse-battery-staple"
	s.must(201, "PUT", "/secrets/named", `{"value":"`+hidden+`"}`)
	for id, auth := range map[string]string{
		"bearer": `{"type":"bearer","token":"` + hidden + `"}`, "basic": `{"type":"basic","username":"` + hidden + `","password":"` + hidden + `"}`,
		"header": `{"type":"header","name":"x-key","value":"` + hidden + `"}`,
	} {
		s.subscribe(id, `"auth":`+auth+`,"request":{"headers":{"x-own":"{{ secrets.named }}"}}`)
		for _, got := range []reply{
			s.must(200, "GET", "/subscriptions/"+id, ""), s.must(200, "PATCH", "/subscriptions/"+id, `{"name":"n"}`), s.must(200, "GET", "/subscriptions", ""),
			s.must(200, "POST", "/subscriptions/"+id+"/preview", `{"event":{"type":"a.b","data":{}}}`), s.must(200, "GET", "/secrets/named", ""),
		} {
			if strings.Contains(string(got.text), hidden) {
				s.Errorf("%s: the answer shows the secret: %s", id, got.text)
			}
		}
		shown := s.must(200, "GET", "/subscriptions/"+id, "")
		if !strings.Contains(string(shown.text), `"***"`) {
			s.Errorf("%s is shown as %s, want stars", id, shown.text)
		}
	}
	s.must(200, "PATCH", "/subscriptions/bearer", `{"auth":{"type":"bearer","token":"***"}}`) // as it was read
	s.must(422, "PATCH", "/subscriptions/bearer", `{"auth":{"type":"header","name":"x-elsewhere","value":"***"}}`)
	s.publish("e1", `{}`)
	if got := s.came("bearer", 1)[0].headers; got.Get("authorization") != "Bearer "+hidden || got.Get("x-own") != hidden {
		s.Errorf("headers %v, want the secret in them", got)
	}
}

func patchReplacesAndClears(s *scene) {
	s.subscribe("s", `"name":"n","description":"d","metadata":{"a":1,"b":2},"types":["a.b"],"filter":{"data":{"n":[1]}},"max_age":"1d","trigger":{"every":1},`+
		`"request":{"headers":{"x-a":"1"},"require":["subject"]},"auth":{"type":"bearer","token":"t"},"rate_limit":{"per_second":50},"retry":{"schedule":["1h"],"timeout":"5s"}`)
	before := s.must(200, "GET", "/subscriptions/s", "")
	s.must(200, "PATCH", "/subscriptions/s", `{"metadata":{"c":3}}`)
	after := s.must(200, "GET", "/subscriptions/s", "")
	for name, was := range before.json {
		if name != "metadata" && name != "updated_at" && fmt.Sprint(after.json[name]) != fmt.Sprint(was) {
			s.Errorf("%s is %v after another field was changed, want %v", name, after.json[name], was)
		}
	}
	if got := fmt.Sprint(after.json["metadata"]); got != "map[c:3]" {
		s.Errorf("metadata is %s, want it replaced whole", got)
	}
	cleared := s.must(200, "PATCH", "/subscriptions/s", `{"name":null,"description":null,"metadata":null,"types":null,"filter":null,"max_age":null,"trigger":null,"request":null,"auth":null,"rate_limit":null,"retry":null}`)
	s.must(201, "PUT", "/subscriptions/fresh", `{"url":"`+s.to.URL+`/s"}`)
	fresh := s.must(200, "GET", "/subscriptions/fresh", "")
	for name, want := range fresh.json {
		if !slices.Contains([]string{"id", "created_at", "updated_at"}, name) && fmt.Sprint(cleared.json[name]) != fmt.Sprint(want) {
			s.Errorf("%s is %v once cleared, want %v as in a new one", name, cleared.json[name], want)
		}
	}
	s.must(200, "POST", "/subscriptions/fresh/pause", "")
	s.must(422, "PATCH", "/subscriptions/s", `{"url":null}`)
	s.must(422, "PATCH", "/subscriptions/s", `{"id":"t"}`)
	s.publish("e1", `{"n":2}`)
	if got := s.came("s", 1)[0].headers; got.Get("x-a") != "" || got.Get("authorization") != "" {
		s.Errorf("headers %v, want neither x-a nor authorization", got)
	}
}

func deletedSubscriptionsGetNothing(s *scene) {
	s.subscribe("gone", `"state":"paused"`)
	s.subscribe("stays", "")
	s.publish("e1", `{}`)
	s.came("stays", 1)
	s.delivery("e1", "gone", "waiting", "paused")
	s.must(204, "DELETE", "/subscriptions/gone", "")
	s.publish("e2", `{}`)
	s.came("stays", 2)
	s.delivery("e1", "gone", "status", "canceled", "reason", "subscription_deleted")
	if list := s.must(200, "GET", "/deliveries?event=e2", "").list(); len(list) != 1 || list[0]["subscription"] != "stays" {
		s.Errorf("deliveries of the later event: %v, want one to stays", list)
	}
	s.must(404, "POST", "/subscriptions/gone/resume", "")
	s.came("gone", 0)
}

// refusesURLs wants each to be refused, and nothing to be stored.
func (s *scene) refusesURLs(urls ...string) {
	s.Helper()
	for _, url := range urls {
		if got := s.must(422, "POST", "/subscriptions", `{"url":"`+url+`"}`).fields(); !slices.Equal(got, []string{"url"}) {
			s.Errorf("%s: the problem names %q, want url", url, got)
		}
	}
	if list := s.must(200, "GET", "/subscriptions", "").list(); len(list) != 0 {
		s.Errorf("%d subscriptions are there, want none", len(list))
	}
}

func publicAddressesOnly(s *scene) {
	s.refusesURLs("ftp://a.example/", "https://u:p@a.example/", "//a.example/", "a.example", "https://10.0.0.1/", "https://192.168.1.1/",
		"https://169.254.169.254/latest/meta-data", "https://[::ffff:10.0.0.1]/", "https://0x0a000001/", "https://[fd00::1]/", "javascript:alert(1)",
		"http://a.example/", "https://a.example:8443/")
	s.must(201, "POST", "/subscriptions", `{"url":"https://a.example/"}`)
}

// TestCallbacksGoByHTTPSOnly is of a server that allows nothing more, as on AWS
// by default.
func TestCallbacksGoByHTTPSOnly(t *testing.T) {
	s := &scene{t, startLocal(t, func(c *server.Config) { c.EgressAllow = "" }), newReceiver(t), "acme"}
	s.refusesURLs("http://a.example/", "https://a.example:8443/", "https://127.0.0.1/", s.to.URL)
	s.must(201, "POST", "/subscriptions", `{"url":"https://a.example/"}`)
	s.must(422, "POST", "/preview", `{"subscription":{"url":"http://a.example/"},"event":{"type":"a","data":{}}}`)
}

func testsAreSent(s *scene) {
	s.subscribe("s", `"types":["a.*"],"trigger":{"once":true}`)
	s.to.answer(map[string][]answer{"/s": {{Status: 500, Body: []byte("no")}}})
	for _, event := range []string{`{"type":"a.b","subject":"u1","data":{"n":1}}`, `{"type":"other","subject":"u1","data":{"n":1}}`} {
		got := s.must(200, "POST", "/subscriptions/s/test", `{"event":`+event+`}`)
		if got.str("attempt", "error") != "status" || got.str("attempt", "response", "body") != "no" {
			s.Errorf("test = %s, want the attempt and its answer", got.text)
		}
	}
	for _, c := range s.came("s", 2) {
		if c.headers.Get("postino-test") != "true" {
			s.Errorf("headers %v, want postino-test", c.headers)
		}
	}
	for _, list := range []string{"/events", "/deliveries"} {
		if data := s.must(200, "GET", list, "").list(); len(data) != 0 {
			s.Errorf("%s holds %v after a test, want nothing", list, data)
		}
	}
	s.must(404, "GET", "/subscriptions/s/state/u1", "")
}
