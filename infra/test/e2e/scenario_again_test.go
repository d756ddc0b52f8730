package e2e

import (
	"fmt"
	"strings"
	"time"
)

var againScenarios = []scenario{
	{name: "recovering counts exactly what it sends", play: recoveryCounts},
	{name: "what was expunged is not sent again", play: expungedIsNotSentAgain},
	{name: "a manual retry leaves the automatic schedule alone", play: manualRetriesLeaveTheSchedule},
	{name: "closing and opening a subscription during its backoff loses nothing", play: backoffSurvivesClosing},
	{name: "what a pause held until it was of no use is not sent", play: uselessIsNotSent},
}

func recoveryCounts(s *scene) {
	const n = 16 // few enough for the breaker to stay closed
	s.subscribe("s", `"retry":{"schedule":[]}`)
	s.to.answer(map[string][]answer{"/s": {{Status: 400}}})
	batch := func(from, to int) {
		var events []string
		for i := from; i < to; i++ {
			events = append(events, fmt.Sprintf(`{"type":"a.b","id":"e%d","data":{}}`, i))
		}
		s.must(202, "POST", "/events", "["+strings.Join(events, ",")+"]")
		s.until(func() string {
			if got := len(s.pages("/deliveries?status=exhausted&limit=250", "id", func() {})); got != to {
				return fmt.Sprintf("%d deliveries are exhausted, want %d", got, to)
			}
			return ""
		})
		s.advance(2 * time.Millisecond)
	}
	batch(0, n/2)
	batch(n/2, n)
	middle := s.must(200, "GET", fmt.Sprint("/events/e", n/2-1), "").str("accepted_at")
	all := `"after":"2020-01-01T00:00:00Z"`
	s.job(`{`+all+`,"dry_run":true}`, n, 0)
	s.job(`{"after":"`+middle+`","dry_run":true}`, n/2, 0)
	s.job(`{`+all+`,"before":"`+middle+`","dry_run":true}`, 0, 0)
	s.job(`{`+all+`,"status":"canceled","dry_run":true}`, 0, 0)
	s.to.answer(map[string][]answer{"/s": {{Status: 200}}})
	s.job(`{`+all+`}`, n, n)
	s.advance(time.Second)
	if why := sameBodies(s.came("s", 2*n), n); why != "" {
		s.Error(why)
	}
	s.until(func() string {
		if got := len(s.pages("/deliveries?status=succeeded&subscription=s&limit=250", "id", func() {})); got != n {
			return fmt.Sprintf("%d deliveries have succeeded, want %d", got, n)
		}
		return ""
	})
	s.job(`{`+all+`}`, 0, 0)
	for _, bad := range []string{`{}`, `{"after":"today"}`, `{` + all + `,"before":"2019-01-01T00:00:00Z"}`, `{` + all + `,"status":"lost"}`, `{` + all + `,"colour":1}`} {
		s.must(422, "POST", "/subscriptions/s/recover", bad)
	}
}

// job starts a recovery of s and waits until it has counted as wanted.
func (s *scene) job(body string, matched, sent int) {
	s.Helper()
	id := s.must(202, "POST", "/subscriptions/s/recover", body).str("id")
	s.until(func() string {
		s.advance(100 * time.Millisecond) // between two slices
		got := s.must(200, "GET", "/jobs/"+id, "")
		counts, _ := got.json["counts"].(map[string]any)
		if got.str("status") != "done" || fmt.Sprint(got.json["progress"]) != "1" || fmt.Sprint(counts["matched"]) != fmt.Sprint(matched) || fmt.Sprint(counts["sent"]) != fmt.Sprint(sent) {
			return fmt.Sprintf("job %s: %s, want it done, %d matched, %d sent", body, got.text, matched, sent)
		}
		return ""
	})
}

func expungedIsNotSentAgain(s *scene) {
	s.subscribe("failing", `"retry":{"schedule":["1h"]}`)
	s.subscribe("well", "")
	s.to.answer(map[string][]answer{"/failing": {{Status: 500, Body: []byte("hidden-in-the-answer")}}})
	s.publish("e1", `{"hidden":"hidden-in-the-data"}`)
	failing := s.delivery("e1", "failing", "waiting", "retry").str("id")
	well := s.delivery("e1", "well", "status", "succeeded").str("id")
	s.must(200, "POST", "/events/e1/expunge", "")
	s.delivery("e1", "failing", "status", "canceled")
	for _, path := range []string{"/deliveries/" + failing + "/retry", "/deliveries/" + well + "/retry", "/events/e1/replay"} {
		s.must(409, "POST", path, "")
	}
	for _, path := range []string{"/events/e1", "/events", "/deliveries/" + failing, "/deliveries/" + well, "/deliveries?event=e1"} {
		if got := s.must(200, "GET", path, ""); strings.Contains(string(got.text), "hidden") {
			s.Errorf("%s still shows what was expunged: %s", path, got.text)
		}
	}
	s.publish("e2", `{}`)
	s.came("well", 2)
	s.came("failing", 2)
}

