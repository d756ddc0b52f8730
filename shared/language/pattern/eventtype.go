package pattern

import (
	"fmt"
	"strconv"
	"strings"
)

// Limits of a subscription's list of types.
const (
	MaxTypes      = 100 // types in one list
	MaxTypeLength = 512 // bytes of one type: 128 characters
)

// operational begins the types of our own events, which nobody gets who does not ask for them.
const operational = "postino."

// CheckTypes judges a list of types, each an event type or one with a trailing *, such as "order.*". No list at all
// (nil) is fine, an empty one is not. Faults are [Errors], whose fields begin with the given one, such as "types".
func CheckTypes(types []string, where string) error {
	var errs Errors
	fault := func(field, format string, args ...any) {
		if len(errs) < maxErrors {
			errs = append(errs, &Error{field, fmt.Sprintf(format, args...)})
		}
	}
	if types != nil && len(types) == 0 || len(types) > MaxTypes {
		fault(where, "want 1 to %d types, or none for all", MaxTypes)
	}
	for i, t := range types[:min(len(types), MaxTypes)] {
		field := where + "[" + strconv.Itoa(i) + "]"
		switch {
		case t == "" || len(t) > MaxTypeLength:
			fault(field, "want 1 to %d bytes", MaxTypeLength)
		case strings.Contains(t[:len(t)-1], "*"):
			fault(field, "want * at the end only")
		}
	}
	if errs == nil {
		return nil
	}
	return errs
}

// TypesMatch says whether one of types names the event type, exactly or with a trailing *. No types name every
// type. Types that begin "postino." are named only by those that begin so too.
func TypesMatch(types []string, eventType string) bool {
	ours := strings.HasPrefix(eventType, operational)
	if len(types) == 0 {
		return !ours
	}
	for _, t := range types {
		if ours && !strings.HasPrefix(t, operational) {
			continue
		}
		if head, open := strings.CutSuffix(t, "*"); t == eventType || open && strings.HasPrefix(eventType, head) {
			return true
		}
	}
	return false
}

// typeCondition is the condition on the field type that stands for a list of types in the index.
func typeCondition(types []string) *condition {
	c := &condition{tests: make([]test, 0, len(types))}
	for _, t := range types {
		if head, open := strings.CutSuffix(t, "*"); open {
			c.tests = append(c.tests, test{op: opPrefix, text: head})
		} else {
			c.tests = append(c.tests, test{op: opText, text: t})
		}
	}
	return c
}
