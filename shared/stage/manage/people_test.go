package manage_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	ada     = "/profiles/ada"
	flights = "/attributes/flights"
	vip     = "/segments/vip"
)

func TestProfilesAreWrittenMergedReadAndForgotten(t *testing.T) {
	w := open(t)
	created := w.must(t, 201, "PUT", ada, `{"attributes":{"plan":"gold","n":12.50,"gone":null}}`)
	const first = `{"subject":"ada","attributes":{"n":12.50,"plan":"gold"},"computed":[],"full":[],"segments":[],"revision":1,"updated_at":"2026-03-01T12:00:00.000Z"`
	if !strings.HasPrefix(string(created.body), first) || created.header.Get("Etag") != `"1"` || created.header.Get("Location") != "/v1/tenants/acme"+ada {
		t.Errorf("created %s %v", created.body, created.header)
	}
	merged := w.must(t, 200, "PATCH", ada, `{"attributes":{"plan":null,"name":"Ada"}}`)
	if got := fmt.Sprint(merged.get(t, "attributes")); got != "map[n:12.5 name:Ada]" || merged.get(t, "revision") != 2.0 {
		t.Errorf("merged %s", merged.body)
	}
	w.must(t, 200, "PUT", ada, string(merged.body)) // what was read can be written back
	if got := w.must(t, 200, "GET", ada, ""); fmt.Sprint(got.get(t, "attributes")) != "map[n:12.5 name:Ada]" {
		t.Errorf("written back %s", got.body)
	}
	w.must(t, 404, "PATCH", "/profiles/none", `{"attributes":{"a":1}}`)
	w.must(t, 404, "GET", "//v1/tenants/other"+ada, "")
	w.must(t, 204, "DELETE", ada, "")
	w.must(t, 404, "DELETE", ada, "")
	w.must(t, 404, "GET", ada, "")
}

func TestManyProfilesAreMergedOrNone(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", flights, `{"keep":"count"}`)
	w.must(t, 201, "PUT", ada, `{"attributes":{"plan":"gold"}}`)
	refused := w.must(t, 422, "POST", "/profiles", `{"profiles":[{"subject":"ada","attributes":{"n":1}},{"subject":"bob","attributes":{"flights":5}},{"subject":"ada","attributes":{}},{"subject":"x"},{"name":1}]}`)
	for _, field := range []string{"profiles[2].subject", "profiles[3].attributes", "profiles[4].name", "profiles[4].subject"} {
		if !strings.Contains(string(refused.body), `"`+field+`"`) {
			t.Errorf("refused with %s, want %s among the fields", refused.body, field)
		}
	}
	if refused := w.must(t, 422, "POST", "/profiles", `{"profiles":[{"subject":"ada","attributes":{"n":1}},{"subject":"bob","attributes":{"flights":5}}]}`); !strings.Contains(string(refused.body), `"profiles[1].attributes.flights"`) {
		t.Errorf("refused with %s", refused.body)
	}
	if got := w.must(t, 200, "GET", ada, ""); got.get(t, "revision") != 1.0 {
		t.Errorf("a refused request changed %s", got.body)
	}
	w.must(t, 404, "GET", "/profiles/bob", "")
	var many []string
	for i := range 500 {
		many = append(many, fmt.Sprintf(`{"subject":"u%03d","attributes":{"i":%d}}`, i, i))
	}
	w.must(t, 422, "POST", "/profiles", `{"profiles":[`+strings.Join(append(many, many[0]), ",")+`]}`)
	if got := w.must(t, 200, "POST", "/profiles", `{"profiles":[`+strings.Join(many, ",")+`]}`); string(got.body) != `{"stored":500}` {
		t.Errorf("stored %s", got.body)
	}
	found, cursor := 0, ""
	for {
		page := w.must(t, 200, "GET", "/profiles?limit=250&cursor="+cursor, "")
		found += len(page.get(t, "data").([]any))
		if page.get(t, "next_cursor") == nil {
			break
		}
		cursor = page.get(t, "next_cursor").(string)
	}
	if found != 501 {
		t.Errorf("%d profiles listed, want 501", found)
	}
}

