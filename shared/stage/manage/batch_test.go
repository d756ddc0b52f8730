package manage_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// happen stores an event of acme, accepted so long after the clock.
func (w *world) happen(t testing.TB, after time.Duration, id, typ, subject, data string) webhook.StoredEvent {
	t.Helper()
	e := webhook.StoredEvent{Event: webhook.Event{
		Tenant: "acme", ID: id, Source: "/tenants/acme", Type: typ, Subject: subject, Data: json.RawMessage(data),
		Time: w.now().Add(after), AcceptedAt: w.now().Add(after), Nonce: "n",
	}}
	if _, _, err := w.store.CreateEvent(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	return e
}

const many = "/preview/batch"

func TestAPreviewOverManySaysHowManyWouldMatchAndWhatWouldBecomeOfThem(t *testing.T) {
	w := open(t)
	for i := range 1000 {
		typ, data := "visit", `{"n":1}`
		switch {
		case i%2 == 0:
			typ = "order"
		case i%10 == 1:
			data = `{"n":2}`
		}
		w.happen(t, time.Duration(i)*time.Second, fmt.Sprint("e", i), typ, fmt.Sprint("u", i%60), data)
	}
	w.advance(time.Hour)
	got := w.must(t, 200, "POST", many, `{"subscription":{"url":"https://a.example/","types":["visit"],"filter":{"data":{"n":[1]}},"trigger":{"cap":{"max":3,"per":"30d"}}}}`)
	const want = `"text":"400 of 1,000 would match: 72 sent, 328 capped","missed":{"filter":100,"type":500},"matched":400,"skipped":{"cap":328},"waiting":0,"sent":72`
	if !strings.Contains(string(got.body), want) {
		t.Errorf("preview of many: %s, want %s: three for each of 24 subjects", got.body, want)
	}
	if got.get(t, "events") != 1000.0 || got.get(t, "complete") != true || got.get(t, "after") != "2026-03-01T12:00:00.000Z" || got.get(t, "before") != "2026-03-01T12:16:39.000Z" {
		t.Errorf("preview of many: %.300s, want the range of the thousand events", got.body)
	}
	few := w.must(t, 200, "POST", many, `{"events":10,"type":"visit","subscription":{"url":"https://a.example/{{ data.n }}"}}`)
	if few.get(t, "events") != 10.0 || few.get(t, "sent") != 10.0 || few.get(t, "after") != "2026-03-01T12:16:21.000Z" {
		t.Errorf("the newest ten visits: %s, want all of them sent", few.body)
	}
}

func TestAPreviewOverManyPlaysDelaysAndWhatCancelsThem(t *testing.T) {
	w := open(t)
	w.happen(t, 0, "c1", "cart", "ada", `{}`)
	w.happen(t, 0, "c2", "cart", "bob", `{}`)
	w.happen(t, 10*time.Minute, "p1", "paid", "ada", `{}`)
	w.happen(t, 90*time.Minute, "c3", "cart", "cleo", `{}`)
	w.advance(2 * time.Hour)
	w.must(t, 201, "PUT", sub+"/s", `{"url":"https://a.example/","types":["cart"],"trigger":{"delay":"1h","cancel":[{"types":["paid"]}]}}`)
	got := w.must(t, 200, "POST", many, `{"subscription":"s"}`)
	const want = `"text":"3 of 4 would match: 1 sent, 1 canceled by another event, 1 waiting"`
	if !strings.Contains(string(got.body), want) {
		t.Errorf("preview of carts: %s, want %s", got.body, want)
	}
	const example = `{"subscription":"s","event":"c1","source":"/tenants/acme","outcome":"skipped","reason":"canceled_by_event"}`
	if !strings.Contains(string(got.body), example) {
		t.Errorf("preview of carts: %s, want the example %s", got.body, example)
	}
}

func TestAPreviewOfADraftCampaignOverManyCountsForAllOfItsSubscriptions(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", "/campaigns/spring", `{"starts_at":"2027-01-01T00:00:00Z","audience":{"profile":{"consent":[true]}},"cap":{"max":1,"per":"7d"}}`)
	for _, subject := range []string{"ada", "bob"} {
		w.must(t, 201, "PUT", "/profiles/"+subject, fmt.Sprintf(`{"attributes":{"consent":%t}}`, subject == "ada"))
	}
	for _, id := range []string{"a", "b"} {
		w.must(t, 201, "PUT", sub+"/"+id, `{"url":"https://a.example/","types":["visit"],"campaign":"spring"}`)
	}
	for i, subject := range []string{"ada", "bob", "ada"} {
		w.happen(t, time.Duration(i)*time.Second, fmt.Sprint("v", i), "visit", subject, `{}`)
	}
	w.advance(time.Hour)
	got := w.must(t, 200, "POST", many, `{"campaign":"spring"}`)
	const want = `"text":"3 events would match 4 times: 1 sent, 3 capped","missed":{"audience":2},"matched":4,"skipped":{"cap":3},"waiting":0,"sent":1`
	if !strings.Contains(string(got.body), want) {
		t.Errorf("preview of a campaign: %s, want %s", got.body, want)
	}
	for body, field := range map[string]string{
		`{"campaign":"none"}`:     "campaign",
		`{"subscription":"none"}`: "subscription",
		`{}`:                      "subscription",
		`{"subscription":"a","campaign":"spring"}`:       "subscription",
		`{"subscription":"a","events":1001}`:             "events",
		`{"subscription":"a","type":"*x"}`:               "type",
		`{"subscription":{"url":"https://a.example/ "}}`: "subscription.url",
		`{"subscription":"a","n":1}`:                     "n",
	} {
		if refused := w.must(t, 422, "POST", many, body); fmt.Sprint(refused.fields(t)) != "["+field+"]" {
			t.Errorf("%s: %s, want the field %s", body, refused.body, field)
		}
	}
}

func TestADraftSeesTheCapsOfItsCampaign(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", "/campaigns/spring", `{"cap":{"max":1,"per":"7d"}}`)
	got := w.must(t, 200, "POST", "/preview", `{"event":{"type":"visit","subject":"ada","data":{}},"subscription":{"url":"https://a.example/","campaign":"spring"}}`)
	if got.get(t, "matched") != true || got.get(t, "text") != "would be sent" {
		t.Errorf("preview of a draft in a campaign: %s, want it sent", got.body)
	}
}

func TestAPreviewTakesAnEventByItsIDOrAsItWasRead(t *testing.T) {
	w := openWithPortal(t)
	w.must(t, 201, "PUT", "/attributes/visits", `{"types":["visit"],"keep":"count"}`)
	w.must(t, 201, "PUT", sub+"/s", `{"url":"https://a.example/","types":["visit"],"trigger":{"every":5},"request":{"body":{"at":"{{ now }}","n":"{{ data.n }}","v":"{{ profile.visits }}"}}}`)
	e := w.happen(t, 0, "v1", "visit", "ada", `{"n": 1.50}`)
	w.advance(time.Hour)
	const body = `{"at":"2026-03-01T12:00:00.000Z","n":1.50,"v":null}`
	read := w.must(t, 200, "GET", "/events/v1", "")
	for name, event := range map[string]string{
		"by id":            `"v1"`,
		"by id and source": `{"id":"v1","source":"` + e.Source + `"}`,
		"as read":          string(read.body),
	} {
		got := w.must(t, 200, "POST", sub+"/s/preview", `{"event":`+event+`}`)
		if got.get(t, "request", "body") != body || got.get(t, "reason") != "not_due" || got.get(t, "text") != "first of five, one in all" {
			t.Errorf("%s: %s, want the body %s and the first of five", name, got.body, body)
		}
	}
	for _, event := range []string{`"v2"`, `{"id":"v1","source":"/other"}`} {
		if got := w.must(t, 422, "POST", sub+"/s/preview", `{"event":`+event+`}`); fmt.Sprint(got.fields(t)) != "[event]" {
			t.Errorf("an unknown event %s: %s, want the field event", event, got.body)
		}
	}
	w.must(t, 201, "PUT", sub+"/p", `{"url":"https://a.example/"}`)
	if got := w.asPortal("POST", sub+"/p/preview", `{"event":"v1"}`); got.status != 422 || fmt.Sprint(got.fields(t)) != "[event]" {
		t.Errorf("a portal key previews a stored event: %d %s, want 422 for event", got.status, got.body)
	}
	if got := w.asPortal("POST", many, `{"subscription":"p"}`); got.status != 403 {
		t.Errorf("a portal key previews stored events: %d %s, want 403", got.status, got.body)
	}
}

// trier remembers what it was to send.
type trier struct {
	sub   webhook.Subscription
	trial webhook.Trial
}

func (r *trier) Test(_ context.Context, s webhook.Subscription, t webhook.Trial) (webhook.Attempt, error) {
	r.sub, r.trial = s, t
	return webhook.Attempt{Number: 1, StatusCode: 204}, nil
}

func TestATestMayGoToAnotherURLAndTellsSo(t *testing.T) {
	w, r := open(t), &trier{}
	w.Tester = r
	w.must(t, 201, "PUT", sub+"/s", `{"url":"https://a.example/","types":["visit"]}`)
	got := w.must(t, 200, "POST", sub+"/s/test", `{"url":"https://b.example/{{ data.n }}","event":{"type":"visit","data":{"n":1}}}`)
	if got.get(t, "request", "url") != "https://b.example/1" || r.trial.Target.URL.Plain != "https://b.example/1" || !r.trial.Elsewhere {
		t.Errorf("a test elsewhere: %s and %+v, want the other url, and that it is another", got.body, r.trial)
	}
	w.must(t, 200, "POST", sub+"/s/test", `{"event":{"type":"visit","data":{"n":1}}}`)
	if r.trial.Elsewhere || r.trial.Target.URL.Plain != "https://a.example/" {
		t.Errorf("a test: %+v, want the subscription's url", r.trial)
	}
	for body, field := range map[string]string{`{"url":"http://10.0.0.1/"}`: "url", `{"url":"https://{{ data.n }}/"}`: "url", `{"url":1}`: "url", `{"urls":""}`: "urls"} {
		body = strings.TrimSuffix(body, "}") + `,"event":{"type":"visit","data":1}}`
		if refused := w.must(t, 422, "POST", sub+"/s/test", body); !slices.Contains(refused.fields(t), field) {
			t.Errorf("%s: %s, want the field %s", body, refused.body, field)
		}
	}
	w.must(t, 422, "POST", sub+"/s/preview", `{"url":"https://b.example/","event":{"type":"visit","data":1}}`)
}

func TestACancelOfManyIsAJobOfOneSubscription(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", sub+"/s", `{"url":"https://a.example/"}`)
	got := w.must(t, 202, "POST", "/deliveries/cancel", `{"subscription":"s","waiting":["timer","paused"],"after":"2026-02-01T00:00:00Z","dry_run":true}`)
	if got.get(t, "kind") != "cancel" || got.get(t, "subscription") != "s" || fmt.Sprint(got.get(t, "waiting")) != "[timer paused]" || got.get(t, "dry_run") != true || len(w.takeSent()) != 1 {
		t.Errorf("a cancel of many: %s, want a job that begins", got.body)
	}
	for body, field := range map[string]string{
		`{}`:                                   "subscription",
		`[]`:                                   "body",
		`{"subscription":"none"}`:              "subscription",
		`{"subscription":"s","waiting":[]}`:    "waiting",
		`{"subscription":"s","waiting":["x"]}`: "waiting[0]",
		`{"subscription":"s","after":"soon"}`:  "after",
		`{"subscription":"s","dry_run":"yes"}`: "dry_run",
		`{"subscription":"s","subject":"ada"}`: "subject",
		`{"subscription":"s","after":"2026-02-02T00:00:00Z","before":"2026-02-01T00:00:00Z"}`: "before",
	} {
		if refused := w.must(t, 422, "POST", "/deliveries/cancel", body); fmt.Sprint(refused.fields(t)) != "["+field+"]" {
			t.Errorf("%s: %s, want the field %s", body, refused.body, field)
		}
	}
}

func TestACircleIsFoundAmongManySubscriptions(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", sub+"/zz-back", `{"types":["b"],"emit":{"on":"fire","type":"a"}}`)
	for i := range 600 {
		s := webhook.Subscription{Tenant: "acme", ID: fmt.Sprintf("s%03d", i), URL: "https://a.example/", State: webhook.Active, Types: []string{"x"}}
		if _, err := w.store.SaveSubscription(t.Context(), s, 0); err != nil {
			t.Fatal(err)
		}
	}
	refused := w.must(t, 422, "PUT", sub+"/aa-there", `{"types":["a"],"emit":{"on":"fire","type":"b"}}`)
	if fmt.Sprint(refused.fields(t)) != "[emit.type]" || !strings.Contains(string(refused.body), "zz-back") {
		t.Errorf("a circle over 600 subscriptions: %s, want the field emit.type, and zz-back named", refused.body)
	}
	w.must(t, 201, "PUT", sub+"/aa-there", `{"types":["a"],"filter":{"data":{"n":[1]}},"emit":{"on":"fire","type":"b"}}`)
}
