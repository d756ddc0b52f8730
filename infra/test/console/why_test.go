package console

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// question is one reason of the contract: what leads to it, and what the page answers.
type question struct {
	reason  string
	sub     string   // the subscription of that id, without its url; its types are why.<reason>, unless it says others
	events  []string // the fields of each event, after its type and subject; the last one is asked about
	answers string
}

const drop = `"quiet":{"from":"00:00","to":"23:59","zone":"UTC","then":"skip"}`

// questions are asked on the page of the last event of each. They follow docs/api.md.
var questions = []question{
	{"type", `"types":["another.type"]`, []string{`"data":{}`}, "The type of the event is not one of the subscription's types"},
	{"filter", `"filter":{"data":{"total":[{"numeric":[">",100]}]}}`, []string{`"data":{"total":5}`}, "A condition on the event is not met"},
	{"profile", `"filter":{"profile":{"consent":[true]}}`, []string{`"data":{}`}, "A condition on the profile or its segments is not met"},
	{"no_key", `"trigger":{"key":"data.booking","at":2}`, []string{`"data":{}`}, "The event has no value for the trigger's key"},
	{"duplicate", `"trigger":{"at":3,"distinct":"data.n"}`, []string{`"data":{"n":1}`, `"data":{"n":1}`}, "The trigger had counted this value before"},
	{"not_due", `"trigger":{"at":5}`, []string{`"data":{}`}, "The trigger counts, and this was not the event that it waits for"},
	{"once", `"trigger":{"once":true}`, []string{`"data":{}`, `"data":{}`}, "It fires only once for this key, and had fired"},
	{"cap", `"trigger":{"cap":{"max":1,"per":"1d"}}`, []string{`"data":{}`, `"data":{}`}, "The most callbacks for this key in the period were reached"},
	{"stale", `"max_age":"1h"`, []string{`"time":"2026-01-01T00:00:00Z","data":{}`}, "The event was older than the subscription's maximum age"},
	{"missing_field", `"request":{"require":["data.email"],"body":{"to":"{{ data.email }}"}}`, []string{`"data":{}`}, "A field that the request needs was missing or empty"},
	{"missing_secret", `"request":{"headers":{"X-Key":"{{ secrets.gone }}"}}`, []string{`"data":{}`}, "A secret that the request needs does not exist"},
	{"abort", `"request":{"body":"{% abort \"not today\" %}","content_type":"text/plain"}`, []string{`"data":{}`}, "The template decided not to send"},
	{"audience", `"campaign":"members"`, []string{`"data":{}`}, "The campaign is not for this subject"},
	{"not_started", `"campaign":"draft"`, []string{`"data":{}`}, "The campaign has not begun"},
	{"ended", `"campaign":"stopped"`, []string{`"data":{}`}, "The campaign has ended"},
	{"quiet", drop, []string{`"data":{}`}, "It came within quiet hours, which drop what comes"},
	{"gone", ``, []string{`"data":{}`}, "Waits: the subscription is disabled"},
	{"permanent", `"retry":{"schedule":["1s"],"permanent":["422"]}`, []string{`"data":{}`}, "The receiver's answer counts as final"},
	{"manual", `"state":"paused"`, []string{`"data":{}`}, "Somebody canceled it"},
	{"canceled_by_event", `"trigger":{"delay":"1h","cancel":[{"types":["why.stop"]}]}`, []string{`"data":{}`}, "Another event canceled it while it waited"},
	{"changed", `"description":"newer"`, []string{`"data":{}`}, "As it is now, this subscription would send this event."},
}

// unnamed are the reasons of subscriptions that an event does not name: one asks for them.
var unnamed = []string{"type", "filter", "profile", "changed"}

// lead sets up what a question asks about.
func (s *stage) lead(t *testing.T, q question) {
	t.Helper()
	id := strings.ReplaceAll(q.reason, "_", "-")
	path := map[string]string{"gone": "/gone", "permanent": "/final"}[q.reason]
	types, fields := fmt.Sprintf(`"types":["why.%s"]`, q.reason), q.sub
	if strings.Contains(fields, `"types":["another`) {
		types, fields = fields, ""
	}
	if fields != "" {
		fields = "," + fields
	}
	put := func() {
		s.call(t, http.MethodPut, "/subscriptions/"+id, fmt.Sprintf(`{"url":"%s/ok%s",%s%s}`, s.receiver, path, types, fields), nil)
	}
	if q.reason != "changed" {
		put()
	}
	if q.reason == "missing_secret" {
		s.call(t, http.MethodDelete, "/secrets/gone", "", nil)
	}
	for i, event := range q.events {
		name := "why-" + id
		if i < len(q.events)-1 {
			name += "-before"
		}
		s.call(t, http.MethodPost, "/events", fmt.Sprintf(`{"id":"%s","type":"why.%s","subject":"ada",%s}`, name, q.reason, event), nil)
		s.awaitEvent(t, name)
	}
	switch q.reason {
	case "changed":
		put()
	case "manual":
		s.call(t, http.MethodPost, "/deliveries/"+s.awaitDelivery(t, id, "pending")+"/cancel", "", nil)
	case "canceled_by_event":
		s.call(t, http.MethodPost, "/events", `{"id":"why-stop","type":"why.stop","subject":"ada","data":{}}`, nil)
		s.awaitEvent(t, "why-stop")
	}
}

// awaitEvent waits until an event is stored with what is to become of it.
func (s *stage) awaitEvent(t *testing.T, id string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		var list struct{ Data []struct{ ID string } }
		s.call(t, http.MethodGet, "/events?limit=250", "", &list)
		for _, e := range list.Data {
			if e.ID == id {
				return
			}
		}
	}
	t.Fatalf("event %s is not stored after a minute", id)
}

func TestThePageSaysInWordsWhySomebodyGotNothing(t *testing.T) {
	s := play(t)
	s.call(t, http.MethodPut, "/secrets/gone", `{"value":"x"}`, nil)
	s.call(t, http.MethodPut, "/profiles/ada", `{"attributes":{"consent":false}}`, nil)
	s.call(t, http.MethodPut, "/campaigns/members", `{"state":"live","audience":{"profile":{"member":[true]}}}`, nil)
	s.call(t, http.MethodPut, "/campaigns/draft", `{"state":"draft"}`, nil)
	s.call(t, http.MethodPut, "/campaigns/stopped", `{"state":"stopped"}`, nil)
	var asked []map[string]any
	for _, q := range questions {
		s.lead(t, q)
		id := strings.ReplaceAll(q.reason, "_", "-")
		asked = append(asked, map[string]any{"asks": slices.Contains(unnamed, q.reason), "event": "why-" + id, "type": "why." + q.reason, "subscription": id, "answers": q.answers})
	}
	s.browse(t, "why", map[string]any{"asked": asked})
}
