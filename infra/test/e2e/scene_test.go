package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// scenario is what users of such systems expect, tried over HTTP alone. Its
// name is the fact that it shows.
type scenario struct {
	name  string
	play  func(*scene)
	clock bool // needs a clock that is moved by hand, which only local mode has
}

// scenarios are all of them; docs/testing.md says what each is for.
func scenarios() (all []scenario) {
	for _, some := range [][]scenario{bodyScenarios, readableScenarios, publishScenarios, signatureScenarios, subscriptionScenarios, searchScenarios, againScenarios, healthScenarios} {
		all = append(all, some...)
	}
	return all
}

func TestScenariosInOneProcess(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.on(t, startLocal(t), "acme")
		})
	}
}

// TestScenariosThroughTheFunctions plays them all on one deployment, each in a
// tenant of its own.
func TestScenariosThroughTheFunctions(t *testing.T) {
	stack := deploy(t, settings{})
	t.Run("all", func(t *testing.T) {
		for i, s := range scenarios() {
			if s.clock {
				continue
			}
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				s.on(t, stack, fmt.Sprint("tenant-", i))
			})
		}
	})
	if dead := stack.dead(); len(dead) > 0 {
		t.Errorf("dead letters: %v", dead)
	}
}

func (s scenario) on(t *testing.T, on system, tenant string) {
	receiver := newReceiver(t)
	s.play(&scene{t, on, receiver, tenant})
	if why := receiver.forged(); why != "" {
		t.Error(why)
	}
}

// scene is where a scenario plays: one tenant and its subscribers.
type scene struct {
	*testing.T
	on     system
	to     *receiver
	tenant string
}

// reply is what the API answered.
type reply struct {
	status int
	header http.Header
	text   []byte
	json   map[string]any // nil unless it is an object
}

// call makes a request to a path of the tenant's, or to an absolute one, with
// headers in pairs. A body is JSON unless a header says otherwise.
func (s *scene) call(method, path, body string, headers ...string) reply {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	if !strings.HasPrefix(path, "/v1/") {
		path = "/v1/tenants/" + s.tenant + path
	}
	req, err := http.NewRequestWithContext(ctx, method, s.on.URL()+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminKey)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	object, _ := parse(text).(map[string]any)
	return reply{resp.StatusCode, resp.Header, text, object}
}

// must calls and wants a status.
func (s *scene) must(status int, method, path, body string, headers ...string) reply {
	s.Helper()
	got := s.call(method, path, body, headers...)
	if got.status != status {
		s.Fatalf("%s %s %.300s = %d %.2000s, want %d", method, path, body, got.status, got.text, status)
	}
	return got
}

// str digs a text out of an answer; "" if there is none.
func (r reply) str(path ...string) string {
	var v any = r.json
	for _, name := range path {
		object, _ := v.(map[string]any)
		v = object[name]
	}
	text, _ := v.(string)
	return text
}

// list is the page that an answer holds.
func (r reply) list() (entries []map[string]any) {
	data, _ := r.json["data"].([]any)
	for _, e := range data {
		object, _ := e.(map[string]any)
		entries = append(entries, object)
	}
	return entries
}

// fields are those that a problem names.
func (r reply) fields() (fields []string) {
	errors, _ := r.json["errors"].([]any)
	for _, e := range errors {
		object, _ := e.(map[string]any)
		fields = append(fields, fmt.Sprint(object["field"]))
	}
	return fields
}

// subscribe makes a subscription, with further fields, whose callbacks come to
// the path of its name. It returns its secret.
func (s *scene) subscribe(id, fields string) string {
	s.Helper()
	if fields != "" {
		fields = "," + fields
	}
	secret := s.must(201, "PUT", "/subscriptions/"+id, `{"url":"`+s.to.URL+"/"+id+`"`+fields+`}`).str("secret")
	s.to.trust("/"+id, secret)
	return secret
}

// publish publishes an event of type a.b.
func (s *scene) publish(id, data string) {
	s.Helper()
	s.must(202, "POST", "/events", `{"type":"a.b","id":"`+id+`","subject":"u1","data":`+data+`}`)
}

// until waits until look finds nothing wrong.
func (s *scene) until(look func() string) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	if why := eventually(ctx, look); why != "" {
		s.Fatal(why)
	}
}

// came waits for n callbacks to a subscription, and wants no more.
func (s *scene) came(subscription string, n int) []callback {
	s.Helper()
	s.until(func() string {
		if got := len(s.to.at("/" + subscription)); got < n {
			return fmt.Sprintf("%d callbacks to %s, want %d", got, subscription, n)
		}
		return ""
	})
	got := s.to.at("/" + subscription)
	if len(got) > n {
		s.Fatalf("%d callbacks to %s, want %d", len(got), subscription, n)
	}
	return got
}

// delivery waits until the first delivery of an event to a subscription is as
// wanted, fields in pairs, and returns it with its attempts.
func (s *scene) delivery(event, subscription string, want ...string) reply {
	s.Helper()
	var one reply
	s.until(func() string {
		list := s.must(200, "GET", "/deliveries?event="+event+"&subscription="+subscription, "").list()
		if len(list) == 0 {
			return "no delivery of " + event + " to " + subscription
		}
		if one = s.call("GET", "/deliveries/"+list[0]["id"].(string), ""); one.status != 200 {
			return fmt.Sprintf("delivery of %s to %s: %s", event, subscription, one.text)
		}
		for i := 0; i < len(want); i += 2 {
			if got := one.str(want[i]); got != want[i+1] {
				return fmt.Sprintf("delivery of %s to %s: %s is %q, want %q", event, subscription, want[i], got, want[i+1])
			}
		}
		return ""
	})
	return one
}

// attempts of a delivery, as objects.
func (r reply) attempts() (all []reply) {
	list, _ := r.json["attempts"].([]any)
	for _, a := range list {
		object, _ := a.(map[string]any)
		all = append(all, reply{json: object})
	}
	return all
}

// advance lets time pass.
func (s *scene) advance(by time.Duration) {
	s.Helper()
	if err := s.on.Advance(s.Context(), by); err != nil {
		s.Fatal(err)
	}
}
