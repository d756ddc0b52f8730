package e2e

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

var searchScenarios = []scenario{
	{name: "lists are paged both ways, between two times, while others write", play: listsArePaged},
	{name: "lists are filtered, and unknown filters refused", play: listsAreFiltered},
	{name: "tenants see nothing of each other", play: tenantsAreIsolated},
}

// pages reads a list to its end and returns a field of each entry.
func (s *scene) pages(path, field string, between func()) (all []string) {
	s.Helper()
	for cursor := ""; ; {
		got := s.must(200, "GET", path+cursor, "")
		for _, e := range got.list() {
			all = append(all, fmt.Sprint(e[field]))
		}
		next := got.str("next_cursor")
		if next == "" {
			return all
		}
		cursor = "&cursor=" + url.QueryEscape(next)
		between()
	}
}

func listsArePaged(s *scene) {
	s.subscribe("s", `"types":["a.b"]`)
	const n = 12
	var ids []string
	for i := range n {
		ids = append(ids, fmt.Sprintf("e%02d", i))
		s.publish(ids[i], `{}`)
		s.advance(5 * time.Millisecond)
	}
	s.came("s", n)
	for i := range n {
		s.delivery(ids[i], "s", "status", "succeeded")
	}
	s.until(func() string { // an index may lag
		if got := s.pages("/events?limit=250", "id", func() {}); len(got) != n {
			return fmt.Sprintf("%d events are listed, want %d", len(got), n)
		}
		return ""
	})
	down := slices.Clone(ids)
	slices.Reverse(down)
	written := 0
	write := func() {
		written++
		s.must(202, "POST", "/events", fmt.Sprintf(`{"type":"later","id":"x%d","data":{}}`, written))
	}
	quiet := func() {}
	for _, list := range []struct{ path, field string }{{"/events", "id"}, {"/deliveries", "event"}, {"/deliveries?subscription=s", "event"}, {"/deliveries?subscription=s&status=succeeded", "event"}} {
		path := list.path + map[bool]string{true: "&", false: "?"}[strings.Contains(list.path, "?")]
		if got := s.pages(path+"limit=5", list.field, write); !slices.Equal(slices.DeleteFunc(got, isLater), down) {
			s.Errorf("%s, newest first: %q, want %q", list.path, got, down)
		}
		if got := s.pages(path+"limit=5&order=asc", list.field, write); !slices.Equal(slices.DeleteFunc(got, isLater), ids) {
			s.Errorf("%s, oldest first: %q, want %q", list.path, got, ids)
		}
		after, before := s.must(200, "GET", "/events/"+ids[2], "").str("accepted_at"), s.must(200, "GET", "/events/"+ids[9], "").str("accepted_at")
		for order, want := range map[string][]string{"asc": ids[3:9], "desc": down[n-9 : n-3]} {
			if got := s.pages(path+"limit=4&after="+after+"&before="+before+"&order="+order, list.field, quiet); !slices.Equal(got, want) {
				s.Errorf("%s between two times, %s: %q, want %q", list.path, order, got, want)
			}
		}
		if got := s.must(422, "GET", path+"after="+before+"&before="+after, "").fields(); !slices.Equal(got, []string{"before"}) {
			s.Errorf("%s between times in the wrong order: the problem names %q, want before", list.path, got)
		}
	}
}

func isLater(id string) bool { return strings.HasPrefix(id, "x") }

