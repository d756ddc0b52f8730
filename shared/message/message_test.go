package message_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

var at = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

func event(id, data string) webhook.Event {
	e := webhook.Event{
		Tenant: "acme", ID: id, Source: "/s", Type: "a.b", Subject: "u", Time: at,
		AcceptedAt: at.Truncate(time.Millisecond), Nonce: "n",
	}
	if data != "" {
		e.Data = json.RawMessage(data)
	}
	return e
}

func TestPacksKeepEveryByte(t *testing.T) {
	p := message.Pack{Events: []webhook.Event{
		event("1", "{ \"a\" :\t1.10,\n\"b\":\"<&>\u2028\" }"), event("2", ""), event("3", "null"),
	}}
	p.Events[2].Extensions = json.RawMessage(`{"traceparent":"x"}`)
	got, err := message.DecodeAs[message.Pack](p.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p, got); diff != "" {
		t.Errorf("pack differs (-want +got):\n%s", diff)
	}
}

func TestFirstAttemptsKeepEveryByte(t *testing.T) {
	f := message.FirstAttempt{
		Tenant: "acme", ID: "dlv_1", Event: "e", Source: "/s", Created: at, Subscription: "sub", Version: 7, Occasion: "2",
		Target: webhook.Target{
			URL:     webhook.Text{Plain: "https://a.example/?t=", Inserts: []webhook.Insert{{At: 21, Secret: "token", Encode: "query"}}},
			Headers: []webhook.Header{{Name: "x-plan", Value: webhook.Text{Plain: "gold"}}},
		},
		Method: "POST", ContentType: "application/json", Body: "{ \"a\" : \xff\x00 }",
		Inserts: []webhook.Insert{{At: 3, Secret: "s", Encode: "json"}},
	}
	got, err := message.DecodeAs[message.FirstAttempt](f.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f, got); diff != "" {
		t.Errorf("first attempt differs (-want +got):\n%s", diff)
	}
}

func TestFirstAttemptsShareAMessage(t *testing.T) {
	var want message.FirstAttempts
	for _, id := range []string{"dlv_1", "dlv_2", "dlv_3"} {
		want = append(want, message.FirstAttempt{ID: id, Body: strings.Repeat(id, 1000)}.Encode())
	}
	body := want.Encode()
	got, err := message.DecodeAs[message.FirstAttempts](body)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("first attempts differ (-want +got):\n%s", diff)
	}
	for name, bad := range map[string][]byte{
		"nothing in it": message.FirstAttempts(nil).Encode(), "cut short": body[:len(body)-1], "another kind": want[0],
		"a pack in it": message.FirstAttempts{message.Pack{}.Encode()}.Encode(),
	} {
		if _, err := message.DecodeAs[message.FirstAttempts](bad); err == nil {
			t.Errorf("%s: it is taken for first attempts", name)
		}
	}
}

// named are messages in JSON, one of each type, with every field set.
var named = []message.Message{
	message.PlanPage{Tenant: "acme", Source: "/s", Event: "e", Key: "n", Page: 3, Replay: "rpl_1", At: at, Order: 2, NoTriggers: true, Fresh: true},
	message.Fire{Tenant: "acme", Subscription: "s", Epoch: 1 << 40, Key: "0a", Mark: "M#1b"},
	message.Replay{ID: "rpl_1", At: at, Tenant: "acme", Source: "/s", Event: "e", Subscription: "s"},
	message.Attempt{Tenant: "acme", Subscription: "s", Delivery: "d", Round: 1, Step: 2, SecondTurn: true},
	message.AttemptByHand{Tenant: "acme", Subscription: "s", Delivery: "d"},
	message.NewRound{Tenant: "acme", Subscription: "s", Delivery: "d", Round: 1},
	message.Drain{Tenant: "acme", Subscription: "s", Lease: "l"},
	message.AuditLine{Tenant: "acme", Subscription: "s"},
	message.Probe{Tenant: "acme", Subscription: "s", Opening: "k1", Number: 4},
	message.EndLeases{Tenant: "acme", Subscription: "s"},
	message.Expunge{Tenant: "acme", Source: "/s", Event: "e", Position: "o3"},
	message.JobSlice{Tenant: "acme", Subscription: "s", Job: "job_1", Slice: 5},
	message.AuditJob{Tenant: "acme", Subscription: "s", Job: "job_1", Slice: 5},
}

func TestEachMessageInJSONComesBackAsItWas(t *testing.T) {
	for _, m := range named {
		body := m.Encode()
		if got, err := message.Decode(body); err != nil || got != m {
			t.Errorf("%s = %#v, %v, want %#v", body, got, err, m)
		}
	}
	if got, want := len(named), message.Names(); got != want {
		t.Errorf("%d messages are tried, want each of the %d that have a name", got, want)
	}
}

