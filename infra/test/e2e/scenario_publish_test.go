package e2e

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

var publishScenarios = []scenario{
	{name: "an id published twice is one event", play: repeatedIDsAreOneEvent},
	{name: "an id published by many at once is one event", play: racingIDsAreOneEvent},
	{name: "what is too large is refused, what just fits is delivered", play: sizesAreBounded},
	{name: "an unknown type is kept, an empty or absent one refused", play: typesAreChecked},
}

func repeatedIDsAreOneEvent(s *scene) {
	s.subscribe("s", "")
	s.publish("e1", `{"n":1}`)
	s.came("s", 1)
	if got := s.must(202, "POST", "/events", `{"type":"a.b","id":"e1","data":{"n":2}}`).str("id"); got != "e1" {
		s.Errorf("the repeat is %q, want e1", got)
	}
	s.publish("e2", `{"n":3}`)
	if got := s.came("s", 2)[1].headers.Get("postino-event-id"); got != "e2" {
		s.Errorf("event %s came after e1, want e2", got)
	}
	if got := s.must(200, "GET", "/events/e1", ""); !strings.Contains(string(got.text), `"data":{"n":1}`) {
		s.Errorf("event %s, want the first publication", got.text)
	}
}

func racingIDsAreOneEvent(s *scene) {
	s.subscribe("s", "")
	var g errgroup.Group
	for n := range 20 {
		g.Go(func() error {
			got := s.call("POST", "/events", fmt.Sprintf(`[{"type":"a.b","id":"e1","data":{"n":%d}},{"type":"a.b","id":"e2","data":{"n":%d}}]`, n, n))
			if got.status != 202 {
				return fmt.Errorf("publish = %d %s", got.status, got.text)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		s.Fatal(err)
	}
	s.publish("last", `{}`)
	s.until(func() string {
		if !slices.ContainsFunc(s.to.at("/s"), func(c callback) bool { return c.headers.Get("postino-event-id") == "last" }) {
			return "the last event has not come"
		}
		return ""
	})
	if why := sameBodies(s.came("s", 3), 3); why != "" {
		s.Error(why)
	}
}

func sizesAreBounded(s *scene) {
	s.subscribe("s", `"types":["a.b"]`)
	event := func(n int) string {
		return `{"type":"a.b","id":"e` + fmt.Sprint(n) + `","data":"` + strings.Repeat("x", n) + `"}`
	}
	for _, n := range []int{256 << 10, 1 << 20, 4 << 20} {
		s.must(413, "POST", "/events", event(n))
	}
	s.must(413, "POST", "/events", `[`+event(5)+`,`+event(256<<10)+`]`)
	s.must(202, "POST", "/events", event(250<<10))
	if got := s.came("s", 1)[0]; !strings.Contains(got.body, `"data":"`+strings.Repeat("x", 250<<10)+`"`) {
		s.Errorf("a body of %d bytes came, without the data", len(got.body))
	}
	var many []string
	for n := range 501 {
		many = append(many, event(n))
	}
	s.must(422, "POST", "/events", `[`+strings.Join(many, ",")+`]`)
}

func typesAreChecked(s *scene) {
	s.subscribe("s", `"types":["a.b"]`)
	s.must(202, "POST", "/events", `{"type":"nobody.knows","id":"e1","data":{}}`)
	for _, event := range []string{`{"type":"","data":{}}`, `{"data":{}}`, `{"type":null,"data":{}}`, `{"type":5,"data":{}}`, `{"type":" a","data":{}}`, `{"type":"a.*","data":{}}`} {
		if got := s.must(422, "POST", "/events", event).fields(); !slices.Equal(got, []string{"type"}) {
			s.Errorf("%s: the problem names %q, want type", event, got)
		}
	}
	s.publish("e2", `{}`)
	if got := s.came("s", 1)[0].headers.Get("postino-event-id"); got != "e2" {
		s.Errorf("event %s came, want e2", got)
	}
	s.until(func() string {
		if got := s.call("GET", "/events/e1", ""); fmt.Sprint(got.json["matched"]) != "0" {
			return fmt.Sprintf("event of an unknown type: %d %s", got.status, got.text)
		}
		return ""
	})
}
