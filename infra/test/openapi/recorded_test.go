package openapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/postino/postino/shared/callback/egress/egresstest"
	"github.com/postino/postino/shared/webhook"
)

const acme = "/v1/tenants/acme"

// TestEveryAnswerIsDescribed drives a server through every operation, well and
// wrongly, and finds every status that is described of it. What needs keys of
// tenants, a fault of ours or API Gateway is seen elsewhere, or not at all.
func TestEveryAnswerIsDescribed(t *testing.T) {
	r := record(t)
	for _, op := range r.d.operations() {
		r.refused(op)
	}
	r.deletions()
	r.subscriptions()
	r.publications()
	r.deliveries()
	r.triggers()
	r.trials()
	r.secrets()
	r.keys()
	r.types()
	r.people()
	r.jobs()
	r.stats()
	r.service()
	r.nowhere()
	elsewhere := []string{"403", "429", "500", "503"}
	for _, op := range r.d.operations() {
		for status := range op.is["responses"].(object) {
			named := strings.Count(op.path, "{") > 1
			if slices.Contains(elsewhere, status) || status == "404" && (!named || op.method == http.MethodPut) {
				continue
			}
			if !r.seen[op.String()+" "+status] {
				t.Errorf("%s is described to be answered %s, and never was", op, status)
			}
		}
	}
}

// refused does to an operation what is wrong with any.
func (r *recorder) refused(op operation) {
	path := fill(op.path)
	r.call(422, op.method, path+"?colour=1", "")
	r.call(400, op.method, path+"?%zz", "")
	content, required := r.d.body(op)
	if op.roles() != nil {
		r.call(401, op.method, path, "", "Authorization", "")
		r.call(401, op.method, path, "", "Authorization", "Bearer wrong")
		if strings.Contains(path, "acme") {
			r.call(422, op.method, strings.Replace(path, "acme", "ACME", 1), "")
		}
	}
	if content != nil {
		r.call(413, op.method, path, strings.Repeat(" ", webhook.MaxRequestSize+1))
	}
	if required {
		r.call(415, op.method, path, "<a/>", "Content-Type", "text/xml")
		r.call(415, op.method, path, "{}", "Content-Encoding", "gzip")
		r.call(400, op.method, path, `{"a":1,"a":2}`)
		if op.method != http.MethodPatch { // which first looks for what it changes
			r.call(422, op.method, path, `"text"`)
		}
	} else if content != nil {
		r.call(422, op.method, path, `{"a":1}`)
		r.call(400, op.method, path, `{`)
	}
	if strings.Count(op.path, "{") > 1 && op.method != http.MethodPut {
		r.call(404, op.method, path, r.enough(op))
	}
}

// enough is a body that could be taken.
func (r *recorder) enough(op operation) string {
	_, required := r.d.body(op)
	switch {
	case !required:
		return ""
	case strings.HasSuffix(op.path, "/preview"), strings.HasSuffix(op.path, "/test"):
		return `{"event":{"type":"a","data":1}}`
	case strings.HasSuffix(op.path, "/recover"):
		return `{"after":"2020-01-01T00:00:00Z"}`
	}
	return `{}`
}