func TestDuePointersStandForTheirMessages(t *testing.T) {
	for _, m := range named {
		pointed, is := m.(interface{ Due(time.Time) webhook.Due })
		if !is {
			continue
		}
		if a, is := m.(message.Attempt); is {
			a.SecondTurn = false // no pointer tells it: who waits so long gets another turn
			pointed, m = a, a
		}
		if got, err := message.OfDue(pointed.Due(at)); err != nil || got != m {
			t.Errorf("by pointer %#v, %v, want %#v", got, err, m)
		}
	}
	for _, due := range []webhook.Due{{Kind: "newer", ID: "1 k m"}, {Kind: webhook.DueTimer, ID: "1 k"}, {Kind: webhook.DueTimer, ID: "x k m"}} {
		if m, err := message.OfDue(due); !errors.Is(err, message.ErrMalformed) {
			t.Errorf("%+v stands for %#v, %v, want it malformed", due, m, err)
		}
	}
}

func TestWhatThisVersionDoesNotKnowIsMalformed(t *testing.T) {
	for name, body := range map[string]string{
		"no body":            ``,
		"another kind":       `Zabc`,
		"another name":       `{"rest":{"tenant":"acme"}}`,
		"two names":          `{"drain":{"tenant":"acme","subscription":"s"},"rest":{}}`,
		"no name":            `{}`,
		"another field":      `{"drain":{"tenant":"acme","subscription":"s","until":"noon"}}`,
		"a field is missing": `{"attempt":{"tenant":"acme","subscription":"s"}}`,
		"a time is missing":  `{"replay":{"id":"rpl_1","tenant":"acme","source":"/s","event":"e"}}`,
		"no fields":          `{"drain":null}`,
		"more behind it":     `{"drain":{"tenant":"acme","subscription":"s"}} {}`,
		"another type":       `{"attempt":{"tenant":"acme","subscription":"s","delivery":"d","round":"1"}}`,
	} {
		if m, err := message.Decode([]byte(body)); !errors.Is(err, message.ErrMalformed) {
			t.Errorf("%s: %s = %#v, %v, want it malformed", name, body, m, err)
		}
	}
}

func TestATaskGoesIntoTheGroupOfItsSubscription(t *testing.T) {
	for _, tt := range []struct {
		task message.Task
		want string
	}{
		{message.Drain{Tenant: "acme", Subscription: "s"}, "acme/s"},
		{message.JobSlice{Tenant: "acme", Job: "job_1"}, "acme"},
		{message.Expunge{Tenant: "acme", Event: "e"}, "acme"},
	} {
		if m := message.Queued(tt.task, queue.MaxDelay+1); m.Group != tt.want || m.Delay != queue.MaxDelay {
			t.Errorf("%#v goes into group %s after %s, want %s after the most that a queue delays", tt.task, m.Group, m.Delay, tt.want)
		}
	}
}

func TestEverySubscriptionHasAGroupOfItsOwn(t *testing.T) {
	long := strings.Repeat("a", 64)
	seen := map[string]bool{}
	for _, pair := range [][2]string{{"acme", "s"}, {long, long}, {long, long[1:] + "b"}, {long[1:], long}} {
		group := message.SubscriptionGroup(pair[0], pair[1])
		m := queue.Message{Body: []byte("x"), Group: group}
		if err := m.Check(); err != nil {
			t.Errorf("group of %v: %v", pair, err)
		}
		if owner := queue.Owner(group); owner != pair[0] {
			t.Errorf("group %s of %v is owned by %s, want the tenant", group, pair, owner)
		}
		if seen[group] {
			t.Errorf("%v shares group %s", pair, group)
		}
		seen[group] = true
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(message.Pack{Events: []webhook.Event{event("1", `{"a":1}`)}}.Encode())
	f.Add(message.Pack{Request: "r", First: 3, Holds: 1, Last: true, Events: []webhook.Event{event("1", `{"a":1}`)}}.Encode())
	f.Add(message.FirstAttempt{ID: "d", Body: "b"}.Encode())
	f.Add(message.FirstAttempts{message.FirstAttempt{ID: "d", Body: "b"}.Encode()}.Encode())
	for _, m := range named {
		f.Add(m.Encode())
	}
	f.Add([]byte{'P', 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := message.Decode(body)
		if err != nil {
			return
		}
		again, err := message.Decode(m.Encode())
		if diff := cmp.Diff(m, again, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("%#v does not survive: %v\n%s", m, err, diff)
		}
	})
}
