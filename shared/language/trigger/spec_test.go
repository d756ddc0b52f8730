package trigger_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/webhook"
)

func TestTriggersAreJudgedWhenSaved(t *testing.T) {
	paths := `["id","id","id","id","id","id","id","id","id"]`
	for _, tt := range []struct {
		trigger string
		faults  []string // fields
	}{
		{`{}`, nil},
		{`{"key":"data.user.id"}`, nil},
		{`{"key":["subject","data.mode"],"every":5,"distinct":"data.id","within":"30d"}`, nil},
		{`{"at":1,"once":false,"once_per":"1h","cap":{"max":100,"per":"365d","key":"data.org"}}`, nil},
		{`{"delay":"1h","on_repeat":"keep","cancel":[{"types":["a.*"]},{"filter":{"data":{"a":["b"]}},"key":"id"}]}`, nil},
		{`{"every":null,"at":5}`, nil},

		{`[]`, []string{"trigger"}},
		{`{"once":true,"once":false}`, []string{"trigger"}},
		{`{"evry":1}`, []string{"trigger.evry"}},
		{`{"key":""}`, []string{"trigger.key"}},
		{`{"key":[]}`, []string{"trigger.key"}},
		{`{"key":["subject",1]}`, []string{"trigger.key[1]"}},
		{`{"key":["subject","nobody"]}`, []string{"trigger.key[1]"}},
		{`{"key":` + paths + `}`, []string{"trigger.key"}},
		{`{"key":"subject.x"}`, []string{"trigger.key"}},
		{`{"every":0}`, []string{"trigger.every"}},
		{`{"every":-1}`, []string{"trigger.every"}},
		{`{"every":1.5}`, []string{"trigger.every"}},
		{`{"every":"5"}`, []string{"trigger.every"}},
		{`{"at":1000000001}`, []string{"trigger.at"}},
		{`{"every":2,"at":3}`, []string{"trigger.at"}},
		{`{"distinct":"data.x"}`, []string{"trigger.distinct"}},
		{`{"within":"1d"}`, []string{"trigger.within"}},
		{`{"every":2,"within":"366d"}`, []string{"trigger.within"}},
		{`{"every":1001,"within":"1d"}`, []string{"trigger.every"}},
		{`{"at":1001,"within":"1d"}`, []string{"trigger.at"}},
		{`{"once":1}`, []string{"trigger.once"}},
		{`{"once":true,"once_per":"1d"}`, []string{"trigger.once_per"}},
		{`{"once_per":"1 day"}`, []string{"trigger.once_per"}},
		{`{"delay":"0s"}`, []string{"trigger.delay"}},
		{`{"delay":"366d"}`, []string{"trigger.delay"}},
		{`{"delay":3600}`, []string{"trigger.delay"}},
		{`{"delay":{"until":"data.starts_at","before":"24h"},"cancel":[{"types":["a"]}]}`, nil},
		{`{"delay":{"until":"data.starts_at"}}`, nil},
		{`{"delay":{"before":"24h"}}`, []string{"trigger.delay.until"}},
		{`{"delay":{"until":"starts_at","before":"1 day"}}`, []string{"trigger.delay.until", "trigger.delay.before"}},
		{`{"delay":{"until":"data.starts_at","after":"24h"}}`, []string{"trigger.delay.after"}},
		{`{"delay":"1h","on_repeat":"reset"}`, []string{"trigger.on_repeat"}},
		{`{"delay":"1h","on_change":"keep"}`, nil},
		{`{"delay":"1h","on_change":"apply"}`, nil},
		{`{"delay":"1h","on_change":"drop"}`, []string{"trigger.on_change"}},
		{`{"delay":"1h","on_change":true}`, []string{"trigger.on_change"}},
		{`{"on_change":"keep"}`, []string{"trigger.on_change"}},
		{`{"delay":"1h","on_chang":"keep"}`, []string{"trigger.on_chang"}},
		{`{"on_repeat":"keep"}`, []string{"trigger.on_repeat"}},
		{`{"cancel":[{"types":["a"]}]}`, []string{"trigger.cancel"}},
		{`{"delay":"1h","cancel":[]}`, []string{"trigger.cancel"}},
		{`{"delay":"1h","cancel":[{}]}`, []string{"trigger.cancel[0]"}},
		{`{"delay":"1h","cancel":[{"types":[]}]}`, []string{"trigger.cancel[0].types"}},
		{`{"delay":"1h","cancel":[{"types":["a","b*c"]}]}`, []string{"trigger.cancel[0].types[1]"}},
		{`{"delay":"1h","cancel":[{"types":["a"],"filter":{"data":{"a":[]}}}]}`, []string{"trigger.cancel[0].filter.data.a"}},
		{`{"delay":"1h","cancel":[{"types":["a"],"key":"x"}]}`, []string{"trigger.cancel[0].key"}},
		{`{"delay":"1h","cancel":[` + strings.Repeat(`{"types":["a"]},`, 16) + `{"types":["a"]}]}`, []string{"trigger.cancel"}},
		{`{"cap":{"max":101,"per":"1d"}}`, []string{"trigger.cap.max"}},
		{`{"cap":{"max":1}}`, []string{"trigger.cap.per"}},
		{`{"cap":{"per":"1d"}}`, []string{"trigger.cap.max"}},
		{`{"cap":3}`, []string{"trigger.cap"}},
		{`{"every":0,"delay":"x","key":"x"}`, []string{"trigger.every", "trigger.delay", "trigger.key"}},
	} {
		_, err := trigger.Parse(json.RawMessage(tt.trigger))
		if got := fields(err); !slices.Equal(got, tt.faults) {
			t.Errorf("faults of %s = %q (%v), want %q", tt.trigger, got, err, tt.faults)
		}
	}
}