func (r *recorder) subscriptions() {
	url := subscriber(r.t, 200)
	list := acme + "/subscriptions"
	r.call(201, "POST", list, `{"url":"`+url+`"}`)
	r.call(201, "POST", list, `{"id":"plain","url":"`+url+`","types":["order.*"],"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}`)
	r.call(409, "POST", list, `{"id":"plain","url":"`+url+`"}`)
	r.call(201, "PUT", acme+"/secrets/loyalty", `{"value":"correct horse"}`)
	everything := `{"url":"` + url + `/{{ subject }}","name":"n","metadata":{"a":1},"types":["order.*"],"filter":{"data":{"amount":[{"numeric":[">",1]}]}},` +
		`"trigger":{"every":1,"cap":{"max":100,"per":"1d","key":null}},"max_age":"1d","request":{"headers":{"x-a":"{{ secrets.loyalty }}"},"body":{"a":["{{ data.amount }}"]},"require":["subject"]},` +
		`"auth":{"type":"basic","username":"u","password":""},"retry":{"schedule":["5s"],"permanent":["400"]},"state":"active"}`
	r.call(201, "PUT", list+"/all", everything)
	r.call(200, "PUT", list+"/all", everything)
	r.call(422, "PUT", list+"/A", everything)
	r.call(200, "PATCH", list+"/all", `{"auth":{"type":"header","name":"x-key","value":"{{ secrets.loyalty }}"},"request":null,"filter":null}`)
	r.call(200, "PATCH", list+"/all", `{"auth":{"type":"bearer","token":"t"}}`)
	r.call(200, "PATCH", list+"/all", `{"auth":{"type":"oauth2","token_url":"`+url+`/token","client_id":"me","client_secret":"{{ secrets.loyalty }}","scope":"a b"}}`)
	ca := egresstest.New(r.t, "ca")
	certificate, key := ca.Client("me", egresstest.Life)
	certificates, err := json.Marshal(map[string]string{"ca": ca.PEM(), "certificate": certificate, "key": key})
	if err != nil {
		r.t.Fatal(err)
	}
	r.call(200, "PATCH", list+"/all", `{"url":"https://127.0.0.1:1","auth":{"type":"bearer","token":"x","tls":`+string(certificates)+`}}`)
	r.call(422, "PATCH", list+"/all", `{"auth":{"tls":{"ca":"x","key":"y"}}}`)
	r.call(200, "PATCH", list+"/all", `{"url":"`+url+`","auth":null}`)
	r.call(422, "PATCH", list+"/all", `{"url":"https://10.0.0.1","colour":1}`)
	r.pulled(list)
	r.call(200, "POST", list+"/import", `{"format":"csv","export":"id,url\nimported,`+url+`\nwrong,ftp://a.example\n"}`)
	r.call(200, "POST", list+"/import", `{"format":"svix","export":{"data":[{"uid":"imported","url":"`+url+`","channels":["a"]}]}}`)
	r.call(422, "POST", list+"/import", `{"format":"yaml"}`)
	r.call(200, "POST", list+"/all/pause", "")
	r.call(200, "POST", list+"/all/resume", "{}")
	r.call(200, "GET", list+"/all/secret", "")
	rotate := list + "/all/rotate-secret"
	r.call(200, "POST", rotate, "")
	r.call(200, "POST", rotate, `{"signing":"v1a","overlap":"1h"}`)
	r.call(200, "POST", rotate, `{"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw","signing":null,"overlap":"2d"}`)
	r.call(200, "GET", list+"/all/secret", "")
	r.call(200, "POST", rotate, `{}`)
	r.call(409, "POST", rotate, `{}`)
	r.call(200, "POST", rotate, `{"overlap":"0s"}`)
	r.call(422, "POST", rotate, `{"secret":"whsec_","overlap":"0h"}`)
	page := r.call(200, "GET", list+"?limit=1", "")
	r.call(200, "GET", list+"?limit=1&cursor="+page["next_cursor"].(string), "")
	r.call(400, "GET", list+"?order=asc&cursor="+page["next_cursor"].(string), "")
	r.call(200, "GET", list+"?cursor=", "")
	for _, wrong := range []string{"limit=0", "limit=", "order=", "order=up"} {
		r.call(422, "GET", list+"?"+wrong, "")
	}
	r.call(200, "GET", list+"/all", "")
	r.call(201, "PUT", list+"/short", `{"url":"`+url+`","types":["none"]}`)
	r.call(204, "DELETE", list+"/short", "")
}