func listsAreFiltered(s *scene) {
	s.subscribe("well", `"types":["a.*"]`)
	s.subscribe("failing", `"types":["a.one"],"retry":{"schedule":[]}`)
	s.to.answer(map[string][]answer{"/failing": {{Status: 400}}})
	for id, typ := range map[string]string{"e1": "a.one", "e2": "a.two", "e3": "b.one"} {
		s.must(202, "POST", "/events", `{"type":"`+typ+`","id":"`+id+`","data":{}}`)
	}
	s.delivery("e1", "failing", "status", "exhausted")
	s.delivery("e1", "well", "status", "succeeded")
	s.delivery("e2", "well", "status", "succeeded")
	for path, want := range map[string]string{
		"/events?type=a.one": "e1", "/events?type=a.*": "e1 e2", "/events?type=none": "", "/events?type=b.one": "e3",
		"/deliveries?status=exhausted": "e1", "/deliveries?status=succeeded": "e1 e2", "/deliveries?status=pending": "", "/deliveries?subscription=well": "e1 e2",
		"/deliveries?subscription=failing&status=exhausted": "e1", "/deliveries?subscription=failing&status=succeeded": "",
		"/deliveries?event=e1": "e1 e1", "/deliveries?event=e1&status=exhausted": "e1", "/deliveries?event=e3": "", "/deliveries?event=none": "",
	} {
		field := map[bool]string{true: "id", false: "event"}[strings.HasPrefix(path, "/events")]
		s.until(func() string {
			got := s.pages(path, field, func() {})
			if slices.Sort(got); strings.Join(got, " ") != want {
				return fmt.Sprintf("%s lists %q, want %q", path, got, want)
			}
			return ""
		})
	}
	for path, field := range map[string]string{
		"/events?colour=red": "colour", "/events?type=": "type", "/events?status=pending": "status", "/deliveries?status=lost": "status", "/deliveries?subscription=A": "subscription",
		"/deliveries?type=a": "type", "/events?limit=0": "limit", "/events?limit=251": "limit", "/events?order=up": "order", "/events?after=yesterday": "after", "/deliveries?source=/s": "source",
	} {
		if got := s.must(422, "GET", path, "").fields(); !slices.Equal(got, []string{field}) {
			s.Errorf("%s: the problem names %q, want %s", path, got, field)
		}
	}
	s.must(400, "GET", "/events?cursor=nonsense", "")
}

func tenantsAreIsolated(s *scene) {
	other := &scene{s.T, s.on, newReceiver(s.T), s.tenant + "-other"}
	key := other.must(201, "POST", "/keys", `{"role":"manage"}`).str("key")
	for _, sc := range []*scene{s, other} {
		sc.subscribe("same", "")
		sc.must(201, "PUT", "/secrets/same", `{"value":"`+sc.tenant+`"}`)
		sc.must(201, "PUT", "/event-types/a.b", `{"description":"`+sc.tenant+`"}`)
		sc.publish("same", `{"whose":"`+sc.tenant+`"}`)
	}
	for _, sc := range []*scene{s, other} {
		if c := sc.came("same", 1)[0]; !strings.Contains(c.body, `{"whose":"`+sc.tenant+`"}`) {
			s.Errorf("%s got %s, which is not its own", sc.tenant, c.body)
		}
	}
	mine := s.delivery("same", "same", "status", "succeeded").str("id")
	theirs := other.delivery("same", "same", "status", "succeeded").str("id")
	if mine == theirs {
		s.Error("two tenants have one delivery")
	}
	other.must(404, "GET", "/deliveries/"+mine, "")
	other.must(404, "POST", "/deliveries/"+mine+"/retry", "")
	other.must(404, "POST", "/deliveries/"+mine+"/cancel", "")
	for _, route := range []string{
		"GET /events", "GET /events/same", "GET /deliveries/" + mine, "GET /subscriptions/same", "DELETE /subscriptions/same", "GET /secrets", "GET /event-types/a.b",
		"POST /events/same/replay", "POST /events/same/expunge", "POST /subscriptions/same/rotate-secret", "GET /jobs", "GET /nothing/at/all",
	} {
		method, path, _ := strings.Cut(route, " ")
		s.must(404, method, path, "", "Authorization", "Bearer "+key)
	}
	s.publish("second", `{}`)
	s.delivery("second", "same", "status", "succeeded")
	cursor := ""
	s.until(func() string {
		if cursor = s.must(200, "GET", "/events?limit=1", "").str("next_cursor"); cursor == "" {
			return "the second event is not listed"
		}
		return ""
	})
	other.must(400, "GET", "/events?limit=1&cursor="+url.QueryEscape(cursor), "")
	if got := other.pages("/deliveries?subscription=same", "id", func() {}); !slices.Equal(got, []string{theirs}) {
		s.Errorf("the other tenant lists %q, want its own %s", got, theirs)
	}
	s.must(204, "DELETE", "/subscriptions/same", "")
	other.publish("after", `{}`)
	other.came("same", 2)
	if why := other.to.forged(); why != "" {
		s.Error(why)
	}
}
