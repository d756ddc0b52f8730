package table

import "slices"

// Condition is what must hold of the item that is stored for a write to be
// carried out: all tests of at least one alternative. The zero condition always
// holds.
type Condition []Alternative

// Alternative are tests that must all hold.
type Alternative []Test

// Test compares a field of the stored item. A field that is absent is not equal
// to, less than or greater than anything.
type Test struct {
	Op    Op
	Field string // [ExpiresField] too
	Value any    // string or int64
}

// Op is how a test compares.
type Op int

// The tests.
const (
	OpNoItem  Op = iota // no item is stored
	OpItem              // one is
	OpAbsent            // the field is absent, or no item is stored
	OpEqual             // the field has the value
	OpAtMost            // the field is a number up to the value
	OpGreater           // the field is a number above the value
)

// ExpiresField is how a test names an item's expiry, in seconds since 1970.
const ExpiresField = "expires"

// NoItem holds if nothing is stored under the key.
func NoItem() Condition { return condition(OpNoItem, "", nil) }

// Exists holds if something is stored under the key.
func Exists() Condition { return condition(OpItem, "", nil) }

// Absent holds if no item is stored, or if it lacks the field. A field that was
// added up to 0 may be either.
func Absent(field string) Condition { return condition(OpAbsent, field, nil) }

// Equal holds if the field has the value, a string or an int64.
func Equal(field string, value any) Condition { return condition(OpEqual, field, value) }

// AtMost holds if the field is n or less.
func AtMost(field string, n int64) Condition { return condition(OpAtMost, field, n) }

// Greater holds if the field is more than n.
func Greater(field string, n int64) Condition { return condition(OpGreater, field, n) }

// Revision holds if the stored item is the one before: a field counts the writes
// of an item, and the next write makes it the given number.
func Revision(field string, next int64) Condition {
	if next == 1 {
		return Absent(field)
	}
	return Equal(field, next-1)
}

func condition(op Op, field string, value any) Condition {
	return Condition{{{op, field, value}}}
}

// Or holds if either does.
func (c Condition) Or(other Condition) Condition { return slices.Concat(c, other) }

// And holds if both do.
func (c Condition) And(other Condition) Condition {
	var both Condition
	for _, a := range c {
		for _, b := range other {
			both = append(both, slices.Concat(a, b))
		}
	}
	return both
}

// Holds tells whether the condition holds of what is stored.
func (c Condition) Holds(stored Item, exists bool) bool {
	failing := func(t Test) bool { return !t.holds(stored, exists) }
	return len(c) == 0 || slices.ContainsFunc(c, func(all Alternative) bool { return !slices.ContainsFunc(all, failing) })
}

func (t Test) holds(stored Item, exists bool) bool {
	value, present := stored.field(t.Field)
	n, _ := value.(int64)
	limit, _ := t.Value.(int64)
	switch t.Op {
	case OpNoItem:
		return !exists
	case OpItem:
		return exists
	case OpAbsent:
		return !present
	case OpEqual:
		return present && value == t.Value
	case OpAtMost:
		return present && n <= limit
	case OpGreater:
		return present && n > limit
	}
	return false
}

// field returns a field, or the expiry.
func (it Item) field(name string) (value any, present bool) {
	if name == ExpiresField {
		return it.Expires.Unix(), !it.Expires.IsZero()
	}
	value = it.Fields[name]
	switch value.(type) {
	case string, int64:
		return value, !zero(value)
	}
	return nil, !zero(value)
}
