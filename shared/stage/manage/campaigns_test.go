package manage_test

import (
	"fmt"
	"strings"
	"testing"
)

const spring = "/campaigns/spring"

func TestCampaignsAreWrittenChangedReadAndForgotten(t *testing.T) {
	w := open(t)
	created := w.must(t, 201, "PUT", spring, `{"name":"Spring","tags":["promo"],"state":"live","holdout":10,"cap":{"max":2,"per":"7d"}}`)
	const want = `{"id":"spring","name":"Spring","tags":["promo"],"state":"live","starts_at":null,"ends_at":null,"audience":null,"holdout":10,"cap":{"max":2,"per":"7d"},"quiet":null,"goal":null,"created_at":"2026-03-01T12:00:00.000Z","updated_at":"2026-03-01T12:00:00.000Z"}`
	if !strings.HasPrefix(string(created.body), want[:len(want)-1]) || created.header.Get("Location") != "/v1/tenants/acme"+spring {
		t.Errorf("created %s %v", created.body, created.header)
	}
	w.must(t, 200, "PUT", spring, want) // what was read can be written back
	changed := w.must(t, 200, "PATCH", spring, `{"state":"stopped","holdout":null,"ends_at":"2026-04-01T00:00:00Z"}`)
	if got := fmt.Sprintln(changed.get(t, "state"), changed.get(t, "holdout"), changed.get(t, "cap"), changed.get(t, "ends_at")); got != "stopped <nil> map[max:2 per:7d] 2026-04-01T00:00:00.000Z\n" {
		t.Errorf("changed to %s", changed.body)
	}
	bare := w.must(t, 200, "PUT", spring, `{}`)
	if got := fmt.Sprintln(bare.get(t, "state"), bare.get(t, "cap"), bare.get(t, "tags")); got != "draft <nil> []\n" {
		t.Errorf("a campaign of which nothing is said: %s", bare.body)
	}
	w.must(t, 404, "PATCH", "/campaigns/none", `{}`)
	w.must(t, 404, "GET", "/campaigns/none", "")
	w.must(t, 404, "GET", "//v1/tenants/other"+spring, "")
	if got := w.must(t, 200, "GET", "/campaigns", ""); strings.Count(string(got.body), `"id":`) != 1 {
		t.Errorf("listed %s", got.body)
	}
	w.must(t, 204, "DELETE", spring, "")
	w.must(t, 404, "DELETE", spring, "")
}

func TestCapsAreWrittenReadAndForgotten(t *testing.T) {
	w := open(t)
	created := w.must(t, 201, "PUT", "/caps/promo", `{"tags":["promo"],"max":1000,"per":"7d","key":"data.site"}`)
	const want = `{"name":"promo","tags":["promo"],"max":1000,"per":"7d","key":"data.site","created_at":"2026-03-01T12:00:00.000Z","updated_at":"2026-03-01T12:00:00.000Z"}`
	if !strings.HasPrefix(string(created.body), want[:len(want)-1]) {
		t.Errorf("created %s", created.body)
	}
	w.must(t, 200, "PUT", "/caps/promo", want)
	if got := w.must(t, 200, "GET", "/caps", ""); !strings.Contains(string(got.body), want) {
		t.Errorf("listed %s", got.body)
	}
	if got := w.must(t, 200, "GET", "/caps/promo", ""); string(got.body) != want {
		t.Errorf("read %s", got.body)
	}
	w.must(t, 404, "GET", "/caps/none", "")
	w.must(t, 204, "DELETE", "/caps/promo", "")
	w.must(t, 404, "DELETE", "/caps/promo", "")
}

func TestABadCampaignIsRefusedWithTheFieldAndTheCure(t *testing.T) {
	w := open(t)
	for body, want := range map[string]string{
		`{"starts_at":"2026-04-01T00:00:00Z","ends_at":"2026-04-01T00:00:00Z"}`: `"ends_at","detail":"is not later than starts_at: want a later time, or leave it out"`,
		`{"holdout":100}`:     `"holdout","detail":"want a percentage from 0 to 50`,
		`{"holdout":"10"}`:    `"holdout","detail":"want a percentage`,
		`{"state":"paused"}`:  `"state","detail":"want \"draft\", \"live\" or \"stopped\"`,
		`{"starts_at":"now"}`: `"starts_at","detail":"want an RFC 3339 time`,
		`{"quiet":{"from":"21:00","to":"09:00","zone":"Europe/Rom"}}`: `"quiet.zone","detail":"there is no time zone \"Europe/Rom\": want the name`,
		`{"cap":{"max":1001,"per":"1d"}}`:                             `"cap.max","detail":"want a whole number from 1 to 1000"`,
		`{"cap":{"max":1}}`:                                           `"cap.per","detail":"required"`,
		`{"cap":{"max":1,"per":"1d","key":"profile.x"}}`:              `"cap.key"`,
		`{"goal":{"types":["order.paid"]}}`:                           `"goal.within","detail":"required: how long after`,
		`{"goal":{"types":["a"],"within":"7 days"}}`:                  `"goal.within","detail":"want a duration of at most 365 days, like \"7d\""`,
		`{"goal":{"within":"7d"}}`:                                    `"goal.types","detail":"required`,
		`{"audience":{"data":{"n":[1]}}}`:                             `"audience.data","detail":"a profile has no \"data\"`,
		`{"audience":{"segment":["vip"]}}`:                            `"audience.segment","detail":"there is no segment \"vip\""`,
		`{"stat":"live"}`:                                             `"stat","detail":"unknown field; did you mean \"state\"?"`,
		`{"tags":["a","a"]}`:                                          `"tags[1]","detail":"is there twice"`,
		`{"id":"autumn"}`:                                             `"id","detail":"is not the id of the path"`,
		`[]`:                                                          `"body","detail":"want an object"`,
	} {
		if got := w.must(t, 422, "PUT", spring, body); !strings.Contains(string(got.body), want) {
			t.Errorf("%s is refused with %s, want %s", body, got.body, want)
		}
	}
	for body, want := range map[string]string{
		`{"max":1,"per":"1d"}`:              `"tags","detail":"required`,
		`{"tags":["a"],"per":"1d"}`:         `"max","detail":"required"`,
		`{"tags":["a"],"max":0,"per":"1d"}`: `"max","detail":"want a whole number from 1 to 1000"`,
	} {
		if got := w.must(t, 422, "PUT", "/caps/a", body); !strings.Contains(string(got.body), want) {
			t.Errorf("%s is refused with %s, want %s", body, got.body, want)
		}
	}
	w.must(t, 422, "PUT", "/campaigns/Not%20An%20Id", `{}`)
}