func TestAProfileThatOthersChangedMeanwhileIsNotOverwritten(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", ada, `{"attributes":{}}`)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() { w.must(t, 200, "PATCH", ada, fmt.Sprintf(`{"attributes":{"a%d":1}}`, i)) })
	}
	all.Wait()
	got := w.must(t, 200, "GET", ada, "")
	if n := len(got.get(t, "attributes").(map[string]any)); n != 8 || got.get(t, "revision") != 9.0 {
		t.Errorf("after eight changes at once: %s", got.body)
	}
}

func TestBadProfilesAreRefused(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", flights, `{"keep":"count"}`)
	for _, tt := range []struct{ path, body, field string }{
		{ada, `[]`, "body"},
		{ada, `{}`, "attributes"},
		{ada, `{"attributes":5}`, "attributes"},
		{ada, `{"attributes":{"a.b":1}}`, "attributes.a.b"},
		{ada, `{"attributes":{"flights":1}}`, "attributes.flights"},
		{ada, `{"attributes":{"a":"` + strings.Repeat("x", 16<<10) + `"}}`, "attributes"},
		{ada, `{"attributes":{},"atributes":{}}`, "atributes"},
		{ada, `{"attributes":{},"subject":"bob"}`, "subject"},
		{"/profiles/" + strings.Repeat("x", 513), `{"attributes":{}}`, "subject"},
		{"/segments/VIP", `{"filter":{"profile":{"a":[1]}}}`, "id"},
		{vip, `{}`, "filter"},
		{vip, `{"filter":{"data":{"a":[1]}}}`, "filter.data"},
		{vip, `{"filter":{"profile":{"a":1}}}`, "filter.profile.a"},
		{vip, `{"filter":{"profile":{"a":[1]}},"nmae":"x"}`, "nmae"},
		{flights, `{"keep":"last"}`, "value"},
		{"/attributes/a.b", `{"keep":"count"}`, "name"},
	} {
		got := w.must(t, 422, "PUT", tt.path, tt.body)
		if fields, _ := json.Marshal(got.get(t, "errors")); !strings.Contains(string(fields), `"`+tt.field+`"`) {
			t.Errorf("PUT %.40s %.60s: %s, want the field %s", tt.path, tt.body, got.body, tt.field)
		}
	}
}

func TestATenantDefinesABoundedNumber(t *testing.T) {
	w := open(t)
	for i := range 100 {
		w.must(t, 201, "PUT", fmt.Sprint("/attributes/a", i), `{"keep":"count"}`)
		w.must(t, 201, "PUT", fmt.Sprint("/segments/s", i), `{"filter":{"profile":{"a":[1]}}}`)
	}
	if got := w.must(t, 409, "PUT", flights, `{"keep":"count"}`); got.get(t, "code") != "attributes_full" {
		t.Errorf("the attribute beyond the hundredth: %s", got.body)
	}
	if got := w.must(t, 409, "PUT", vip, `{"filter":{"profile":{"a":[1]}}}`); got.get(t, "code") != "segments_full" {
		t.Errorf("the segment beyond the hundredth: %s", got.body)
	}
	w.must(t, 200, "PUT", "/attributes/a7", `{"keep":"last_time"}`)
	w.must(t, 204, "DELETE", "/attributes/a7?values=keep", "")
	w.must(t, 409, "PUT", flights, `{"keep":"count"}`)
	w.must(t, 204, "DELETE", "/attributes/a7?values=drop", "")
	w.must(t, 201, "PUT", flights, `{"keep":"count"}`)
	var values []string
	for i := range 3000 {
		values = append(values, fmt.Sprintf(`{"prefix":"a%d-"}`, i))
	}
	w.must(t, 204, "DELETE", "/segments/s1", "")
	large := `{"filter":{"profile":{"a":[` + strings.Join(values, ",") + `]}}}`
	for i := range 20 {
		if got := w.do(t, "PUT", fmt.Sprint("/segments/s", 2+i), large); got.status == 409 {
			if got.get(t, "code") != "filters_full" {
				t.Errorf("definitions that are too large: %s", got.body)
			}
			return
		}
	}
	t.Error("20 segments of 3,000 prefixes each are taken")
}