func (r *recorder) publications() {
	path := acme + "/events"
	r.call(202, "POST", path, `{"type":"order.paid","id":"e1","subject":"u1","data":{"amount":5}}`)
	r.call(202, "POST", path, `[{"type":"order.paid","subject":"u1","data":{"amount":5}},{"type":"nobody.wants","data":null}]`, "Idempotency-Key", "k")
	r.call(202, "POST", path, `{"specversion":"1.0","id":"c1","source":"/shop","type":"order.paid","vip":true,"dataschema":"https://a.example/s"}`, "Content-Type", "application/cloudevents+json")
	r.call(202, "POST", path, `[{"specversion":"1.0","id":"c2","source":"/shop","type":"order.paid","data":{"b":1}}]`, "Content-Type", "application/cloudevents-batch+json")
	r.call(202, "POST", path, ` {"amount":7} `, "ce-specversion", "1.0", "ce-id", "c3", "ce-source", "/shop", "ce-type", "order.paid")
	r.call(422, "POST", path, `[{"type":"postino.x","data":1}]`)
	r.call(422, "POST", path, `{"type":"a","data":1}`, "Idempotency-Key", strings.Repeat("k", 257))
	r.call(413, "POST", path, `{"type":"a","data":"`+strings.Repeat("x", webhook.MaxEventSize)+`"}`)
	r.call(403, "POST", "/v1/tenants/postino/events", `{"type":"a","data":1}`)
	r.call(200, "POST", clockPath, `{"advance":"1s"}`)
	page := r.call(200, "GET", path+"?limit=2&type=order.*", "")
	r.call(200, "GET", path+"?limit=2&type=order.*&cursor="+page["next_cursor"].(string), "")
	for _, wrong := range []string{"type=a+", "type=", "after=today", "after=", "before="} {
		r.call(422, "GET", path+"?"+wrong, "")
	}
	for _, id := range []string{"/e1", "/c1?source=/shop", "/c3?source=/shop"} {
		r.call(200, "GET", path+id, "")
	}
	r.call(202, "POST", path+"/e1/replay", "")
	r.call(202, "POST", path+"/e1/replay", `{"subscription":"all"}`, "Idempotency-Key", "k")
	r.call(202, "POST", path+"/c1/replay?source=/shop", `{"subscription":null}`)
	r.call(422, "POST", path+"/e1/replay", `{"subscription":"none"}`)
	r.call(200, "POST", clockPath, `{"advance":"1s"}`)
	r.call(200, "POST", path+"/c3/expunge?source=/shop", "")
	r.call(200, "GET", path+"/c3?source=/shop", "")
	r.call(409, "POST", path+"/c3/replay?source=/shop", "")
	r.call(422, "POST", path+"/c3/expunge?source=/shop", `{"a":1}`)
}

func (r *recorder) deliveries() {
	r.call(201, "PUT", acme+"/subscriptions/failing", `{"url":"`+subscriber(r.t, 500)+`","types":["order.fails"],"retry":{"schedule":["1h"]}}`)
	r.call(201, "PUT", acme+"/subscriptions/unreachable", `{"url":"http://127.0.0.1:1","types":["order.fails"],"retry":{"schedule":[]}}`)
	r.call(201, "PUT", acme+"/subscriptions/paused", `{"url":"http://127.0.0.1:1","types":["order.fails"],"state":"paused"}`)
	r.call(201, "PUT", acme+"/subscriptions/gone", `{"url":"`+subscriber(r.t, 410)+`","types":["order.fails"]}`)
	r.call(202, "POST", acme+"/events", `{"type":"order.fails","id":"f1","subject":"u1","data":{}}`)
	r.call(200, "POST", clockPath, `{"advance":"1s"}`)
	r.call(200, "GET", acme+"/subscriptions/gone", "")
	r.call(200, "GET", acme+"/events/f1", "")
	list := acme + "/deliveries"
	page := r.call(200, "GET", list+"?event=f1", "")
	for _, d := range page["data"].([]any) {
		id, pending := d.(object)["id"].(string), d.(object)["status"] == "pending"
		r.call(200, "GET", list+"/"+id, "")
		r.call(202, "POST", list+"/"+id+"/retry", "")
		r.call(map[bool]int{true: 200, false: 409}[pending], "POST", list+"/"+id+"/cancel", "")
	}
	r.call(204, "DELETE", acme+"/subscriptions/failing", "")
	r.call(200, "POST", clockPath, `{"advance":"2h"}`)
	ended := r.call(200, "GET", list+"?subscription=failing", "")["data"].([]any)[0].(object)
	r.call(409, "POST", list+"/"+ended["id"].(string)+"/retry", "")
	first := r.call(200, "GET", list+"?limit=1&order=asc&after=2020-01-01T00:00:00Z", "")
	r.call(400, "GET", list+"?limit=1&cursor="+first["next_cursor"].(string), "")
	for _, status := range []string{"pending", "succeeded", "exhausted", "canceled"} {
		r.call(200, "GET", list+"?status="+status, "")
	}
	r.call(422, "GET", list+"?status=lost&source=x&subscription=A&event=", "")
}

