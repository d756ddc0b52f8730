package trigger

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// key is one key of a subscription, whose state it keeps.
type key struct {
	t     *testing.T
	sub   webhook.Subscription
	spec  *Spec
	state map[webhook.StateRef]webhook.StateItem
}

func newKey(t *testing.T, trigger string) *key {
	t.Helper()
	sub := webhook.Subscription{Tenant: "acme", ID: "s", Version: 3, Born: 1, Trigger: json.RawMessage(trigger)}
	spec, err := Compile(sub)
	if err != nil {
		t.Fatal(err)
	}
	return &key{t, sub, spec, map[webhook.StateRef]webhook.StateItem{}}
}

func event(id string, at time.Time) webhook.Event {
	return webhook.Event{Tenant: "acme", ID: id, Source: "/s", Subject: "u1", Time: at, AcceptedAt: noon, Data: json.RawMessage(`{"id":"` + id + `"}`)}
}

func (k *key) occurrence(e webhook.Event) *Occurrence {
	k.t.Helper()
	d, err := DecodeEvent(e)
	if err != nil {
		k.t.Fatal(err)
	}
	o, reason := k.spec.Occurrence(k.sub, e, d)
	if reason != "" {
		k.t.Fatalf("%s is no occurrence: %s", e.ID, reason)
	}
	return o
}

func (k *key) read(refs []webhook.StateRef) []webhook.StateItem {
	items := make([]webhook.StateItem, len(refs))
	for i, ref := range refs {
		items[i] = k.state[ref]
		items[i].StateRef = ref
	}
	return items
}

func (k *key) save(items []webhook.StateItem) {
	for _, item := range items {
		item.Rev++
		k.state[item.StateRef] = item
	}
}

// handle decides for an event now and stores what follows.
func (k *key) handle(e webhook.Event, now time.Time) Decision {
	k.t.Helper()
	o := k.occurrence(e)
	d, changes, err := o.Decide(k.read(o.Refs()), now, Always)
	if err != nil {
		k.t.Fatal(err)
	}
	k.save(changes)
	return d
}

func (k *key) fire(e webhook.Event, now time.Time) (Decision, bool) {
	k.t.Helper()
	o := k.occurrence(e)
	d, changes, fires, err := o.Fire(k.read(o.Refs()), now, Always)
	if err != nil {
		k.t.Fatal(err)
	}
	k.save(changes)
	return d, fires
}

func (k *key) cancel(e webhook.Event, now time.Time) {
	k.t.Helper()
	o := k.occurrence(e)
	ref, _ := o.Timer()
	changed, err := CancelBy(k.read([]webhook.StateRef{ref})[0], e, now)
	if err != nil {
		k.t.Fatal(err)
	}
	if changed != nil {
		k.save([]webhook.StateItem{*changed})
	}
}

// timer is the key's timer as it is stored.
func (k *key) timer(e webhook.Event) timer {
	k.t.Helper()
	ref, _ := k.occurrence(e).Timer()
	st, err := load(k.read([]webhook.StateRef{ref}))
	if err != nil {
		k.t.Fatal(err)
	}
	return st.timer.value
}

func TestWindowsSlideOverEventTime(t *testing.T) {
	minutes := func(text string) (at []int) {
		for _, field := range strings.Fields(text) {
			var m int
			fmt.Sscan(field, &m)
			at = append(at, m)
		}
		return at
	}
	for _, tt := range []struct {
		trigger string
		at      string // minutes, in the order of arrival
		fires   string // indexes
	}{
		{`{"every":3,"within":"10m"}`, "0 5 10 11 12 13", "2 5"},
		{`{"every":3,"within":"10m"}`, "0 5 11 15", "3"},
		{`{"every":3,"within":"10m"}`, "0 20 40 60 80", ""},
		{`{"every":3,"within":"10m"}`, "20 0 40 45 5 10 50", "5 6"},
		{`{"at":2,"within":"10m"}`, "0 11 22 30 31 32", "3"},
		{`{"every":1,"within":"10m"}`, "0 0 0", "0 1 2"},
		{`{"every":2,"within":"10m"}`, "0 0 0 0", "1 3"},
	} {
		k := newKey(t, tt.trigger)
		var fires []int
		for i, m := range minutes(tt.at) {
			if d := k.handle(event(fmt.Sprint("e", i), noon.Add(time.Duration(m)*time.Minute)), noon); d.Do == Send {
				fires = append(fires, i)
			}
		}
		if !slices.Equal(fires, minutes(tt.fires)) {
			t.Errorf("%s at %s fires at %v, want %s", tt.trigger, tt.at, fires, tt.fires)
		}
	}
}

