package people

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func rule(name, spec string) webhook.AttributeRule {
	return webhook.AttributeRule{Tenant: "acme", Name: name, Spec: json.RawMessage(spec), Generation: "g1"}
}

func define(t *testing.T, rules ...webhook.AttributeRule) *Definitions {
	t.Helper()
	d, err := Define(rules, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func event(n int, at time.Time, data string) webhook.Event {
	return webhook.Event{
		Tenant: "acme", ID: fmt.Sprintf("e%03d", n), Source: "/s", Type: "study", Subject: "u1", Time: at, Data: json.RawMessage(data),
		AcceptedAt: noon.Add(time.Hour), Order: uint32(n),
	}
}

func apply(t *testing.T, d *Definitions, p webhook.Profile, events ...webhook.Event) webhook.Profile {
	t.Helper()
	for _, e := range events {
		decoded, err := pattern.Decode(pattern.Envelope{ID: e.ID, Source: e.Source, Type: e.Type, Subject: e.Subject, HasSubject: true, Data: e.Data})
		if err != nil {
			t.Fatal(err)
		}
		if p, err = d.Effects(e, decoded).Apply(d, p); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func shown(t *testing.T, d *Definitions, p webhook.Profile) string {
	t.Helper()
	v, err := d.ViewOf(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(v.Attributes)
}

// eachWay is one rule for each way to keep, and what it makes of the events of
// threeEvents.
var eachWay = []struct{ name, spec, want string }{
	{"last", `{"keep":"last","value":"data.mode"}`, `"learn"`},
	{"first", `{"keep":"first","value":"data.mode"}`, `"cards"`},
	{"last_time", `{"keep":"last_time"}`, `"2026-03-01T12:00:30.000Z"`},
	{"first_time", `{"keep":"first_time"}`, `"2026-03-01T12:00:10.000Z"`},
	{"count", `{"keep":"count"}`, `3`},
	{"some", `{"keep":"count","filter":{"data":{"n":[{"numeric":[">",0.15]}]}}}`, `2`},
	{"sum", `{"keep":"sum","value":"data.n"}`, `0.6`},
	{"min", `{"keep":"min","value":"data.n"}`, `0.1`},
	{"max", `{"keep":"max","value":"data.n"}`, `0.3`},
	{"set", `{"keep":"set","value":"data.mode"}`, `["cards","learn","match"]`},
	{"literal", `{"keep":"last","value":{"literal":{"a":[1]}}}`, `{"a":[1]}`},
}

func threeEvents() []webhook.Event {
	return []webhook.Event{
		event(1, noon.Add(10*time.Second), `{"mode":"cards","n":0.1}`),
		event(2, noon.Add(20*time.Second), `{"mode":"match","n":0.2}`),
		event(3, noon.Add(30*time.Second), `{"mode":"learn","n":0.3}`),
	}
}

func TestEachWayToKeepIsTheSameInEveryOrder(t *testing.T) {
	for _, way := range eachWay {
		d := define(t, rule("x", way.spec))
		for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
			p := webhook.Profile{Tenant: "acme", Subject: "u1"}
			for _, i := range order {
				p = apply(t, d, p, threeEvents()[i])
			}
			if got, want := shown(t, d, p), `{"x":`+way.want+`}`; got != want {
				t.Errorf("%s of the events in order %v is %s, want %s", way.name, order, got, want)
			}
			if p.Revision != 3 {
				t.Errorf("%s: revision %d after three events, want 3", way.name, p.Revision)
			}
		}
	}
}

func TestOfOneTimeTheOrderOfAcceptanceDecides(t *testing.T) {
	d := define(t, rule("first", `{"keep":"first","value":"data.v"}`), rule("last", `{"keep":"last","value":"data.v"}`))
	events := []webhook.Event{event(1, noon, `{"v":1}`), event(2, noon, `{"v":2}`), event(3, noon, `{"v":3}`)}
	for range 20 {
		rand.Shuffle(3, func(i, j int) { events[i], events[j] = events[j], events[i] })
		p := apply(t, d, webhook.Profile{Subject: "u1"}, events...)
		if got := shown(t, d, p); got != `{"first":1,"last":3}` {
			t.Fatalf("applied %s, %s, %s: %s", events[0].ID, events[1].ID, events[2].ID, got)
		}
	}
}

func TestSumsAreExact(t *testing.T) {
	d := define(t, rule("sum", `{"keep":"sum","value":"data.v"}`))
	p := webhook.Profile{Subject: "u1"}
	for i, v := range []string{"0.1", "0.2", "1e3", "-1000", "12345678901234567890123", "1e-20", `"5"`, "null", "[1]", "1e400", "-12345678901234567890123"} {
		p = apply(t, d, p, event(i, noon, `{"v":`+v+`}`))
	}
	if got, want := shown(t, d, p), `{"sum":0.30000000000000000001}`; got != want {
		t.Errorf("sum %s, want %s", got, want)
	}
}

func TestASetAndAProfileThatAreFullSaySo(t *testing.T) {
	d := define(t, rule("set", `{"keep":"set","value":"data.v"}`), rule("last", `{"keep":"last","value":"data.long"}`))
	p := webhook.Profile{Subject: "u1"}
	for i := range MaxSet + 1 {
		p = apply(t, d, p, event(i, noon, fmt.Sprintf(`{"v":%d,"long":%q}`, i, strings.Repeat("x", MaxValue))))
	}
	v, err := d.ViewOf(p)
	if err != nil {
		t.Fatal(err)
	}
	var attributes struct{ Set []int }
	if err := json.Unmarshal(v.Attributes, &attributes); err != nil {
		t.Fatal(err)
	}
	if len(attributes.Set) != MaxSet || !slices.Equal(v.Full, []string{"set"}) || !slices.Equal(v.Computed, []string{"set"}) {
		t.Errorf("the set has %d values, full are %q, computed are %q", len(attributes.Set), v.Full, v.Computed)
	}
}

func TestWhatIsComputedHasABound(t *testing.T) {
	var rules []webhook.AttributeRule
	for i := range MaxRules {
		rules = append(rules, rule(fmt.Sprintf("a%03d", i), fmt.Sprintf(`{"keep":"set","value":"data.v%d"}`, i%7)))
	}
	d, p := define(t, rules...), webhook.Profile{Subject: "u1"}
	for i := range 100 {
		p = apply(t, d, p, event(i, noon, fmt.Sprintf(`{"v%d":"%d%s"}`, i%7, i, strings.Repeat("x", 900))))
	}
	if len(p.Computed) > 3*MaxSize {
		t.Errorf("%d bytes are computed, want at most about %d", len(p.Computed), 2*MaxSize)
	}
}

func TestARuleThatBeginsAfreshForgetsAndOneThatIsKeptStays(t *testing.T) {
	count := rule("n", `{"keep":"count"}`)
	d := define(t, count)
	p := apply(t, d, webhook.Profile{Subject: "u1", Attributes: json.RawMessage(`{"plan":"gold"}`)}, threeEvents()...)
	kept := count
	kept.Kept = true
	if got := shown(t, define(t, kept), p); got != `{"n":3,"plan":"gold"}` {
		t.Errorf("with a rule deleted whose values stay: %s", got)
	}
	written := p
	written.Attributes = json.RawMessage(`{"n":"by hand"}`)
	if got := shown(t, define(t, kept), written); got != `{"n":"by hand"}` {
		t.Errorf("written over a value that stayed: %s", got)
	}
	if got := shown(t, define(t), p); got != `{"plan":"gold"}` {
		t.Errorf("without the rule: %s", got)
	}
	again := count
	again.Generation = "g2"
	d = define(t, again)
	if got := shown(t, d, apply(t, d, p, event(4, noon, `{}`))); got != `{"n":1,"plan":"gold"}` {
		t.Errorf("with the rule made again, after one event: %s", got)
	}
}

func TestAnEventChangesTheProfileThatTheRuleNames(t *testing.T) {
	d := define(t, rule("n", `{"keep":"count","subject":"data.friend"}`), rule("m", `{"keep":"count","types":["other"]}`))
	e := event(1, noon, `{"friend":"u2"}`)
	decoded, err := pattern.Decode(pattern.Envelope{Type: e.Type, Data: e.Data})
	if err != nil {
		t.Fatal(err)
	}
	effects := d.Effects(e, decoded)
	if got := effects.Subjects(); !slices.Equal(got, []string{"u2"}) {
		t.Errorf("changes the profiles of %q, want u2", got)
	}
}

func TestBadRulesAreRefused(t *testing.T) {
	for body, field := range map[string]string{
		`[]`:                                "body",
		`{}`:                                "keep",
		`{"keep":"cuont"}`:                  "keep",
		`{"keep":5}`:                        "keep",
		`{"keep":"last"}`:                   "value",
		`{"keep":"count","value":"data.x"}`: "value",
		`{"keep":"last","value":5}`:         "value",
		`{"keep":"last","value":{"literal":null}}`:        "value.literal",
		`{"keep":"last","value":"x.y"}`:                   "value",
		`{"keep":"count","subject":"nope"}`:               "subject",
		`{"keep":"count","types":"a"}`:                    "types",
		`{"keep":"count","types":[]}`:                     "types",
		`{"keep":"count","types":[1]}`:                    "types[0]",
		`{"keep":"count","filter":{"profile":{"a":[1]}}}`: "filter.profile",
		`{"keep":"count","type":["a"]}`:                   "type",
	} {
		_, faults := Read("n", strictjson.Value(body))
		if len(faults) == 0 || faults[0].Field != field {
			t.Errorf("%s: faults %v, want one of %s", body, faults, field)
		}
	}
	for _, name := range []string{"", "a.b", "$x", " a", "a[0]", strings.Repeat("x", 129), "a\n"} {
		if _, faults := Read(name, strictjson.Value(`{"keep":"count"}`)); len(faults) == 0 {
			t.Errorf("the name %q is taken", name)
		}
	}
}

func TestAttributesAreMergedAndBounded(t *testing.T) {
	read, faults := ReadAttributes(strictjson.Value(`{ "a": null, "b": [1, 2], "n": 5 }`), "attributes", map[string]json.RawMessage{"n": json.RawMessage("5")})
	if len(faults) > 0 || len(read) != 2 {
		t.Fatalf("read %v, faults %v", read, faults)
	}
	a := Attributes{"a": json.RawMessage("1"), "c": json.RawMessage("3")}
	a.Merge(read)
	if got, wrong := a.Encode(); string(got) != `{"b":[1,2],"c":3}` || wrong != "" {
		t.Errorf("merged %s, %s", got, wrong)
	}
	for body, field := range map[string]string{`[]`: "attributes", `{"n":6}`: "attributes.n", `{"a.b":1}`: "attributes.a.b"} {
		if _, faults := ReadAttributes(strictjson.Value(body), "attributes", map[string]json.RawMessage{"n": nil}); len(faults) == 0 || faults[0].Field != field {
			t.Errorf("%s: faults %v, want one of %s", body, faults, field)
		}
	}
	for name, a := range map[string]Attributes{
		"too many": func() Attributes {
			many := Attributes{}
			for i := range MaxAttributes + 1 {
				many[fmt.Sprint(i)] = json.RawMessage("1")
			}
			return many
		}(),
		"too large": {"a": json.RawMessage(`"` + strings.Repeat("x", MaxSize) + `"`)},
	} {
		if _, wrong := a.Encode(); wrong == "" {
			t.Errorf("attributes that are %s are taken", name)
		}
	}
}

func TestSegmentsAreConditionsOnProfiles(t *testing.T) {
	d, err := Define(nil, []webhook.Segment{
		{ID: "vip", Filter: json.RawMessage(`{"profile":{"plan":["gold"]}}`)},
		{ID: "new", Filter: json.RawMessage(`{"profile":{"plan":[{"exists":false}]}}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	for attributes, want := range map[string][]string{`{"plan":"gold"}`: {"vip"}, `{"plan":"tin"}`: {}, ``: {"new"}} {
		v, err := d.ViewOf(webhook.Profile{Attributes: json.RawMessage(attributes)[:len(attributes):len(attributes)]})
		if attributes == "" {
			v, err = d.ViewOf(webhook.Profile{})
		}
		if err != nil {
			t.Fatal(err)
		}
		in, err := d.SegmentsOf("u1", v)
		if err != nil || !slices.Equal(in, want) {
			t.Errorf("%s is in %q (%v), want %q", attributes, in, err, want)
		}
	}
}