func (r *recorder) triggers() {
	url := subscriber(r.t, 200)
	for id, trigger := range map[string]string{
		"t-delay": `{"delay":"1h","cancel":[{"types":["cart.paid"]}],"cap":{"max":2,"per":"1d"}}`, "t-once": `{"once":true}`, "t-at": `{"at":2,"distinct":"data.n"}`, "t-per": `{"once_per":"1d"}`,
	} {
		r.call(201, "PUT", acme+"/subscriptions/"+id, `{"url":"`+url+`","types":["cart.filled"],"trigger":`+trigger+`}`)
	}
	for n := range 3 {
		r.call(202, "POST", acme+"/events", `{"type":"cart.filled","id":"t`+strconv.Itoa(n)+`","subject":"u1","data":{"n":`+strconv.Itoa(n)+`}}`)
		r.call(200, "POST", clockPath, `{"advance":"1m"}`)
	}
	r.call(200, "GET", acme+"/events/t1", "")
	r.call(200, "GET", acme+"/subscriptions/t-delay/state/u1", "")
	r.call(200, "POST", clockPath, `{"advance":"2h"}`)
	r.call(202, "POST", acme+"/events", `{"type":"cart.paid","id":"t9","subject":"u1","data":{}}`)
	r.call(200, "POST", clockPath, `{"advance":"1m"}`)
	for _, id := range []string{"t-delay", "t-once", "t-at", "t-per"} {
		r.call(200, "GET", acme+"/subscriptions/"+id+"/state/u1", "")
	}
	r.call(200, "GET", acme+"/events/t1", "")
	r.call(204, "DELETE", acme+"/subscriptions/t-at/state/u1", "")
	r.call(404, "GET", acme+"/subscriptions/t-at/state/u1", "")
	r.call(201, "PUT", acme+"/subscriptions/t-pair", `{"url":"`+url+`","trigger":{"key":["subject","type"],"once":true}}`)
	r.call(422, "GET", acme+"/subscriptions/t-pair/state/u1", "")
	r.call(422, "DELETE", acme+"/subscriptions/t-pair/state/u1", "")
}

func (r *recorder) trials() {
	event := `"event":{"type":"order.paid","subject":"u1","data":{"amount":5}}`
	cloud := `"event":{"specversion":"1.0","id":"1","source":"/s","type":"order.paid","subject":"u1"}`
	for _, body := range []string{
		`{` + event + `,"subscription":{"url":"https://a.example"}}`, `{` + cloud + `,"subscription":{"url":"https://a.example","types":["x"]}}`,
		`{` + event + `,"subscription":{"url":"https://a.example/{{ data.missing }}"}}`, `{` + event + `,"subscription":{"url":"https://a.example","trigger":{"at":2}}}`,
		`{` + event + `,"subscription":{"url":"https://a.example","auth":{"type":"bearer","token":"{{ secrets.loyalty }}"}}}`,
	} {
		r.call(200, "POST", acme+"/preview", body)
	}
	r.call(422, "POST", acme+"/preview", `{`+event+`,"subscription":{"url":"https://a.example","auth":{"type":"bearer","token":"{{ secrets.none }}"}}}`)
	r.call(200, "POST", acme+"/preview/batch", `{"subscription":"all","events":100}`)
	r.call(200, "POST", acme+"/preview/batch", `{"subscription":{"url":"https://a.example","trigger":{"delay":"1h"}},"type":"order.*"}`)
	r.call(422, "POST", acme+"/preview/batch", `{"campaign":"none"}`)
	read := r.call(200, "GET", acme+"/events/t1", "")
	whole, _ := json.Marshal(read)
	for _, event := range []string{`"t1"`, `{"id":"t1","source":"/tenants/acme"}`, string(whole)} {
		r.call(200, "POST", acme+"/subscriptions/all/preview", `{"event":`+event+`}`)
	}
	for _, id := range []string{"all", "unreachable", "gone"} {
		r.call(200, "POST", acme+"/subscriptions/"+id+"/preview", `{`+event+`}`)
		r.call(200, "POST", acme+"/subscriptions/"+id+"/test", `{`+event+`}`)
		r.call(200, "POST", acme+"/subscriptions/"+id+"/test", `{"url":"`+subscriber(r.t, 200)+`",`+event+`}`)
	}
}

