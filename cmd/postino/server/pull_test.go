package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/callback/signature"
)

const puller = "/v1/tenants/acme/subscriptions/s"

// pull pulls, and returns what came.
func (a *api) pull(body string) (list []map[string]any) {
	a.t.Helper()
	for _, d := range a.call("POST", puller+"/pull", 200, body)["deliveries"].([]any) {
		list = append(list, d.(map[string]any))
	}
	return list
}

// tell acknowledges what was pulled, or says that it failed.
func (a *api) tell(how string, pulled []map[string]any, more string) (recorded []any) {
	a.t.Helper()
	var said []string
	for _, d := range pulled {
		said = append(said, fmt.Sprintf(`{"id":%q,"lease":%q%s}`, d["id"], d["lease"], more))
	}
	for _, d := range a.call("POST", puller+"/"+how, 200, `{"deliveries":[`+strings.Join(said, ",")+`]}`)["deliveries"].([]any) {
		recorded = append(recorded, d.(map[string]any)["recorded"])
	}
	return recorded
}

// pulledEvents are the events of what was pulled.
func pulledEvents(pulled []map[string]any) (ids []string) {
	for _, d := range pulled {
		ids = append(ids, d["event"].(string))
	}
	return ids
}

func (a *api) statuses() (list []string) {
	a.t.Helper()
	for _, d := range a.deliveries("") {
		list = append(list, fmt.Sprint(d["status"], " ", d["waiting"], " ", d["attempt_count"]))
	}
	return list
}

func TestWhatIsPulledIsTheSignedRequestInOrderAndAnAckEndsIt(t *testing.T) {
	a := start(t)
	created := a.call("PUT", puller, 201, `{"pull":true,"request":{"headers":{"X-Kind":"{{ event.type }}"}},"signature":[{"preset":"github","secret":"github-secret"}]}`)
	for i := range 5 { // each at a time of its own, which is their order
		a.call("POST", "/v1/tenants/acme/events", 202, fmt.Sprintf(`{"type":"a.b","id":"e%d","data":{}}`, i))
		a.advance("1s")
	}
	if got, want := a.statuses(), slices.Repeat([]string{"pending pull 0"}, 5); !cmp.Equal(got, want) {
		t.Fatalf("before the pull: %v, want %v", got, want)
	}
	first := a.pull(`{"max":2}`)
	second := a.pull(`{"max":10}`)
	if got, want := append(pulledEvents(first), pulledEvents(second)...), []string{"e0", "e1", "e2", "e3", "e4"}; !cmp.Equal(got, want) {
		t.Fatalf("pulled %v, want %v: each once, in order", got, want)
	}
	if again := a.pull(""); len(again) != 0 {
		t.Errorf("pulled again: %v, want nothing while all is held", again)
	}
	request := first[0]["request"].(map[string]any)
	header := http.Header{}
	for name, value := range request["headers"].(map[string]any) {
		header.Set(name, value.(string))
	}
	secret, err := signature.ParseSecret(created["secret"].(string))
	if err != nil {
		t.Fatal(err)
	}
	seconds := header.Get("Webhook-Timestamp")
	var at int64
	fmt.Sscan(seconds, &at)
	want := signature.Header([]signature.Key{secret}, first[0]["id"].(string), time.Unix(at, 0), []byte(request["body"].(string)))
	if header.Get("Webhook-Signature") != want || header.Get("X-Kind") != "a.b" || !strings.HasPrefix(header.Get("X-Hub-Signature-256"), "sha256=") ||
		header.Get("Postino-Attempt") != "1" || request["method"] != "POST" {
		t.Errorf("the request is %v, want it as it would be posted, signed %s", request, want)
	}
	if got := a.tell("ack", append(first, second...), ""); !cmp.Equal(got, slices.Repeat([]any{true}, 5)) {
		t.Errorf("recorded %v, want all", got)
	}
	a.advance("1h")
	if got, want := a.statuses(), slices.Repeat([]string{"succeeded <nil> 1"}, 5); !cmp.Equal(got, want) {
		t.Errorf("after the ack and an hour: %v, want %v", got, want)
	}
	if got := a.tell("ack", first, ""); !cmp.Equal(got, []any{false, false}) {
		t.Errorf("a second ack is recorded as %v, want none", got)
	}
	hour := a.call("GET", "/v1/tenants/acme/stats?subscription=s", 200, "")
	if text, _ := json.Marshal(hour); !strings.Contains(string(text), `"succeeded":5`) {
		t.Errorf("stats %s, want five that succeeded", text)
	}
}

