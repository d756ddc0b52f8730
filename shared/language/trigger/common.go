package trigger

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"github.com/postino/postino/shared/language/quiet"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// Common are the rules that a subscription has beside its trigger because of its
// campaign. They are asked and claimed together with the trigger's own.
type Common struct {
	Campaign string
	Life     string // of the campaign: see [webhook.Campaign]
	Caps     []*Shared
	Holdout  int           // of [Everybody] people
	Quiet    *quiet.Hours  // nil for none
	Goal     time.Duration // how long after what was sent a success counts; 0: nothing does
}

// Everybody is the whole of which [Common] holds some out: a hundredth of a percent
// is one.
const Everybody = 10_000

// MaxShared is the most that a cap of several subscriptions allows.
const MaxShared = 1000

// Asks reports whether there is anything to ask.
func (c *Common) Asks() bool {
	return c != nil && (len(c.Caps) > 0 || c.Holdout > 0 || c.Quiet != nil || c.Goal > 0)
}

// Shared is a cap that counts what several subscriptions send.
type Shared struct {
	Name string // as it is told: "campaign spring" or "cap promo"
	Life string
	limit
}

// ReadShared reads {"max","per",["key"]} of a cap of that name. Its error is
// [pattern.Errors], whose fields begin with the given one.
func ReadShared(v strictjson.Value, field, name string) (*Shared, error) {
	r := reader{}
	l := r.limitOf(field, v, MaxShared)
	if l.key == nil && len(r.errs) == 0 {
		l.key = r.paths(field, []string{"subject"})
	}
	for _, e := range r.errs {
		e.Field = trimDot(e.Field)
	}
	return &Shared{Name: name, limit: *l}, r.err()
}

func trimDot(field string) string {
	if len(field) > 0 && field[0] == '.' {
		return field[1:]
	}
	return field
}

// With returns the trigger with the rules of a campaign beside its own, of which
// quiet hours go before the campaign's. What is decided for an event is noted then,
// whatever the rules are. The trigger may be nil: it always fires.
func (s *Spec) With(c *Common) *Spec {
	if s == nil {
		s = Bare()
	}
	all := *s
	all.common = c
	if all.quiet == nil {
		all.quiet = c.Quiet
	}
	return &all
}

// Bare is a trigger that always fires.
func Bare() *Spec {
	s, _ := Parse(nil) // nothing is wrong with nothing
	return s
}

// ReadsProfile reports whether what the trigger says depends on the profile of the
// event's subject.
func (s *Spec) ReadsProfile() bool { return s != nil && s.quiet.ReadsProfile() }

// The parts of what several subscriptions share. They belong to none of them.
const (
	partShared = "SHARED"
	partGoal   = "GOAL"
)

// tally is a part SHARED: when claims were made, in milliseconds since the first.
// Which events made them their marks tell.
type tally struct {
	Since int64   `json:"s"` // Unix milliseconds
	After []int64 `json:"a"` // ascending
}

// within returns the claims of a window that ends now.
func (t tally) within(per time.Duration, now time.Time) (claims []int64) {
	begin := now.Add(-per).UnixMilli()
	for _, after := range t.After {
		if at := t.Since + after; at > begin {
			claims = append(claims, at)
		}
	}
	return claims
}

func tallyOf(claims []int64) (t tally) {
	slices.Sort(claims)
	for _, at := range claims {
		if len(t.After) == 0 {
			t.Since = at
		}
		t.After = append(t.After, at-t.Since)
	}
	return t
}

// ref names the claims of a key.
func (l *Shared) ref(tenant, key string) webhook.StateRef {
	return webhook.StateRef{Tenant: tenant, Key: webhook.Hash(hashSize, "cap", l.Name, l.Life, key), Part: partShared}
}

// claimShared claims every shared cap, or none: then it names the first that has no
// room.
func (o *Occurrence) claimShared(st *state, now time.Time) (full *Shared) {
	if o.spec.common == nil {
		return nil
	}
	for i, l := range o.spec.common.Caps {
		if len(st.shared[o.shared[i].Key].value.within(l.per, now)) >= l.max {
			return l
		}
	}
	for i, l := range o.spec.common.Caps {
		p := st.shared[o.shared[i].Key]
		claims := append(p.value.within(l.per, now), now.UnixMilli())
		p.set(tallyOf(claims), now.Add(l.per+kept))
	}
	return nil
}

// freeShared is when a shared cap has room again.
func (o *Occurrence) freeShared(st *state, full string) time.Time {
	if o.spec.common == nil {
		return time.Time{}
	}
	for i, l := range o.spec.common.Caps {
		after := st.shared[o.shared[i].Key].value
		if n := len(after.After); l.Name == full && n >= l.max {
			return time.UnixMilli(after.Since + after.After[n-l.max]).UTC().Add(l.per)
		}
	}
	return time.Time{}
}

// HeldOut reports whether a campaign holds a subject out: it depends on nothing but
// the two. An event without a subject is not held out.
func (c *Common) HeldOut(subject string) bool {
	if c == nil || c.Holdout == 0 || subject == "" {
		return false
	}
	sum := sha256.Sum256([]byte(c.Campaign + "\x00" + subject))
	return int(binary.BigEndian.Uint64(sum[:])%Everybody) < c.Holdout
}

// quietUntil is when what falls into quiet hours now may be sent; zero if it falls
// into none.
func (o *Occurrence) quietUntil(now time.Time) time.Time {
	h := o.spec.quiet
	if h == nil {
		return time.Time{}
	}
	zone := h.ZoneOf(o.decoded, o.event.Profile)
	if !h.At(now, zone) {
		return time.Time{}
	}
	return h.End(now, zone)
}
