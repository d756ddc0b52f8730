package trigger

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// flight is a booking of a flight that starts at a time.
func flight(id string, at, starts time.Time) webhook.Event {
	e := event(id, at)
	e.AcceptedAt, e.Data = at, json.RawMessage(fmt.Sprintf(`{"starts_at":%q}`, starts.Format(time.RFC3339)))
	return e
}

func TestADelayLastsUntilATimeInTheEvent(t *testing.T) {
	const reminder = `{"delay":{"until":"data.starts_at","before":"24h"}}`
	day := 24 * time.Hour
	for _, tt := range []struct {
		name   string
		events []webhook.Event
		want   []string // what is told by the end, by event
	}{
		{"a day before", []webhook.Event{flight("e", noon, noon.Add(3*day))}, []string{"e sent 2026-03-03T12:00"}},
		{"at once, less than a day before", []webhook.Event{flight("e", noon, noon.Add(time.Hour))}, []string{"e sent 2026-03-01T12:00"}},
		{"not when it is over", []webhook.Event{flight("e", noon, noon.Add(-time.Second))}, []string{"e stale"}},
		{"at the new time of what is put off", []webhook.Event{flight("e", noon, noon.Add(3*day)), flight("f", noon.Add(day), noon.Add(9*day))}, []string{"e not_due", "f sent 2026-03-09T12:00"}},
		{"at the new time of what comes sooner", []webhook.Event{flight("e", noon, noon.Add(9*day)), flight("f", noon.Add(day), noon.Add(3*day))}, []string{"e not_due", "f sent 2026-03-03T12:00"}},
		{"never of what has no such time", []webhook.Event{event("e", noon)}, []string{"e no_key"}},
		{"never of what lies beyond a year", []webhook.Event{flight("e", noon, noon.Add(366*day))}, []string{"e no_key"}},
	} {
		if got := rehearse(t, reminder, tt.events); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// rehearse plays events, and tells what became of each.
func rehearse(t *testing.T, trigger string, events []webhook.Event) (told []string) {
	t.Helper()
	k, r := newKey(t, trigger), &Rehearsal{}
	at := noon
	for _, e := range events {
		if err := r.Until(e.AcceptedAt); err != nil {
			t.Fatal(err)
		}
		d, err := DecodeEvent(e)
		if err != nil {
			t.Fatal(err)
		}
		a := Asked{Subscription: k.sub, Event: e, Decoded: d}
		if err := r.Play(k.spec, a, Always, func(d Decision) {
			what := string(d.Reason)
			if d.Do == Send {
				what = "sent " + at.Format("2006-01-02T15:04")
			}
			told = append(told, e.ID+" "+what)
		}); err != nil {
			t.Fatal(err)
		}
	}
	for at = noon; at.Before(noon.AddDate(1, 1, 0)); at = at.Add(time.Hour) {
		if err := r.Until(at); err != nil {
			t.Fatal(err)
		}
	}
	r.End()
	slices.Sort(told)
	return told
}