func (r *recorder) secrets() {
	path := acme + "/secrets"
	r.call(200, "PUT", path+"/loyalty", `{"value":"battery staple"}`)
	r.call(201, "PUT", path+"/other", `{"value":"x"}`)
	r.call(403, "PUT", "/v1/tenants/postino/secrets/x", `{"value":"x"}`)
	r.call(200, "GET", path+"/loyalty", "")
	page := r.call(200, "GET", path+"?limit=1", "")
	r.call(200, "GET", path+"?limit=1&cursor="+page["next_cursor"].(string), "")
	r.call(400, "GET", path+"?cursor=x", "")
	r.call(204, "DELETE", path+"/other", "")
}

func (r *recorder) keys() {
	path := acme + "/keys"
	made := r.call(201, "POST", path, `{"role":"portal","name":"n","expires_in":"1h"}`)
	r.call(201, "POST", path, `{"role":"publish"}`)
	r.call(422, "POST", path, `{"role":"admin","expires_in":"0s"}`)
	bearer := "Bearer " + made["key"].(string)
	r.call(200, "GET", acme+"/subscriptions/plain", "", "Authorization", bearer)
	r.call(403, "GET", path, "", "Authorization", bearer)
	r.call(404, "GET", "/v1/tenants/other/subscriptions", "", "Authorization", bearer)
	page := r.call(200, "GET", path+"?limit=1", "")
	r.call(200, "GET", path+"?limit=1&cursor="+page["next_cursor"].(string), "")
	r.call(204, "DELETE", path+"/"+made["id"].(string), "")
	r.call(401, "GET", acme+"/subscriptions/plain", "", "Authorization", bearer)
}

func (r *recorder) types() {
	path := acme + "/event-types"
	full := `{"description":"d","schema":{"type":"object","required":["n"],"properties":{"n":{"type":"integer"}}},"sample":{"n":1},"deprecated":true}`
	r.call(201, "PUT", path+"/typed.a", full)
	r.call(200, "PUT", path+"/typed.a", full)
	r.call(201, "PUT", path+"/typed.%2Fb", `{"schema":true}`)
	r.call(201, "PUT", path+"/typed.c", `{}`)
	r.call(422, "PUT", path+"/typed.d", `{"schema":{"type":"colour"},"deprecated":1}`)
	r.call(422, "PUT", path+"/typed.d", `{"schema":{"type":"string"},"sample":5}`)
	r.call(200, "GET", path+"/typed.a", "")
	r.call(200, "GET", path+"/typed.c", "")
	page := r.call(200, "GET", path+"?limit=1", "")
	r.call(200, "GET", path+"?limit=1&cursor="+page["next_cursor"].(string), "")
	r.call(422, "POST", acme+"/events", `[{"type":"typed.a","data":{"n":"x"}},{"type":"typed.a","data":5}]`)
	r.call(202, "POST", acme+"/events", `{"type":"typed.a","data":{"n":1}}`)
	r.call(204, "DELETE", path+"/typed.a", "")
}

