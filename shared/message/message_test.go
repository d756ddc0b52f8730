package message_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
	got, err := message.DecodePack(p.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p, got); diff != "" {
		t.Errorf("pack differs (-want +got):\n%s", diff)
	}
}

func TestFirstAttemptsKeepEveryByte(t *testing.T) {
	f := message.First{
		Tenant: "acme", ID: "dlv_1", Event: "e", Source: "/s", Accepted: at, Subscription: "sub", Version: 7, Occasion: "2",
		Target: webhook.Target{
			URL:     webhook.Text{Plain: "https://a.example/?t=", Inserts: []webhook.Insert{{At: 21, Secret: "token", Encode: "query"}}},
			Headers: []webhook.Header{{Name: "x-plan", Value: webhook.Text{Plain: "gold"}}},
		},
		Method: "POST", ContentType: "application/json", Body: "{ \"a\" : \xff\x00 }",
		Inserts: []webhook.Insert{{At: 3, Secret: "s", Encode: "json"}},
	}
	got, err := message.DecodeFirst(f.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f, got); diff != "" {
		t.Errorf("first attempt differs (-want +got):\n%s", diff)
	}
}

func TestFirstAttemptsShareAMessage(t *testing.T) {
	var want [][]byte
	for _, id := range []string{"dlv_1", "dlv_2", "dlv_3"} {
		want = append(want, message.First{ID: id, Body: strings.Repeat(id, 1000)}.Encode())
	}
	body := message.JoinFirsts(want)
	got, err := message.CutFirsts(body)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("first attempts differ (-want +got):\n%s", diff)
	}
	for name, bad := range map[string][]byte{
		"nothing in it": message.JoinFirsts(nil), "cut short": body[:len(body)-1], "another kind": want[0],
		"a pack in it": message.JoinFirsts([][]byte{message.Pack{}.Encode()}),
	} {
		if _, err := message.CutFirsts(bad); err == nil {
			t.Errorf("%s: CutFirsts takes it", name)
		}
	}
}

func TestSmallMessagesComeBackAsTheyWere(t *testing.T) {
	l := message.Leaf{Tenant: "acme", Source: "/s", Event: "e", Key: "n", Page: 3, Replay: "rpl_1"}
	if got, err := message.DecodeLeaf(l.Encode()); err != nil || got != l {
		t.Errorf("leaf = %+v, %v, want %+v", got, err, l)
	}
	f := message.Fire{Tenant: "acme", Subscription: "s", Epoch: 1 << 40, Key: "0a", Mark: "M#1b"}
	if got, err := message.DecodeFire(f.Encode()); err != nil || got != f {
		t.Errorf("fire = %+v, %v, want %+v", got, err, f)
	}
	if got, err := message.FireOf(f.Due(at)); err != nil || got != f {
		t.Errorf("fire by pointer = %+v, %v, want %+v", got, err, f)
	}
	r := message.Replay{ID: "rpl_1", Tenant: "acme", Source: "/s", Event: "e", Subscription: "s"}
	if got, err := message.DecodeReplay(r.Encode()); err != nil || got != r {
		t.Errorf("replay = %+v, %v, want %+v", got, err, r)
	}
	a := message.Again{Kind: message.AgainRetry, Tenant: "acme", Subscription: "s", Delivery: "d", Round: 1, Step: 2, Token: "t"}
	if got, err := message.DecodeAgain(a.Encode()); err != nil || got != a {
		t.Errorf("again = %+v, %v, want %+v", got, err, a)
	}
	if kind := message.KindOf(a.Encode()); kind != message.KindRetry {
		t.Errorf("kind of again = %q, want %q", kind, message.KindRetry)
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
	f.Add(message.Leaf{Event: "e"}.Encode())
	f.Add(message.Fire{Key: "k"}.Encode())
	f.Add(message.First{ID: "d", Body: "b"}.Encode())
	f.Add(message.JoinFirsts([][]byte{message.First{ID: "d", Body: "b"}.Encode()}))
	f.Add(message.Again{Kind: message.AgainDrain}.Encode())
	f.Add([]byte{'P', 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, body []byte) {
		if p, err := message.DecodePack(body); err == nil {
			again, err := message.DecodePack(p.Encode())
			if err != nil || len(again.Events) != len(p.Events) {
				t.Errorf("pack does not survive: %v", err)
			}
		}
		message.DecodeLeaf(body)
		message.DecodeFirst(body)
		message.CutFirsts(body)
		message.DecodeAgain(body)
		message.DecodeFire(body)
		message.DecodeReplay(body)
	})
}