func TestWhatNobodyAcknowledgesIsTriedAgainAndExhausts(t *testing.T) {
	a := start(t)
	a.subscribe("s", `"pull":true,"retry":{"schedule":["1m","1h"]}`)
	a.publish(1)
	a.advance("1s")
	for n := 1; n <= 3; n++ {
		pulled := a.pull(`{"lease":"30s"}`)
		if len(pulled) != 1 || pulled[0]["attempt"] != float64(n) {
			t.Fatalf("pull %d: %v, want attempt %d", n, pulled, n)
		}
		a.advance("29s")
		if early := a.pull(""); len(early) != 0 {
			t.Fatalf("within the lease %v was pulled, want nothing", early)
		}
		a.advance("3s")
		if late := a.tell("ack", pulled, ""); !cmp.Equal(late, []any{false}) {
			t.Errorf("an ack after the lease is recorded: %v", late)
		}
		a.advance("90m")
	}
	one := a.call("GET", "/v1/tenants/acme/deliveries/"+a.deliveries("")[0]["id"].(string), 200, "")
	var errs []any
	for _, attempt := range one["attempts"].([]any) {
		errs = append(errs, attempt.(map[string]any)["error"])
	}
	if one["status"] != "exhausted" || !cmp.Equal(errs, []any{"timeout", "timeout", "timeout"}) {
		t.Errorf("the delivery ended as %v with errors %v, want exhausted after three timeouts", one["status"], errs)
	}
	a.call("POST", puller+"/recover", 202, `{"after":"2020-01-01T00:00:00Z"}`)
	a.advance("1m")
	if again := a.pull(""); len(again) != 1 {
		t.Fatalf("after a recover: %v, want it once more", again)
	} else if a.tell("ack", again, `,"response":{"status":204}`); a.deliveries("")[0]["status"] != "succeeded" {
		t.Errorf("after the ack: %v", a.deliveries("")[0])
	}
}

func TestANackFollowsTheScheduleAndAnAnswerThePolicy(t *testing.T) {
	a := start(t)
	a.subscribe("s", `"pull":true,"retry":{"schedule":["1m","1m","1m","1m"],"permanent":["422"]}`)
	a.publish(1)
	a.advance("1s")
	id := a.deliveries("")[0]["id"].(string)
	for _, said := range []struct{ how, more string }{
		{"nack", `,"detail":"disk full"`},
		{"nack", `,"error":"connect"`},
		{"ack", `,"response":{"status":500,"headers":{"Content-Type":"text/plain"},"body":"no"},"duration_ms":12`},
		{"nack", `,"response":{"status":422}`},
	} {
		if got := a.tell(said.how, a.pull(""), said.more); !cmp.Equal(got, []any{true}) {
			t.Fatalf("%s %s is recorded as %v", said.how, said.more, got)
		}
		if early := a.pull(""); len(early) != 0 {
			t.Fatalf("before the schedule says so %v can be pulled", early)
		}
		a.advance("90s")
	}
	one := a.call("GET", "/v1/tenants/acme/deliveries/"+id, 200, "")
	var got []string
	for _, attempt := range one["attempts"].([]any) {
		f := attempt.(map[string]any)
		got = append(got, fmt.Sprint(f["error"], " ", f["status_code"], " ", f["detail"]))
	}
	want := []string{"status <nil> disk full", "connect <nil> <nil>", "status 500 <nil>", "status 422 <nil>"}
	if one["status"] != "exhausted" || one["reason"] != "permanent" || !cmp.Equal(got, want) {
		t.Errorf("%v %v with attempts %q, want exhausted, permanent, %q", one["status"], one["reason"], got, want)
	}
}