func TestMoreCapsThanMayBoundACampaignAreRefused(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", spring, `{"tags":["promo"]}`)
	for i := range 4 {
		w.must(t, 201, "PUT", fmt.Sprint("/caps/c", i), `{"tags":["promo"],"max":1,"per":"1d"}`)
	}
	if got := w.must(t, 422, "PUT", "/caps/c4", `{"tags":["promo"],"max":1,"per":"1d"}`); !strings.Contains(string(got.body), `campaign \"spring\" would be bounded by more than 4 caps`) {
		t.Errorf("refused with %s", got.body)
	}
	w.must(t, 201, "PUT", "/caps/c5", `{"tags":["news"],"max":1,"per":"1d"}`)
	w.must(t, 422, "PATCH", spring, `{"tags":["promo","news"]}`)
}

func TestASubscriptionNamesACampaignThatExists(t *testing.T) {
	w := open(t)
	const sub = `{"url":"https://a.example/","campaign":"spring"}`
	if got := w.must(t, 422, "PUT", "/subscriptions/a", sub); !strings.Contains(string(got.body), `"campaign","detail":"there is no campaign \"spring\": PUT /campaigns/spring makes one"`) {
		t.Errorf("refused with %s", got.body)
	}
	w.must(t, 201, "PUT", spring, `{}`)
	if got := w.must(t, 201, "PUT", "/subscriptions/a", sub); got.get(t, "campaign") != "spring" {
		t.Errorf("saved %s", got.body)
	}
	if got := w.must(t, 409, "DELETE", spring, ""); !strings.Contains(string(got.body), `"campaign_in_use"`) || !strings.Contains(string(got.body), "Subscription a is part") {
		t.Errorf("refused with %s", got.body)
	}
	w.must(t, 200, "PATCH", "/subscriptions/a", `{"campaign":null}`)
	w.must(t, 204, "DELETE", spring, "")
}

func TestASegmentThatAnAudienceAsksForIsNotDeleted(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", vip, `{"filter":{"profile":{"plan":["gold"]}}}`)
	w.must(t, 201, "PUT", spring, `{"audience":{"segment":["vip"]}}`)
	if got := w.must(t, 409, "DELETE", vip, ""); !strings.Contains(string(got.body), "The audience of campaign spring asks for this segment") {
		t.Errorf("refused with %s", got.body)
	}
}

func TestAPreviewTellsWhatACampaignMakesOfAnEvent(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", ada, `{"attributes":{"plan":"tin","tz":"Asia/Tokyo"}}`)
	w.must(t, 201, "PUT", spring, `{"state":"live"}`)
	w.must(t, 201, "PUT", "/subscriptions/a", `{"url":"https://a.example/","campaign":"spring"}`)
	for _, tt := range []struct{ campaign, want string }{
		{`{"state":"live"}`, `{"matched":true,"reason":null,"request"`},
		{`{"state":"draft","starts_at":"2027-01-01T00:00:00Z"}`, `{"matched":true,"reason":null,"request"`},
		{`{"state":"stopped"}`, `{"matched":false,"reason":"ended","detail":"the campaign was stopped, or is over"`},
		{`{"state":"live","starts_at":"2027-01-01T00:00:00Z"}`, `{"matched":false,"reason":"not_started"`},
		{`{"state":"live","audience":{"profile":{"plan":["gold"]}}}`, `{"matched":false,"reason":"audience","detail":"audience.profile.plan: want [\"gold\"], found \"tin\""`},
		{`{"state":"live","quiet":{"from":"21:00","to":"09:00","zone":"profile.tz"}}`, `{"matched":true,"reason":null,"due":"2026-03-02T00:00:00Z","held":"quiet"`},
		{`{"state":"live","quiet":{"from":"21:00","to":"09:00","zone":"profile.tz","then":"skip"}}`, `{"matched":false,"reason":"quiet","detail":"it is quiet time"`},
	} {
		w.must(t, 200, "PUT", spring, tt.campaign)
		got := w.must(t, 200, "POST", "/subscriptions/a/preview", `{"event":{"type":"x","subject":"ada","data":{}}}`)
		if !strings.HasPrefix(string(got.body), tt.want) {
			t.Errorf("with the campaign %s the preview is %s, want %s…", tt.campaign, got.body, tt.want)
		}
	}
}