func TestASegmentInUseIsNotDeletedAndOneThatDoesNotExistIsNotUsed(t *testing.T) {
	w := open(t)
	refused := w.must(t, 422, "PUT", "/subscriptions/s", `{"url":"https://a.example/","filter":{"segment":["vpi"]}}`)
	if !strings.Contains(string(refused.body), "filter.segment") {
		t.Errorf("refused %s", refused.body)
	}
	w.must(t, 201, "PUT", vip, `{"filter":{"profile":{"plan":["gold"]}}}`)
	w.must(t, 201, "PUT", "/subscriptions/s", `{"url":"https://a.example/","filter":{"$or":[{"segment":["vip"]},{"data":{"n":[1]}}]}}`)
	if got := w.must(t, 409, "DELETE", vip, ""); got.get(t, "code") != "segment_in_use" || !strings.Contains(string(got.body), "subscription s ") {
		t.Errorf("deleted in use: %s", got.body)
	}
	w.must(t, 200, "PATCH", "/subscriptions/s", `{"filter":null}`)
	w.must(t, 204, "DELETE", vip, "")
	w.must(t, 404, "DELETE", vip, "")
}

func TestAPreviewSeesTheProfileAsTheEventWouldMakeIt(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", flights, `{"keep":"sum","value":"data.n"}`)
	w.must(t, 201, "PUT", ada, `{"attributes":{"name":"Ada"}}`)
	ask := func(filter string) answer {
		return w.must(t, 200, "POST", "/preview", `{"event":{"type":"x","subject":"ada","data":{"n":5}},"subscription":{"url":"https://a.example/","filter":`+filter+`,"request":{"body":{"to":"{{ profile.name }}","n":"{{ profile.flights }}"}}}}`)
	}
	met := ask(`{"profile":{"flights":[5]}}`)
	if met.get(t, "matched") != true || !strings.Contains(string(met.body), `{\"to\":\"Ada\",\"n\":5}`) {
		t.Errorf("preview %s", met.body)
	}
	missed := ask(`{"profile":{"flights":[6]}}`)
	if missed.get(t, "reason") != "profile" || missed.get(t, "detail") != "filter.profile.flights: want [6], found 5" {
		t.Errorf("preview %s", missed.body)
	}
	if got := w.must(t, 200, "GET", ada, ""); got.get(t, "revision") != 1.0 {
		t.Errorf("a preview changed %s", got.body)
	}
}