func manualRetriesLeaveTheSchedule(s *scene) {
	s.subscribe("s", `"retry":{"schedule":["4s","1h"]}`)
	s.to.answer(map[string][]answer{"/s": {{Status: 500}}})
	s.publish("e1", `{}`)
	d := s.delivery("e1", "s", "waiting", "retry")
	next := d.str("next_attempt_at")
	for n := range 2 {
		s.must(202, "POST", "/deliveries/"+d.str("id")+"/retry", "")
		s.advance(10 * time.Millisecond)
		s.came("s", 2+n)
	}
	s.until(func() string {
		got := s.must(200, "GET", "/deliveries/"+d.str("id"), "")
		if len(got.attempts()) != 3 || got.str("waiting") != "retry" || got.str("next_attempt_at") != next {
			return fmt.Sprintf("after two manual retries: %s, want three attempts and the next at %s as before", got.text, next)
		}
		return ""
	})
	s.advance(5 * time.Second)
	s.came("s", 4) // the schedule's own
	s.delivery("e1", "s", "status", "pending", "waiting", "retry")
}

func backoffSurvivesClosing(s *scene) {
	for _, id := range []string{"paused", "disabled"} {
		s.subscribe(id, `"types":["a.b","a.gone"],"retry":{"schedule":["3s","3s"]}`)
	}
	s.to.answer(map[string][]answer{"/paused": {{Status: 500}}, "/disabled": {{Status: 500}}})
	s.publish("e1", `{}`)
	for _, id := range []string{"paused", "disabled"} {
		s.delivery("e1", id, "waiting", "retry")
	}
	s.to.answer(map[string][]answer{"/disabled": {{Status: 410}}})
	s.must(202, "POST", "/events", `{"type":"a.gone","id":"e2","data":{}}`)
	s.delivery("e2", "disabled", "waiting", "disabled")
	s.must(200, "POST", "/subscriptions/paused/pause", "")
	s.advance(7 * time.Second) // beyond the retry, and the one after
	s.delivery("e1", "paused", "waiting", "paused")
	s.delivery("e1", "disabled", "waiting", "disabled")
	s.to.answer(map[string][]answer{"/paused": {{Status: 200}}, "/disabled": {{Status: 200}}})
	for _, id := range []string{"paused", "disabled"} {
		s.must(200, "POST", "/subscriptions/"+id+"/resume", "")
	}
	s.advance(2 * time.Second)
	for _, id := range []string{"paused", "disabled"} {
		d := s.delivery("e1", id, "status", "succeeded")
		if len(d.attempts()) != 2 {
			s.Errorf("%s: delivery %s, want two attempts: the time that it waited is none", id, d.text)
		}
		s.delivery("e2", id, "status", "succeeded")
	}
}

func uselessIsNotSent(s *scene) {
	s.subscribe("aged", `"types":["a.b"],"max_age":"10s"`)
	s.subscribe("carts", `"types":["a.b"],"trigger":{"delay":"1s","cancel":[{"types":["a.order"]}]}`)
	for _, id := range []string{"aged", "carts"} {
		s.must(200, "POST", "/subscriptions/"+id+"/pause", "")
	}
	s.publish("e1", `{}`)
	s.must(202, "POST", "/events", `{"type":"a.b","id":"other","subject":"u2","data":{}}`)
	s.advance(2 * time.Second) // beyond the delay
	for _, id := range []string{"aged", "carts"} {
		s.delivery("e1", id, "waiting", "paused")
		s.delivery("other", id, "waiting", "paused")
	}
	s.must(202, "POST", "/events", `{"type":"a.order","id":"order","subject":"u1","data":{}}`)
	s.until(func() string {
		if got := s.must(200, "GET", "/subscriptions/carts/state/u1", ""); !strings.Contains(string(got.text), `"canceled_at":"`) {
			return "nothing was canceled: " + string(got.text)
		}
		return ""
	})
	s.advance(9 * time.Second) // beyond max_age
	for _, id := range []string{"aged", "carts"} {
		s.must(200, "POST", "/subscriptions/"+id+"/resume", "")
	}
	s.advance(2 * time.Second)
	s.delivery("e1", "aged", "status", "canceled", "reason", "stale")
	s.delivery("other", "aged", "status", "canceled", "reason", "stale")
	s.delivery("e1", "carts", "status", "canceled", "reason", "canceled_by_event")
	s.publish("e2", `{}`)
	s.delivery("e2", "aged", "status", "succeeded")
	s.delivery("other", "carts", "status", "succeeded")
	s.came("aged", 1)
}
