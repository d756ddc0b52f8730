package trigger

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// unless is a Ready that finds nothing to send for one event.
func unless(failing bool) Ready {
	return func(int) (webhook.Reason, error) {
		if failing {
			return webhook.ReasonMissingField, nil
		}
		return "", nil
	}
}

// told is what an event led to, in short: its number, and what was done.
func told(d Decision) string {
	switch d.Do {
	case Send:
		return fmt.Sprint(d.Count, " sent")
	case Wait:
		return fmt.Sprint(d.Count, " waits")
	}
	return fmt.Sprint(d.Count, " ", d.Reason)
}

func (k *key) handleReady(e webhook.Event, now time.Time, ready Ready) Decision {
	k.t.Helper()
	o := k.occurrence(e)
	d, changes, err := o.Decide(k.read(o.Refs()), now, ready)
	if err != nil {
		k.t.Fatal(err)
	}
	k.save(changes)
	return d
}

func TestAnOccurrenceThatCannotBeRenderedUsesNothingUp(t *testing.T) {
	const fails = true
	type step struct {
		id, distinct string
		fails        bool
		want         string
	}
	for _, tt := range []struct {
		trigger string
		steps   []step
	}{
		{`{"at":2}`, []step{
			{"a", "", false, "1 not_due"}, {"b", "", fails, "2 missing_field"}, {"c", "", fails, "2 missing_field"},
			{"b", "", false, "2 missing_field"}, {"d", "", false, "2 sent"}, {"e", "", false, "3 not_due"}, {"c", "", false, "2 missing_field"},
		}},
		{`{"at":1}`, []step{{"a", "", fails, "1 missing_field"}, {"b", "", false, "1 sent"}, {"c", "", false, "2 not_due"}}},
		{`{"every":2}`, []step{
			{"a", "", false, "1 not_due"}, {"b", "", fails, "2 missing_field"}, {"c", "", false, "2 sent"}, {"d", "", false, "3 not_due"}, {"e", "", false, "4 sent"},
		}},
		{`{"every":3,"within":"10m"}`, []step{
			{"a", "", false, "1 not_due"}, {"b", "", false, "2 not_due"}, {"c", "", fails, "3 missing_field"}, {"d", "", false, "3 sent"}, {"e", "", false, "4 not_due"},
		}},
		{`{"at":2,"within":"10m"}`, []step{{"a", "", false, "1 not_due"}, {"b", "", fails, "2 missing_field"}, {"c", "", false, "2 sent"}, {"d", "", false, "3 not_due"}}},
		{`{"at":2,"distinct":"data.d"}`, []step{
			{"a", "x", false, "1 not_due"}, {"b", "y", fails, "2 missing_field"}, {"c", "y", fails, "2 missing_field"},
			{"b", "y", false, "2 missing_field"}, {"d", "y", false, "2 sent"}, {"e", "y", false, "0 duplicate"},
			{"b", "y", false, "2 missing_field"}, {"c", "y", false, "2 missing_field"}, {"a", "x", false, "1 not_due"},
		}},
		{`{"once":true}`, []step{{"a", "", fails, "0 missing_field"}, {"b", "", false, "0 sent"}, {"c", "", false, "0 once"}}},
		{`{"cap":{"max":1,"per":"1h"}}`, []step{{"a", "", fails, "0 missing_field"}, {"b", "", false, "0 sent"}, {"c", "", false, "0 cap"}}},
	} {
		k := newKey(t, tt.trigger)
		for i, s := range tt.steps {
			e := event(s.id, noon)
			e.Data = json.RawMessage(`{"d":"` + s.distinct + `"}`)
			if got := told(k.handleReady(e, noon, unless(s.fails))); got != s.want {
				t.Errorf("%s, step %d, event %s: %s, want %s", tt.trigger, i, s.id, got, s.want)
			}
		}
	}
}

func TestAStartThatCannotBeRenderedGivesItsPlaceBack(t *testing.T) {
	for _, tt := range []struct {
		trigger string
		before  string // what three more events led to while it waited
		after   string // what the first event led to after it failed
	}{
		{`{"at":1,"delay":"1h"}`, "[2 not_due 3 not_due 4 not_due]", "4 waits"},
		{`{"every":1,"delay":"1h","on_repeat":"keep"}`, "[2 waits 3 waits 4 waits]", "4 waits"},
		{`{"every":4,"delay":"1h"}`, "[2 not_due 3 not_due 4 waits]", "4 waits"},
		{`{"at":1,"within":"1h","delay":"1h"}`, "[2 not_due 3 not_due 4 not_due]", "4 waits"},
	} {
		k := newKey(t, tt.trigger)
		first := event("a", noon)
		k.handle(first, noon)
		var before []string
		for i, id := range []string{"b", "c", "d"} {
			before = append(before, told(k.handle(event(id, noon.Add(time.Duration(i+1)*time.Minute)), noon)))
		}
		if got := fmt.Sprint(before); got != tt.before {
			t.Errorf("%s: while it waits, %s, want %s", tt.trigger, got, tt.before)
		}
		now := noon.Add(2 * time.Hour)
		if tt.trigger == `{"every":4,"delay":"1h"}` {
			first = event("d", noon.Add(3*time.Minute))
		}
		o := k.occurrence(first)
		o.started = true
		d, changes, fires, err := o.Fire(k.read(o.Refs()), now, unless(true))
		if err != nil || !fires || d.Do != Cancel || d.Reason != webhook.ReasonMissingField {
			t.Fatalf("%s: firing: %+v, %v, %v, want canceled for a missing field", tt.trigger, d, fires, err)
		}
		k.save(changes)
		if got := told(k.handle(event("z", now), now)); got != tt.after {
			t.Errorf("%s: after it failed, %s, want %s", tt.trigger, got, tt.after)
		}
		if got := k.handle(first, now); got.Do != Cancel || got.Reason != webhook.ReasonMissingField {
			t.Errorf("%s: the failed start again: %+v, want what was decided", tt.trigger, got)
		}
	}
}