// deletions deletes a tenant, which goes on until the clock moves, and tries
// everything that would change it meanwhile.
func (r *recorder) deletions() {
	const doomed = "/v1/tenants/doomed"
	r.call(404, "DELETE", doomed, "")
	r.call(201, "PUT", doomed, "")
	r.call(201, "PUT", "/v1/tenants/other", "")
	location := r.call(202, "DELETE", doomed, "")["id"].(string)
	r.call(202, "DELETE", doomed, "{}") // once more does no harm
	r.call(200, "GET", "/v1/tenants/postino/jobs/"+location, "")
	for _, op := range r.d.operations() {
		if op.method != http.MethodGet && op.path != "/v1/tenants/{tenant}" && strings.Contains(op.path, "{tenant}") {
			r.call(409, op.method, strings.Replace(fill(op.path), "acme", "doomed", 1), map[bool]string{true: `{"type":"a","data":1}`}[strings.HasSuffix(op.path, "/events")])
		}
	}
	r.call(409, "PUT", doomed, "")
	r.call(200, "POST", clockPath, `{"advance":"10m"}`)
	r.call(200, "GET", "/v1/tenants/postino/jobs/"+location, "")
	r.call(201, "PUT", doomed, "")
}

func (r *recorder) jobs() {
	const since = `{"after":"2020-01-01T00:00:00Z"}`
	one, whole := acme+"/subscriptions/unreachable/recover", acme+"/recover"
	for _, path := range []string{one, whole} { // one after the other: each waits for the clock before its end
		r.call(202, "POST", path, `{"after":"2020-01-01T00:00:00Z","before":"2999-01-01T00:00:00Z","status":`+
			map[bool]string{true: "null", false: `"canceled"`}[path == one]+`}`)
		r.call(409, "POST", one, since)
		r.call(map[bool]int{true: 202, false: 409}[path == one], "POST", whole, `{"after":"2020-01-01T00:00:00Z","dry_run":true}`)
		r.call(200, "POST", clockPath, `{"advance":"1h"}`)
	}
	for _, wrong := range []string{
		`{}`, `{"after":"2999-01-01T00:00:00Z"}`, `{"after":"today"}`, `{"after":"2020-01-01T00:00:00Z","status":"lost","dry_run":1,"x":1}`,
		`{"after":"2020-01-01T00:00:00Z","before":"2020-01-01T00:00:00Z"}`,
	} {
		r.call(422, "POST", one, wrong)
		r.call(422, "POST", whole, wrong)
	}
	page := r.call(200, "GET", acme+"/jobs?limit=1", "")
	r.call(200, "GET", acme+"/jobs?limit=1&cursor="+page["next_cursor"].(string), "")
	r.call(200, "GET", acme+"/jobs/"+page["data"].([]any)[0].(object)["id"].(string), "")
	r.call(422, "GET", acme+"/jobs?order=up", "")
}

func (r *recorder) stats() {
	path := acme + "/stats"
	r.call(200, "POST", clockPath, `{"advance":"1h"}`) // which stores what was counted
	if total := r.call(200, "GET", path, "")["total"].(object); total["attempt_ms"] == nil {
		r.t.Error("nothing was counted")
	}
	r.call(200, "GET", path+"?subscription=unreachable&after=2020-01-01T00:00:00Z&before=2020-01-31T23:59:00Z", "")
	for _, wrong := range []string{"subscription=A", "after=today", "limit=5", "after=2020-01-01T00:00:00Z&before=2020-03-01T00:00:00Z",
		"after=2020-01-02T00:00:00Z&before=2020-01-01T00:00:00Z"} {
		r.call(422, "GET", path+"?"+wrong, "")
	}
}