func TestAPortalKeyLearnsNothingOfProfiles(t *testing.T) {
	w := openWithPortal(t)
	w.must(t, 201, "PUT", ada, `{"attributes":{"plan":"gold"}}`)
	w.must(t, 201, "PUT", vip, `{"filter":{"profile":{"plan":["gold"]}}}`)
	w.must(t, 201, "PUT", "/subscriptions/mine", `{"url":"https://a.example/","filter":{"profile":{"plan":["gold"]}},"request":{"body":"{{ profile.plan }}","content_type":"text/plain"}}`)
	for _, tt := range []struct {
		status             int
		method, path, body string
	}{
		{403, "GET", ada, ""},
		{403, "GET", "/profiles", ""},
		{403, "GET", "/segments", ""},
		{403, "GET", "/attributes", ""},
		{422, "PUT", "/subscriptions/own", `{"url":"https://a.example/","filter":{"profile":{"plan":["gold"]}}}`},
		{422, "PUT", "/subscriptions/own", `{"url":"https://a.example/","filter":{"segment":["vip"]}}`},
		{422, "PUT", "/subscriptions/own", `{"url":"https://a.example/","request":{"headers":{"x-a":"{{ profile.plan }}"}}}`},
		{422, "PUT", "/subscriptions/own", `{"url":"https://a.example/{{ profile.plan }}"}`},
		{422, "PATCH", "/subscriptions/mine", `{"url":"https://b.example/"}`},
		{422, "PATCH", "/subscriptions/mine", `{"request":{"method":"PUT"}}`},
		{200, "PATCH", "/subscriptions/mine", `{"description":"harmless"}`},
		{422, "POST", "/preview", `{"event":{"type":"x","subject":"ada","data":{}},"subscription":{"url":"https://a.example/","filter":{"profile":{"plan":["gold"]}}}}`},
	} {
		if got := w.asPortal(tt.method, tt.path, tt.body); got.status != tt.status || strings.Contains(string(got.body), "gold") && tt.method != "PATCH" {
			t.Errorf("%s %s %s: %d %s, want %d", tt.method, tt.path, tt.body, got.status, got.body, tt.status)
		}
	}
	preview := w.asPortal("POST", "/subscriptions/mine/preview", `{"event":{"type":"x","subject":"ada","data":{}}}`)
	if strings.Contains(string(preview.body), `"body":"gold"`) || preview.get(t, "matched") != false {
		t.Errorf("a portal key's preview: %s", preview.body)
	}
}

func TestASendNeedsASubscriptionThatTakesItAndOneGroup(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", "/subscriptions/card", `{"url":"https://a.example/","types":["postino.send"]}`)
	w.must(t, 201, "PUT", "/subscriptions/order", `{"url":"https://a.example/","types":["order.*"]}`)
	for body, field := range map[string]string{
		`[]`:                 "body",
		`{"subjects":["a"]}`: "subscription",
		`{"subscription":"none","subjects":["a"]}`:                                                             "subscription",
		`{"subscription":"order","subjects":["a"]}`:                                                            "subscription",
		`{"subscription":"card"}`:                                                                              "segment",
		`{"subscription":"card","subjects":["a"],"segment":"vip"}`:                                             "segment",
		`{"subscription":"card","segment":"vip"}`:                                                              "segment",
		`{"subscription":"card","subjects":[]}`:                                                                "subjects",
		`{"subscription":"card","subjects":["a","a"]}`:                                                         "subjects[1]",
		`{"subscription":"card","subjects":[""]}`:                                                              "subjects[0]",
		`{"subscription":"card","filter":{"data":{"a":[1]}}}`:                                                  "filter.data",
		`{"subscription":"card","subjects":["a"],"rate":0}`:                                                    "rate",
		`{"subscription":"card","subjects":["a"],"at":"soon"}`:                                                 "at",
		`{"subscription":"card","subjects":["a"],"at":"2027-01-01T00:00:00Z"}`:                                 "at",
		`{"subscription":"card","subjects":["a"],"data":"` + strings.Repeat("x", 16<<10) + `"}`:                "data",
		`{"subscription":"card","subjects":["a"],"rat":5}`:                                                     "rat",
		`{"subscription":"card","subjects":["a"],"local_time":"10:00"}`:                                        "zone",
		`{"subscription":"card","subjects":["a"],"zone":"Europe/Rome"}`:                                        "zone",
		`{"subscription":"card","subjects":["a"],"local_time":"10:00","zone":"Mars/Base"}`:                     "zone",
		`{"subscription":"card","subjects":["a"],"local_time":"10:00","zone":"data.tz"}`:                       "zone",
		`{"subscription":"card","subjects":["a"],"local_time":"25:00","zone":"Europe/Rome"}`:                   "local_time",
		`{"subscription":"card","subjects":["a"],"local_time":"10:00","zone":"profile.tz","default_zone":"x"}`: "default_zone",
	} {
		got := w.must(t, 422, "POST", "/sends", body)
		if fields, _ := json.Marshal(got.get(t, "errors")); !strings.Contains(string(fields), `"`+field+`"`) {
			t.Errorf("%.80s: %s, want the field %s", body, got.body, field)
		}
	}
	started := w.must(t, 202, "POST", "/sends", `{"subscription":"card","subjects":["a"]}`)
	job := "/jobs/" + started.get(t, "id").(string)
	w.takeSent()
	for i, step := range []struct {
		do, status string
		asks       int
	}{{"pause", "paused", 0}, {"pause", "paused", 0}, {"resume", "running", 1}, {"resume", "running", 1}, {"pause", "paused", 0}} {
		if got := w.must(t, 200, "POST", job+"/"+step.do, ""); got.get(t, "status") != step.status || len(w.takeSent()) != step.asks {
			t.Errorf("step %d: %s answers %s, want it %s", i, step.do, got.body, step.status)
		}
	}
	w.advance(8 * 24 * time.Hour)
	if got := w.must(t, 200, "POST", job+"/resume", ""); got.get(t, "status") != "stopped" || len(w.takeSent()) != 0 {
		t.Errorf("resumed after eight days: %s, want it stopped", got.body)
	}
	local := w.must(t, 202, "POST", "/sends", `{"subscription":"card","subjects":["a"],"local_time":"10:00","zone":"profile.tz","default_zone":"Europe/Rome"}`)
	if local.get(t, "send", "local_time") != "10:00" || local.get(t, "send", "zone") != "profile.tz" || local.get(t, "send", "default_zone") != "Europe/Rome" {
		t.Errorf("a send by local time: %s", local.body)
	}
	job = "/jobs/" + local.get(t, "id").(string)
	w.must(t, 200, "POST", job+"/pause", "")
	if got := w.must(t, 200, "POST", job+"/stop", ""); got.get(t, "status") != "stopped" {
		t.Errorf("stopped %s", got.body)
	}
	recover := w.must(t, 202, "POST", "/subscriptions/card/recover", `{"after":"2026-02-01T00:00:00Z"}`)
	if got := w.must(t, 409, "POST", "/jobs/"+recover.get(t, "id").(string)+"/stop", ""); got.get(t, "code") != "job_not_stoppable" {
		t.Errorf("a recover is stopped: %s", got.body)
	}
}