// TestEveryWindowThatFiresIsFull plays random arrivals against the definition:
// what fires has n occurrences in one window, none of which fired before, and
// nothing is left that could fire.
func TestEveryWindowThatFiresIsFull(t *testing.T) {
	const n, window = 3, 10
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 0))
		spec := newKey(t, `{"every":3,"within":"10m"}`).spec
		var c counter
		fired := 0
		for range 40 {
			var fires bool
			c, fires = spec.next(c, noon.Add(time.Duration(random.IntN(200))*time.Minute))
			if fires {
				fired++
			}
			for i := 0; i+n <= len(c.Times); i++ {
				if c.Times[i+n-1]-c.Times[i] <= (window * time.Minute).Microseconds() {
					t.Fatalf("seed %d: a full window is left", seed)
				}
			}
		}
		if left := len(c.Times); left > 2*n || fired*n > 40 {
			t.Errorf("seed %d: %d left, %d firings", seed, left, fired)
		}
	}
}

func TestCountersStaySmall(t *testing.T) {
	k := newKey(t, `{"every":1000,"within":"1s"}`)
	for i := range 2500 {
		k.handle(event(fmt.Sprint("e", i), noon.Add(-time.Duration(i)*time.Minute)), noon)
	}
	for ref, item := range k.state {
		if len(item.Data) > 64<<10 {
			t.Errorf("part %s has %d bytes", ref.Part, len(item.Data))
		}
	}
}

func TestTwoEventsOfOneIDAndTimeCancelEachOther(t *testing.T) {
	twin := func(source string) webhook.Event {
		e := event("e", noon)
		e.Source = source
		return e
	}
	for _, arrival := range [][]string{{"/a", "/b"}, {"/b", "/a"}} {
		k := newKey(t, `{"delay":"1h","cancel":[{"types":["x"]}]}`)
		for _, source := range arrival { // both cancel, and then start
			k.cancel(twin(source), noon)
		}
		for _, source := range arrival {
			if d := k.handle(twin(source), noon); d.Reason != webhook.ReasonCanceledBy {
				t.Errorf("in order %v, start of %s: %+v, want canceled by the other", arrival, source, d)
			}
		}
	}
	k := newKey(t, `{"delay":"1h","cancel":[{"types":["x"]}]}`)
	k.cancel(twin("/a"), noon)
	k.cancel(twin("/a"), noon)
	if d := k.handle(twin("/a"), noon); d.Do != Wait {
		t.Errorf("start of what cancels: %+v, want to wait", d)
	}
}

func TestACancelThatRemovesTheFirstLeavesTheNext(t *testing.T) {
	k := newKey(t, `{"delay":"1h","on_repeat":"keep","cancel":[{"types":["x"]}]}`)
	at := func(m int) time.Time { return noon.Add(time.Duration(m) * time.Minute) }
	first, second, third := event("a", at(0)), event("b", at(30)), event("c", at(40))
	for _, e := range []webhook.Event{third, second, first} {
		k.handle(e, noon)
	}
	k.cancel(event("x", at(10)), noon)
	if _, fires := k.fire(first, at(200)); fires {
		t.Error("the first fired although it was canceled")
	}
	if _, fires := k.fire(second, at(89)); fires {
		t.Error("the second fired before its time")
	}
	if d, fires := k.fire(second, at(90)); !fires || d.Do != Send {
		t.Errorf("the second: %+v, %v, want to fire", d, fires)
	}
	if _, fires := k.fire(third, at(200)); fires {
		t.Error("the third fired although it repeats the second")
	}
	if d := k.handle(event("d", at(85)), at(200)); d.Reason != webhook.ReasonDuplicate {
		t.Errorf("a repeat that comes after the firing: %+v, want duplicate", d)
	}
	if d := k.handle(event("e", at(91)), at(200)); d.Do != Wait {
		t.Errorf("what comes after the delay: %+v, want a start of its own", d)
	}
}

func TestTimersStaySmall(t *testing.T) {
	for _, repeat := range []string{"keep", "restart"} {
		k := newKey(t, `{"delay":"1m","on_repeat":"`+repeat+`"}`)
		var events []webhook.Event
		for i := range 100 {
			events = append(events, event(fmt.Sprintf("%s%03d", strings.Repeat("i", 250), i), noon.Add(time.Duration(i)*time.Hour)))
		}
		for _, i := range rand.New(rand.NewPCG(1, 1)).Perm(len(events)) {
			k.handle(events[i], noon)
		}
		first, last := 0, maxPending-1
		if repeat == "restart" {
			first, last = 100-maxPending, 99
		}
		p := k.timer(events[0]).Pending
		if len(p) != maxPending || p[0].ID != events[first].ID || p[maxPending-1].ID != events[last].ID {
			t.Errorf("with %s, of 100 starts %d wait, from %s", repeat, len(p), p[0].ID[250:])
		}
		for _, e := range events {
			k.fire(e, noon.AddDate(1, 0, 0))
		}
		if left := k.timer(events[0]); len(left.Pending) != 0 || len(left.Fired) != maxFired || left.Fired[maxFired-1].ID != events[last].ID {
			t.Errorf("with %s, %d wait and %d are remembered", repeat, len(left.Pending), len(left.Fired))
		}
	}
}

