package trigger

import (
	"fmt"
	"slices"

	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/webhook"
)

// InWords tells why nothing came of an event that the trigger has counted or has
// refused, as far as only the trigger knows: "third of five". It is "" if the reason
// says it all.
func (s *Spec) InWords(d Decision) string {
	if d.Reason != webhook.ReasonNotDue {
		return ""
	}
	n := int64(d.Count)
	switch {
	case !s.counts():
		return "a later event began the delay again"
	case s.within > 0:
		return fmt.Sprintf("%s event of the key; %s must lie within %s of each other", ordinal(n), cardinal(max(s.every, s.at)), retry.FormatDuration(s.within))
	case s.every > 0 && n > 0 && n%s.every != 0:
		return fmt.Sprintf("%s of %s, %s in all", ordinal(n%s.every), cardinal(s.every), cardinal(n))
	case s.at > 0 && n > 0 && n < s.at:
		return fmt.Sprintf("%s of %s", ordinal(n), cardinal(s.at))
	case s.at > 0 && n > s.at:
		return fmt.Sprintf("%s event of the key; the trigger fires on the %s only", ordinal(n), ordinal(s.at))
	}
	return "a later event began the delay again"
}

// Place tells where an event that fires stands: "fifth of five, ten in all".
func (s *Spec) Place(count int) string {
	n := int64(count)
	switch {
	case s.within > 0 || s.every == 0 && s.at == 0:
		return ordinal(n) + " event of the key"
	case s.every > 0 && n > s.every:
		return fmt.Sprintf("%s of %s, %s in all", ordinal(s.every), cardinal(s.every), cardinal(n))
	}
	return fmt.Sprintf("%s of %s", ordinal(n), cardinal(max(s.every, s.at)))
}

// SubjectKeys names the states that are an event's subject's own: those of keys that
// the subject is part of, as the event tells them. They have no Part.
func (s *Spec) SubjectKeys(sub webhook.Subscription, d *pattern.Event) (refs []webhook.StateRef) {
	paths := [][]pattern.Path{s.key}
	if s.cap != nil && s.cap.key != nil {
		paths = append(paths, s.cap.key)
	}
	for _, key := range paths {
		if !slices.ContainsFunc(key, pattern.Path.IsSubject) {
			continue
		}
		if hash, ok := keyHash(d, key); ok {
			if ref := stateRef(sub, hash); !slices.Contains(refs, ref) {
				refs = append(refs, ref)
			}
		}
	}
	return refs
}

// SubjectKeys are those of what several subscriptions share; see [Spec.SubjectKeys].
func (c *Common) SubjectKeys(e webhook.Event, d *pattern.Event) []webhook.StateRef {
	refs := []webhook.StateRef{c.GoalRef(e.Tenant, e.Subject)}
	for _, l := range c.Caps {
		if hash, ok := keyHash(d, l.key); ok && slices.ContainsFunc(l.key, pattern.Path.IsSubject) {
			refs = append(refs, l.ref(e.Tenant, hash))
		}
	}
	for i := range refs {
		refs[i].Part = ""
	}
	return refs
}

var cardinals = []string{"none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"}

var ordinals = []string{"none", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth"}

func cardinal(n int64) string {
	if n >= 0 && n < int64(len(cardinals)) {
		return cardinals[n]
	}
	return fmt.Sprint(n)
}

func ordinal(n int64) string {
	if n >= 0 && n < int64(len(ordinals)) {
		return ordinals[n]
	}
	ending := "th"
	if tens := n % 100; tens < 11 || tens > 13 {
		switch n % 10 {
		case 1:
			ending = "st"
		case 2:
			ending = "nd"
		case 3:
			ending = "rd"
		}
	}
	return fmt.Sprint(n, ending)
}