func TestASegmentIsCountedAtOnceExactlyOrBySharesOrByAJob(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", vip, `{"filter":{"profile":{"plan":["gold"]}}}`)
	many := func(from, to int) {
		for ; from < to; from += 500 {
			var list []string
			for i := from; i < min(from+500, to); i++ {
				list = append(list, fmt.Sprintf(`{"subject":"u%05d","attributes":{"plan":%q}}`, i, []string{"gold", "tin", "tin", "tin"}[i%4]))
			}
			w.must(t, 200, "POST", "/profiles", `{"profiles":[`+strings.Join(list, ",")+`]}`)
		}
	}
	many(0, 400)
	if got := w.must(t, 200, "GET", vip+"/count", ""); string(got.body) != `{"segment":"vip","count":100,"profiles":400,"exact":true,"looked":400}` {
		t.Errorf("a count of 400: %s, want 100, exactly", got.body)
	}
	many(400, 8000)
	got := w.must(t, 200, "GET", vip+"/count", "")
	near := func(name string, want float64) bool {
		n := got.get(t, name).(float64)
		return n > 0.9*want && n < 1.1*want
	}
	if got.get(t, "exact") != false || !near("count", 2000) || !near("profiles", 8000) || got.get(t, "looked").(float64) > 6000 {
		t.Errorf("a count of 8,000: %s, want about 2,000, estimated", got.body)
	}
	w.takeSent()
	job := w.must(t, 202, "POST", vip+"/count", "")
	if job.get(t, "kind") != "count" || job.get(t, "segment") != "vip" || job.get(t, "send") != nil || len(w.takeSent()) != 1 {
		t.Errorf("a count by a job: %s, want a job of kind count that begins", job.body)
	}
	w.must(t, 404, "GET", "/segments/none/count", "")
	w.must(t, 404, "POST", "/segments/none/count", "")
}