func TestClaimsForEverAreKeptAsLongAsTheyAreMet(t *testing.T) {
	k := newKey(t, `{"once":true}`)
	if d := k.handle(event("a", noon), noon); d.Do != Send {
		t.Fatalf("first: %+v", d)
	}
	claim := func() webhook.StateItem { return k.read(k.occurrence(event("a", noon)).Refs())[0] }
	if got := claim().Expires; got.Before(noon.Add(forever)) {
		t.Errorf("expires at %s", got)
	}
	k.handle(event("b", noon), noon.Add(day))
	if got := claim().Rev; got != 1 {
		t.Errorf("met a day later: written %d times, want once", got)
	}
	met := noon.Add(200 * day)
	if d := k.handle(event("c", noon), met); d.Reason != webhook.ReasonOnce {
		t.Errorf("met 200 days later: %+v", d)
	}
	if got := claim().Expires; got.Before(met.Add(forever)) {
		t.Errorf("met 200 days later: expires at %s", got)
	}
}

func TestNumbersAndTheirTextAreOneKey(t *testing.T) {
	k := newKey(t, `{"key":"data.id","at":2}`)
	for i, data := range []string{`{"id":5}`, `{"id":"5"}`} {
		e := event(fmt.Sprint("e", i), noon)
		e.Data = json.RawMessage(data)
		if d := k.handle(e, noon); (d.Do == Send) != (i == 1) {
			t.Errorf("%s: %+v", data, d)
		}
	}
	ref, err := k.spec.KeyRef(k.sub, "5")
	if err != nil || ref != k.occurrence(event("5", noon)).Key() {
		t.Errorf("KeyRef = %+v, %v", ref, err)
	}
}

func TestWhatHasNoKeyHasNoState(t *testing.T) {
	k := newKey(t, `{"key":["subject","data.id"],"every":2,"distinct":"data.b","cap":{"max":1,"per":"1d","key":"data.org"}}`)
	for data, want := range map[string]webhook.Reason{
		`{"id":"1","b":1,"org":1}`:        "",
		`{"id":"1","b":false,"org":1}`:    "",
		`{"b":1,"org":1}`:                 webhook.ReasonNoKey,
		`{"id":"","b":1,"org":1}`:         webhook.ReasonNoKey,
		`{"id":null,"b":1,"org":1}`:       webhook.ReasonNoKey,
		`{"id":["1"],"b":1,"org":1}`:      webhook.ReasonNoKey,
		`{"id":{"a":1},"b":1,"org":1}`:    webhook.ReasonNoKey,
		`{"id":"1","org":1}`:              webhook.ReasonNoKey,
		`{"id":"1","b":1}`:                webhook.ReasonNoKey,
		`{"id":"1","b":1,"org":""}`:       webhook.ReasonNoKey,
		`{"id":"1","b":{"x":1},"org":12}`: webhook.ReasonNoKey,
	} {
		e := event("e", noon)
		e.Data = json.RawMessage(data)
		d, err := DecodeEvent(e)
		if err != nil {
			t.Fatal(err)
		}
		if _, got := k.spec.Occurrence(k.sub, e, d); got != want {
			t.Errorf("%s: reason %q, want %q", data, got, want)
		}
	}
	if _, err := k.spec.KeyRef(k.sub, "u1"); err == nil {
		t.Error("one text is taken for a key of two paths")
	}
	if _, err := k.spec.KeyRef(k.sub, `["u1","1"]`); err != nil {
		t.Errorf("key of two paths: %v", err)
	}
}

func TestStateThatIsNotOursIsAnErrorThatQuotesNothing(t *testing.T) {
	k := newKey(t, `{"every":2}`)
	o := k.occurrence(event("e", noon))
	items := k.read(o.Refs())
	items[1].Rev, items[1].Data = 1, []byte(`"secret`)
	if _, _, err := o.Decide(items, noon, Always); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("error = %v", err)
	}
}

// TestWhatHasExpiredIsAsIfForgotten keeps every part, as a store may that has
// not come round to remove it.
func TestWhatHasExpiredIsAsIfForgotten(t *testing.T) {
	for _, trigger := range []string{`{"once":true}`, `{"at":1}`, `{"at":1,"distinct":"id"}`} {
		k := newKey(t, trigger)
		if d := k.handle(event("a", noon), noon); d.Do != Send {
			t.Fatalf("%s: first: %+v", trigger, d)
		}
		before := noon.Add(forever - time.Second)
		if d := k.handle(event("b", before), before); d.Do == Send {
			t.Errorf("%s: sent again after %v", trigger, forever-time.Second)
		}
		after := before.Add(forever + time.Second)
		if d := k.handle(event("c", after), after); d.Do != Send {
			t.Errorf("%s: once all has expired: %+v, want to send", trigger, d)
		}
	}
}

func TestClaimsForEverAreKeptAsLongAsToldTo(t *testing.T) {
	k := newKey(t, `{"once":true}`)
	k.spec.Keep(60 * day)
	k.handle(event("a", noon), noon)
	item := k.read(k.occurrence(event("a", noon)).Refs())[0]
	if want := noon.Add(60 * day); !item.Expires.Equal(want) {
		t.Errorf("expires at %s, want %s", item.Expires, want)
	}
	if d := k.handle(event("b", noon), noon.Add(60*day)); d.Do != Send {
		t.Errorf("after 60 days: %+v, want to send", d)
	}
}