func (r *recorder) service() {
	r.call(200, "GET", "/healthz", "", "Authorization", "")
	r.call(200, "GET", "/openapi.json", "", "Authorization", "")
	r.call(200, "GET", "/docs", "", "Authorization", "")
	r.call(200, "GET", "/console", "", "Authorization", "")
	r.call(200, "GET", "/portal", "", "Authorization", "")
	r.call(200, "GET", "/portal/embed.js", "", "Authorization", "")
	r.call(200, "GET", "/portal/acme", "", "Authorization", "")
	r.call(404, "GET", "/portal/Acme", "", "Authorization", "")
	r.call(200, "GET", acme+"/origins", "")
	r.call(200, "PUT", acme+"/origins", `{"origins":["https://app.example"]}`)
	r.call(422, "PUT", acme+"/origins", `{"origins":["https://app.example/path"]}`)
	r.call(201, "POST", acme+"/portal-links", `{"expires_in":"10m"}`)
	r.call(422, "POST", acme+"/portal-links", `{"expires_in":"10d"}`)
	r.call(200, "GET", "/console/assets/licenses.md", "", "Authorization", "")
	r.call(404, "GET", "/console/assets/missing.js", "", "Authorization", "")
	r.call(200, "PUT", acme, "")
	r.call(403, "PUT", "/v1/tenants/postino", "")
	r.call(403, "DELETE", "/v1/tenants/postino", "")
	page := r.call(200, "GET", "/v1/tenants?limit=1", "")
	r.call(200, "GET", "/v1/tenants?limit=1&cursor="+page["next_cursor"].(string), "")
	r.call(400, "GET", "/v1/tenants?cursor=x", "")
}

// nowhere asks for what is not there, by path or method.
func (r *recorder) nowhere() {
	for _, path := range []string{"/v1", "/v1/tenants/acme/none", "/v1/tenants/acme/events/a/b"} {
		r.call(404, "GET", path, "")
	}
	for _, op := range r.d.operations() {
		for _, method := range []string{"TRACE", "DELETE", "POST", "PUT", "OPTIONS", "HEAD"} {
			methods := r.d.find(fill(op.path))
			if _, ok := methods[method]; ok || method == "HEAD" {
				continue
			}
			want := 405
			if method == "OPTIONS" {
				want = 204
			}
			r.call(want, method, fill(op.path), "")
		}
	}
	r.call(200, "HEAD", "/healthz", "")
	r.call(404, "HEAD", acme+"/subscriptions/missing", "")
}

// pulled calls what those call who pull.
func (r *recorder) pulled(list string) {
	r.call(201, "PUT", list+"/queue", `{"pull":true,"types":["pull.me"],"retry":{"schedule":["1h"]}}`)
	for _, id := range []string{"first", "second", "third"} {
		r.call(202, "POST", acme+"/events", `{"type":"pull.me","id":"`+id+`","data":{}}`)
	}
	var all []any
	for len(all) < 3 {
		all = append(all, r.call(200, "POST", list+"/queue/pull", `{"max":3,"wait":"20s","lease":"10m"}`)["deliveries"].([]any)...)
	}
	says := func(i int, more string) string {
		one := all[i].(map[string]any)
		return fmt.Sprintf(`{"deliveries":[{"id":%q,"lease":%q%s}]}`, one["id"], one["lease"], more)
	}
	r.call(200, "POST", list+"/queue/ack", says(0, ``))
	r.call(200, "POST", list+"/queue/ack", says(1, `,"duration_ms":5,"response":{"status":500,"headers":{"Content-Type":"text/plain"},"body":"no"}`))
	r.call(200, "POST", list+"/queue/nack", says(2, `,"error":"connect","detail":"refused","retry_after":"2h"`))
	r.call(200, "POST", list+"/queue/nack", says(2, ``))
	r.call(200, "POST", list+"/queue/pull", "")
	r.call(422, "POST", list+"/queue/pull", `{"max":0}`)
	r.call(422, "POST", list+"/queue/ack", `{"deliveries":[]}`)
	r.call(409, "POST", list+"/plain/pull", "")
	r.call(409, "POST", list+"/plain/nack", `{"deliveries":[{"id":"x","lease":"x"}]}`)
}
