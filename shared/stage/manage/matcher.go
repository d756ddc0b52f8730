package manage

import (
	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/webhook"
)

// matching is what fan-out finds of an event at one subscription.
type matching struct {
	reason  webhook.Reason // why it does not get the event; "" if it does
	cancels uint16         // bit i: the event meets the i-th cancel clause
}

// matcher is what a subscription, and each cancel clause of its trigger, asks of
// events.
type matcher struct {
	own     selector
	cancels []selector
}

// selector is types and a filter.
type selector struct {
	types  []string
	filter *pattern.Pattern // nil: none
}

func matcherOf(s webhook.Subscription) (m matcher, err error) {
	head := s.Head()
	if m.own, err = selectorOf(head.Types, head.Filter); err != nil {
		return m, err
	}
	m.cancels = make([]selector, len(head.Cancels))
	for i, c := range head.Cancels {
		if m.cancels[i], err = selectorOf(c.Types, c.Filter); err != nil {
			return m, err
		}
	}
	return m, nil
}

func selectorOf(types []string, filter []byte) (s selector, err error) {
	s.types = types
	if filter != nil {
		s.filter, err = pattern.CompileOver(pattern.WithProfile, filter, "filter")
	}
	return s, err
}

// asksFor reports whether events of a type may mean anything to it.
func (m matcher) asksFor(eventType string) bool {
	asks := pattern.TypesMatch(m.own.types, eventType)
	for _, c := range m.cancels {
		asks = asks || pattern.TypesMatch(c.types, eventType)
	}
	return asks
}

// match asks types and filter, and those of each cancel clause.
func (m matcher) match(e *pattern.Event) (found matching) {
	found.reason = m.own.misses(e)
	for i, c := range m.cancels {
		switch why := c.misses(e); why {
		case webhook.ReasonFilterCost:
			found.reason = why // what cannot be told of a clause cannot be told of all
		case "":
			found.cancels |= 1 << i
		}
	}
	return found
}

// misses tells which of types and filter the event does not meet; "" if it
// meets both.
func (s selector) misses(e *pattern.Event) webhook.Reason {
	switch {
	case !pattern.TypesMatch(s.types, e.Type()):
		return webhook.ReasonType
	case s.filter == nil:
		return ""
	}
	return missesFilter(s.filter, e)
}

// missesFilter tells why the event does not meet a filter; "" if it does.
func missesFilter(p *pattern.Pattern, e *pattern.Event) webhook.Reason {
	if event, asks := p.OfEvent(); asks && p.Judge(e) == pattern.No && (event == nil || event.Judge(e) == pattern.Yes) {
		return webhook.ReasonProfile
	}
	return map[pattern.Verdict]webhook.Reason{pattern.No: webhook.ReasonFilter, pattern.Costly: webhook.ReasonFilterCost}[p.Judge(e)]
}