func TestAPullTakesTheTenantsRules(t *testing.T) {
	a := start(t)
	a.subscribe("s", `"pull":true,"rate_limit":{"per_second":3}`)
	a.publish(8)
	a.advance("1s")
	var sizes []int
	for range 3 {
		sizes = append(sizes, len(a.pull(`{"max":100}`)), len(a.pull(`{"max":100}`)))
		a.advance("1s")
	}
	if want := []int{3, 0, 3, 0, 2, 0}; !cmp.Equal(sizes, want) {
		t.Errorf("pulled %v under a limit of 3 a second, want %v", sizes, want)
	}
	a.call("PATCH", puller, 200, `{"rate_limit":null}`)
	a.call("POST", puller+"/pause", 200, "")
	a.call("POST", "/v1/tenants/acme/events", 202, `{"type":"a.b","id":"paused","data":{}}`)
	a.advance("1s")
	if got := a.pull(""); len(got) != 0 {
		t.Errorf("while paused: %v, want nothing", got)
	}
	a.call("POST", puller+"/resume", 200, "")
	a.advance("20s")
	if got := pulledEvents(a.pull("")); !cmp.Equal(got, []string{"paused"}) {
		t.Errorf("after resume: %v, want the event that came while it was paused", got)
	}
}

func TestWhatIsNoLongerWantedIsNotPulled(t *testing.T) {
	a := start(t)
	a.subscribe("s", `"pull":true,"max_age":"1h"`)
	a.publish(3)
	a.advance("1s")
	a.call("POST", "/v1/tenants/acme/deliveries/"+a.deliveries("event=e0")[0]["id"].(string)+"/cancel", 200, "")
	a.call("POST", "/v1/tenants/acme/events/e1/expunge", 200, "")
	a.advance("2m")
	pulled := a.pull("")
	if got := pulledEvents(pulled); !cmp.Equal(got, []string{"e2"}) {
		t.Errorf("pulled %v, want e2 alone: the others are canceled and expunged", got)
	}
	a.tell("ack", pulled, "")
	a.call("POST", "/v1/tenants/acme/events", 202, `{"type":"a.b","id":"old","data":{}}`)
	a.advance("2h")
	if got := pulledEvents(a.pull("")); len(got) != 0 {
		t.Errorf("pulled %v, want nothing: it is too old by now", got)
	}
	a.call("POST", "/v1/tenants/acme/events", 202, `{"type":"a.b","id":"late","data":{}}`)
	a.advance("1s")
	a.call("DELETE", puller, 204, "")
	a.subscribe("s", `"pull":true`)
	a.advance("1h")
	if got := a.pull(""); len(got) != 0 {
		t.Errorf("the subscription of the same id pulls %v, want nothing of the one before", got)
	}
}

func TestAManualRetryCanBePulledBesideTheSchedule(t *testing.T) {
	a := start(t)
	a.subscribe("s", `"pull":true,"retry":{"schedule":["10m"]}`)
	a.publish(1)
	a.advance("1s")
	path := "/v1/tenants/acme/deliveries/" + a.deliveries("")[0]["id"].(string)
	a.tell("nack", a.pull(""), "")
	before := a.deliveries("")[0]["next_attempt_at"]
	a.call("POST", path+"/retry", 202, "")
	a.advance("1s")
	a.tell("nack", a.pull(""), "")
	if after := a.deliveries("")[0]; after["next_attempt_at"] != before || after["attempt_count"] != float64(2) {
		t.Errorf("after a failed manual retry: %v, want next_attempt_at %v and 2 attempts", after, before)
	}
	a.call("POST", path+"/retry", 202, "")
	a.advance("1s")
	if got := a.tell("ack", a.pull(""), ""); !cmp.Equal(got, []any{true}) || a.deliveries("")[0]["status"] != "succeeded" {
		t.Errorf("after a successful one: %v, %v", got, a.deliveries("")[0])
	}
	a.advance("1h")
	if got := a.pull(""); len(got) != 0 {
		t.Errorf("the schedule goes on with %v, want nothing after the success", got)
	}
}

