package trigger

import (
	"slices"
	"time"

	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/rfc3339"
	"github.com/postino/postino/shared/webhook"
)

// Occurrence is one event that matches a subscription with a trigger.
type Occurrence struct {
	spec     *Spec
	ref      webhook.StateRef // without a part
	capKey   string
	mark     string // the part that is its mark
	event    webhook.Event
	eventKey string
	version  int64
	delivery string
	started  bool // its delay has begun; see Spec.Started
	decoded  *pattern.Event
	shared   []webhook.StateRef // of the caps of its campaign, in their order
}

// Occurrence returns what the trigger s of sub makes of an event, given with
// its decoded form, or the reason why it is none: [webhook.ReasonNoKey].
func (s *Spec) Occurrence(sub webhook.Subscription, e webhook.Event, d *pattern.Event) (*Occurrence, webhook.Reason) {
	o := s.bare(sub, e, d)
	if !s.keyed() {
		return o, ""
	}
	return o.keyed(sub, !s.groups())
}

// Started is the occurrence of an event whose delay has begun, perhaps under
// another version of the trigger: it has a key, a timer and a mark, whatever
// this one says. Key names the state in which it is.
func (s *Spec) Started(sub webhook.Subscription, e webhook.Event, d *pattern.Event, key string) (*Occurrence, webhook.Reason) {
	o := s.bare(sub, e, d)
	o.started = true
	return o.keyed(sub, key == aloneKey(o.eventKey))
}

// aloneKey names the state of an event whose trigger keeps nothing of its key.
func aloneKey(event string) string { return webhook.Hash(hashSize, "alone", event) }

// bare is an occurrence that has no key.
func (s *Spec) bare(sub webhook.Subscription, e webhook.Event, d *pattern.Event) *Occurrence {
	return &Occurrence{
		spec: s, event: e, eventKey: e.Key(), version: sub.Version, decoded: d,
		delivery: webhook.DeliveryID(e.Tenant, e.Key(), e.AcceptedAt, sub.ID, ""),
	}
}

// keyed names the state that the occurrence is about: its own alone, or that of
// its key.
func (o *Occurrence) keyed(sub webhook.Subscription, alone bool) (*Occurrence, webhook.Reason) {
	s, d := o.spec, o.decoded
	key, ok := aloneKey(o.eventKey), true
	if !alone {
		key, ok = keyHash(d, s.key)
	}
	if !ok {
		return nil, webhook.ReasonNoKey
	}
	if s.common != nil {
		for _, l := range s.common.Caps {
			shared, ok := keyHash(d, l.key)
			if !ok {
				return nil, webhook.ReasonNoKey
			}
			o.shared = append(o.shared, l.ref(sub.Tenant, shared))
		}
	}
	if _, given := o.until(); !given && !o.started {
		return nil, webhook.ReasonNoKey
	}
	o.ref, o.capKey = stateRef(sub, key), key
	if s.cap != nil && s.cap.key != nil {
		if o.capKey, ok = keyHash(d, s.cap.key); !ok {
			return nil, webhook.ReasonNoKey
		}
	}
	o.mark = markOf + webhook.Hash(hashSize, "event", o.eventKey)
	if s.distinct != nil {
		text, ok := scalar(d, *s.distinct)
		if !ok {
			return nil, webhook.ReasonNoKey
		}
		o.mark = markOf + webhook.Hash(hashSize, "distinct", text)
	}
	return o, ""
}

// Refs names the parts that a decision needs, in the order in which it wants
// them; none if the trigger keeps no state.
func (o *Occurrence) Refs() []webhook.StateRef {
	s := o.spec
	refs := slices.Clone(o.shared) // the first has others wait who claim it too
	for _, p := range []struct {
		part   string
		needed bool
	}{
		{o.mark, o.marks()},
		{partCount, s.counts()},
		{partTimer, s.delays() || o.started},
		{partOnce, s.once || s.oncePer > 0},
		{partCap, s.cap != nil},
	} {
		if p.needed {
			refs = append(refs, o.part(p.part))
		}
	}
	if o.hopes() {
		refs = append(refs, s.common.GoalRef(o.ref.Tenant, o.event.Subject))
	}
	return refs
}

func (o *Occurrence) part(name string) webhook.StateRef {
	ref := o.ref
	ref.Part = name
	if name == partCap {
		ref.Key = o.capKey
	}
	return ref
}

// Key names the state of the event's key; it has no Part.
func (o *Occurrence) Key() webhook.StateRef { return o.ref }

// Keys names the keys whose state the event touches, without parts: its own,
// and those of caps which have their own. None if the trigger keeps no state.
func (o *Occurrence) Keys() []webhook.StateRef {
	if !o.spec.keyed() {
		return nil
	}
	keys := []webhook.StateRef{o.ref}
	if capRef := o.part(partCap); capRef.Key != o.ref.Key {
		capRef.Part = ""
		keys = append(keys, capRef)
	}
	for _, ref := range o.shared {
		ref.Part = ""
		keys = append(keys, ref)
	}
	return keys
}

// Timer names the timer that a [Wait] is about.
func (o *Occurrence) Timer() (timer webhook.StateRef, mark string) { return o.part(partTimer), o.mark }

// due is when the event's own delay is over: at its own time, if it is to be over
// before that.
func (o *Occurrence) due() time.Time {
	if o.spec.until == nil {
		return o.event.Time.Add(o.spec.delay)
	}
	at, _ := o.until()
	return later(o.event.Time, at.Add(-o.spec.before))
}

// until reads the time in the event up to which a delay lasts. It is false if there
// is none, or none that can be waited for.
func (o *Occurrence) until() (at time.Time, given bool) {
	if o.spec.until == nil {
		return at, true
	}
	v, found := o.decoded.Lookup(*o.spec.until)
	if !found || v.Kind != pattern.String {
		return at, false
	}
	at, err := rfc3339.Parse(v.Text)
	return at.UTC().Truncate(time.Millisecond), err == nil && at.Sub(o.event.Time) <= MaxDuration
}

// CancelRefs names the timers that the event cancels, each once, given which of
// sub's cancel clauses it meets: bit i for the i-th. Clauses whose key the
// event does not have are passed over.
func (s *Spec) CancelRefs(sub webhook.Subscription, d *pattern.Event, met uint16) []webhook.StateRef {
	keys := s.cancelKeys(d, met)
	refs := make([]webhook.StateRef, len(keys))
	for i, key := range keys {
		refs[i] = stateRef(sub, hashOf(key))
		refs[i].Part = partTimer
	}
	return refs
}

// cancelKeys are the keys whose timers the event cancels, each once.
func (s *Spec) cancelKeys(d *pattern.Event, met uint16) (keys [][]string) {
	for i, c := range s.cancel {
		if met&(1<<i) == 0 {
			continue
		}
		paths := c.key
		if paths == nil {
			paths = s.key
		}
		key, ok := keyTexts(d, paths)
		if ok && !slices.ContainsFunc(keys, func(k []string) bool { return slices.Equal(k, key) }) {
			keys = append(keys, key)
		}
	}
	return keys
}