func fields(err error) (fields []string) {
	var faults pattern.Errors
	errors.As(err, &faults)
	for _, fault := range faults {
		fields = append(fields, fault.Field)
	}
	return fields
}

func TestMaxAgeIsADurationOfAtMostAYear(t *testing.T) {
	for text, want := range map[string][]string{
		"1d": nil, "365d": nil, "500ms": nil, "366d": {"max_age"}, "0s": {"max_age"}, "": {"max_age"}, "1": {"max_age"},
	} {
		if _, err := trigger.ParseMaxAge(text); !slices.Equal(fields(err), want) {
			t.Errorf("faults of %q = %v, want %q", text, err, want)
		}
	}
}

func TestOnlyWhatGivesCountsTheirMeaningBeginsAfresh(t *testing.T) {
	old := webhook.Subscription{
		ID: "s", Version: 41, Born: 30, URL: "https://a.example",
		Trigger: json.RawMessage(`{"key":"subject","every":5,"distinct":"data.b","within":"1d","once":true}`),
	}
	for _, tt := range []struct {
		trigger string
		epoch   int64
	}{
		{`{"every":5,"distinct":"data.b","within":"24h","once_per":"1d"}`, 30},
		{`{"key":["subject"],"every":5,"distinct":"data.b","within":"1d","delay":"1h","cancel":[{"types":["x"]}]}`, 30},
		{`{"key":"id","every":5,"distinct":"data.b","within":"1d","once":true}`, 42},
		{`{"key":["subject","id"],"every":5,"distinct":"data.b","within":"1d","once":true}`, 42},
		{`{"every":6,"distinct":"data.b","within":"1d","once":true}`, 42},
		{`{"at":5,"distinct":"data.b","within":"1d","once":true}`, 42},
		{`{"every":5,"distinct":"data.c","within":"1d","once":true}`, 42},
		{`{"every":5,"distinct":"data.b","within":"2d","once":true}`, 42},
		{`{"every":5,"distinct":"data.b","once":true}`, 42},
		{``, 42},
	} {
		next := old
		next.URL, next.Trigger = "https://b.example", json.RawMessage(tt.trigger)
		next.TriggerEpoch = trigger.Epoch(old, next)
		if got := next.Epoch(); got != tt.epoch {
			t.Errorf("epoch with trigger %s = %d, want %d", tt.trigger, got, tt.epoch)
		}
	}
	if got := trigger.Epoch(webhook.Subscription{}, old); got != 0 {
		t.Errorf("TriggerEpoch of a new subscription = %d, want 0: that of its birth", got)
	}
	plain := webhook.Subscription{ID: "s", Version: 50, Born: 30, TriggerEpoch: 42}
	if got := trigger.Epoch(plain, plain); got != 42 {
		t.Errorf("TriggerEpoch after a change of something else = %d, want 42", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"key":["subject","data.mode"],"every":5,"distinct":"data.id","within":"30d"}`)
	f.Add(`{"delay":"1h","on_repeat":"keep","cancel":[{"types":["a.*"]},{"filter":{"data":{"a":["b"]}},"key":"id"}]}`)
	f.Add(`{"at":1,"once_per":"1h","cap":{"max":100,"per":"365d","key":"data.org"}}`)
	f.Fuzz(func(t *testing.T, raw string) {
		sub := webhook.Subscription{Trigger: json.RawMessage(raw)}
		spec, err := trigger.Parse(sub.Trigger)
		if (spec == nil) == (err == nil) {
			t.Fatalf("Parse(%q) = %v, %v", raw, spec, err)
		}
		if err == nil && len(sub.Head().Cancels) > webhook.MaxCancels {
			t.Errorf("%d cancel clauses", len(sub.Head().Cancels))
		}
	})
}
