package trigger

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/quiet"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// Bounds of a trigger. Durations are at most MaxDuration.
const (
	MaxDuration = 365 * day
	MaxKeys     = 8             // paths in one key
	MaxCount    = 1_000_000_000 // of every and at
	MaxWithin   = 1000          // of every and at beside within
	MaxCap      = 100
)

// Spec is a subscription's trigger and max_age, compiled. It is never changed
// and safe for concurrent use.
type Spec struct {
	key      []pattern.Path
	every    int64 // 0: none
	at       int64 // 0: none
	distinct *pattern.Path
	within   time.Duration
	once     bool
	oncePer  time.Duration
	delay    time.Duration // 0: none, unless there is until
	until    *pattern.Path // of the time in the event at which the delay ends; nil: it is as long as delay
	before   time.Duration // how much before that
	keep     bool          // on_repeat
	stand    bool          // on_change: a delay ends as what it began as
	cancel   []clause
	cap      *limit
	maxAge   time.Duration
	quiet    *quiet.Hours // the subscription's own
	common   *Common      // of its campaign; nil for none
	begins   string       // what the epoch depends on, as text
	forever  time.Duration
}

// clause is one entry of cancel.
type clause struct {
	key []pattern.Path
}

// limit is the cap.
type limit struct {
	max int
	per time.Duration
	key []pattern.Path
}

// Compile compiles a stored subscription's trigger and max_age; nil if it has
// neither. They were judged when they were saved, so an error is a fault of
// ours.
func Compile(s webhook.Subscription) (*Spec, error) {
	if len(s.Trigger) == 0 && s.MaxAge == "" && len(s.Quiet) == 0 {
		return nil, nil
	}
	spec, err := Parse(s.Trigger)
	if err != nil {
		return nil, fmt.Errorf("subscription %s of %s: %w", s.ID, s.Tenant, err)
	}
	if s.MaxAge != "" {
		if spec.maxAge, err = ParseMaxAge(s.MaxAge); err != nil {
			return nil, fmt.Errorf("subscription %s of %s: %w", s.ID, s.Tenant, err)
		}
	}
	if len(s.Quiet) > 0 {
		if spec.quiet, err = quiet.Read(strictjson.Value(s.Quiet), "quiet"); err != nil {
			return nil, fmt.Errorf("subscription %s of %s: %w", s.ID, s.Tenant, err)
		}
	}
	return spec, nil
}

// Keep has what is meant to hold for ever kept for so long after it was last
// touched. It must be called before the spec is used.
func (s *Spec) Keep(d time.Duration) { s.forever = d }

// ParseMaxAge reads a subscription's max_age. Its error is [pattern.Errors].
func ParseMaxAge(text string) (time.Duration, error) {
	r := reader{}
	d := r.checkDuration("max_age", text)
	return d, r.err()
}

// Parse reads the JSON of a trigger; nothing, or an empty object, is one that
// always fires. Its error is [pattern.Errors], whose fields begin with
// "trigger".
func Parse(raw json.RawMessage) (*Spec, error) {
	r := reader{}
	s := &Spec{forever: forever}
	if len(raw) > 0 {
		v, err := strictjson.Parse(raw)
		if err != nil {
			r.fault("trigger", "%s", err)
			return nil, r.err()
		}
		r.trigger(s, v)
	}
	if s.key == nil && len(r.errs) == 0 {
		s.key = r.paths("trigger.key", []string{"subject"})
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return s, nil
}

// counts reports whether the trigger counts occurrences.
func (s *Spec) counts() bool { return s.every > 0 || s.at > 0 }

// delays reports whether what fires is sent later.
func (s *Spec) delays() bool { return s.delay > 0 || s.until != nil }

// marks reports whether what is decided for an event must be noted: what a
// claim that lasts for ever says need not be.
func (s *Spec) marks() bool {
	return s.counts() || s.delays() || s.oncePer > 0 || s.cap != nil || s.quiet != nil || s.common != nil
}

// groups reports whether the trigger itself keeps something of a key. Otherwise
// what is noted of an event is kept by itself.
func (s *Spec) groups() bool {
	return s.counts() || s.delays() || s.oncePer > 0 || s.cap != nil || s.once
}

// keyed reports whether there is anything to keep by key.
func (s *Spec) keyed() bool { return s.marks() || s.once }

// Stale reports whether an event of that time is too old to be of use.
func (s *Spec) Stale(at, now time.Time) bool { return s.maxAge > 0 && now.Sub(at) > s.maxAge }

// Stands reports whether a delay that runs stays what it began as when the
// subscription changes, rather than what that is when the delay is over.
func (s *Spec) Stands() bool { return s.stand }

// Epoch returns the TriggerEpoch to save next with, given the stored version
// that it replaces (the zero Subscription if it is new). A change of key,
// distinct, every, at or within begins afresh; others keep counts and timers.
func Epoch(old, next webhook.Subscription) int64 {
	if old.Version == 0 {
		return 0
	}
	a, err1 := begins(old)
	b, err2 := begins(next)
	if err1 == nil && err2 == nil && a == b {
		return old.Epoch()
	}
	return old.Version + 1
}

func begins(s webhook.Subscription) (string, error) {
	if len(s.Trigger) == 0 {
		return "", nil
	}
	spec, err := Parse(s.Trigger)
	if err != nil {
		return "", err
	}
	return spec.begins, nil
}

// ParseDuration reads a duration of at most [MaxDuration].
func ParseDuration(text string) (time.Duration, error) {
	d, err := retry.ParseDuration(text)
	if err == nil && d > MaxDuration {
		err = fmt.Errorf("want at most %s", retry.FormatDuration(MaxDuration))
	}
	return d, err
}