func TestWhatNobodyPullsExpiresAfterThirtyDays(t *testing.T) {
	a := start(t)
	a.subscribe("s", `"pull":true`)
	a.publish(1)
	a.advance("29d")
	if got := a.statuses(); !cmp.Equal(got, []string{"pending pull 0"}) {
		t.Fatalf("after 29 days: %v, want it pending", got)
	}
	a.advance("26h")
	if got := a.deliveries(""); len(got) != 1 || got[0]["status"] != "exhausted" || got[0]["reason"] != "expired" {
		t.Errorf("after 30 days and 2 hours: %v, want exhausted, expired", got)
	}
}

func TestAPullWaitsForWhatComes(t *testing.T) {
	a := open(t, nil)
	a.subscribe("s", `"pull":true`)
	got := make(chan []map[string]any)
	began := time.Now()
	go func() { got <- a.pull(`{"wait":"20s"}`) }()
	for i := 0; ; i++ { // the pull may not be waiting yet
		a.call("POST", "/v1/tenants/acme/events", 202, fmt.Sprintf(`{"type":"a.b","id":"e%d","data":{}}`, i))
		select {
		case pulled := <-got:
			if len(pulled) == 0 {
				t.Errorf("the pull came back with nothing after %v, want what was published", time.Since(began))
			}
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func TestAPullThatWaitsStopsNoServer(t *testing.T) {
	a := open(t, nil)
	a.subscribe("s", `"pull":true`)
	got := make(chan []map[string]any)
	go func() { got <- a.pull(`{"wait":"20s"}`) }()
	time.Sleep(100 * time.Millisecond)
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	if err := a.s.Close(ctx); err != nil {
		t.Errorf("Close = %v while a pull waits, want it to end the pull", err)
	}
	<-got
}

func TestWhatCannotBePulledIsRefusedByName(t *testing.T) {
	a := start(t)
	sub := newSubscriber(t, status(200))
	a.subscribe("posted", `"url":"`+sub.URL+`"`)
	a.subscribe("s", `"pull":true`)
	for _, tt := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"PUT", "subscriptions/x", `{"pull":true,"url":"` + sub.URL + `"}`, 422, "url"},
		{"PUT", "subscriptions/x", `{"pull":false}`, 422, "url"},
		{"PUT", "subscriptions/x", `{"pull":"yes"}`, 422, "pull"},
		{"PUT", "subscriptions/x", `{"pull":true,"auth":{"type":"bearer","token":"t"}}`, 422, "auth"},
		{"PATCH", "subscriptions/s", `{"pull":null,"url":"` + sub.URL + `"}`, 422, "pull"},
		{"PATCH", "subscriptions/posted", `{"pull":true,"url":null}`, 422, "pull"},
		{"POST", "subscriptions/posted/pull", ``, 409, "not_pulled"},
		{"POST", "subscriptions/posted/ack", `{"deliveries":[{"id":"d","lease":"l"}]}`, 409, "not_pulled"},
		{"POST", "subscriptions/none/pull", ``, 404, "subscription_not_found"},
		{"POST", "subscriptions/s/test", `{"event":{"type":"a.b"}}`, 422, ""},
		{"POST", "subscriptions/s/test", `{"event":{"type":"a.b","data":{}}}`, 409, "cannot_be_tested"},
		{"POST", "subscriptions/s/pull", `{"max":0}`, 422, "max"},
		{"POST", "subscriptions/s/pull", `{"max":101}`, 422, "max"},
		{"POST", "subscriptions/s/pull", `{"wait":"21s"}`, 422, "wait"},
		{"POST", "subscriptions/s/pull", `{"lease":"11m"}`, 422, "lease"},
		{"POST", "subscriptions/s/pull", `{"leese":"1m"}`, 422, "leese"},
		{"POST", "subscriptions/s/ack", `{"deliveries":[]}`, 422, "deliveries"},
		{"POST", "subscriptions/s/ack", `{"deliveries":[{"id":"d"}]}`, 422, "deliveries[0].lease"},
		{"POST", "subscriptions/s/ack", `{"deliveries":[{"id":"d","lease":"l","error":"dns"}]}`, 422, "deliveries[0].error"},
		{"POST", "subscriptions/s/ack", `{"deliveries":[{"id":"d","lease":"l"},{"id":"d","lease":"l"}]}`, 422, "deliveries[1].lease"},
		{"POST", "subscriptions/s/nack", `{"deliveries":[{"id":"d","lease":"l","error":"lost"}]}`, 422, "deliveries[0].error"},
		{"POST", "subscriptions/s/ack", `{"deliveries":[{"id":"d","lease":"l","response":{"body":"x"}}]}`, 422, "deliveries[0].response.status"},
		{"POST", "subscriptions/s/ack", `{"deliveries":[{"id":"d","lease":"l","response":{"status":99}}]}`, 422, "deliveries[0].response.status"},
	} {
		got := a.call(tt.method, "/v1/tenants/acme/"+tt.path, tt.status, tt.body)
		field := got["code"]
		if list, ok := got["errors"].([]any); ok && len(list) > 0 {
			field = list[0].(map[string]any)["field"]
		}
		if tt.want != "" && field != tt.want {
			t.Errorf("%s %s %s is refused for %v, want %v: %v", tt.method, tt.path, tt.body, field, tt.want, got)
		}
	}
	if got := a.tell("ack", []map[string]any{{"id": "dlv_forged", "lease": "0.0.false.x"}, {"id": "../#", "lease": "####"}}, ""); !cmp.Equal(got, []any{false, false}) {
		t.Errorf("made-up leases are recorded: %v", got)
	}
}

func TestALeaseThatSeveralEndIsOneAttempt(t *testing.T) {
	a := start(t)
	a.subscribe("s", `"pull":true,"retry":{"schedule":["1h","1h","1h"]}`)
	a.publish(30)
	a.advance("1s")
	for range 6 { // each has the end of all leases looked for
		a.pull(`{"max":5,"lease":"30s"}`)
	}
	a.advance("1m")
	for _, d := range a.deliveries("limit=100") {
		if d["attempt_count"] != float64(1) || d["waiting"] != "retry" {
			t.Fatalf("after the leases ended: %v, want one attempt and a wait for the next", d)
		}
	}
}

func TestATenantHasSixteenPlacesForPullsThatWait(t *testing.T) {
	a := open(t, nil)
	a.subscribe("s", `"pull":true`)
	done := make(chan int)
	for range 17 {
		go func() {
			req, _ := http.NewRequest("POST", a.s.URL()+puller+"/pull", strings.NewReader(`{"wait":"20s"}`))
			req.Header.Set("Authorization", "Bearer "+key)
			req.Header.Set("Content-Type", "application/json")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				done <- 0
				return
			}
			resp.Body.Close()
			done <- resp.StatusCode
		}()
	}
	if got := <-done; got != 429 { // the others wait
		t.Fatalf("the first answer of seventeen pulls that wait is %d, want 429", got)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	if err := a.s.Close(ctx); err != nil { // they all end now
		t.Error(err)
	}
	for range 16 {
		if got := <-done; got != 200 {
			t.Errorf("a pull that had a place is answered with %d, want 200", got)
		}
	}
}
