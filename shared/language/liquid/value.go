package liquid

import (
	"iter"
	"math"
)

// Value is a JSON value that templates can see. The zero Value is null. Values never change, so
// renders may share them; one that came from [Decode] keeps the text it was written in.
type Value struct {
	kind kind
	num  int64  // a bool, an integer, the bits of a float, the first number of a range; 1 for a spaced array or object
	str  string // the text of a string; the JSON source of a number, array or object, "" if it was made here
	ref  any    // *array, *object, *span, *forLoop, *tableLoop; written for a string with escapes
}

type kind uint8

const (
	kindNull kind = iota
	kindBool
	kindInt   // fits an int64
	kindBig   // an integer beyond; str has its digits
	kindFloat // every other number
	kindString
	kindArray
	kindObject
	kindRange
	kindForLoop
	kindTableLoop
	kindEmpty // the word empty in a condition
	kindBlank // the word blank in a condition
)

// written is the JSON source, quotes included, of a string that has escapes in it.
type written string

type array struct{ items []Value }

// object keeps its members in the order of the document.
type object struct {
	keys   []string
	values []Value
	index  map[string]int // nil for small objects: searching those is faster
}

// span is the end of a range; its first number is in the Value.
type span struct{ last int64 }

// Null is JSON's null, which is also what an unknown variable has.
var Null = Value{}

// String returns a string value.
func String(s string) Value { return Value{kind: kindString, str: s} }

// Int returns an integer value.
func Int(n int64) Value { return Value{kind: kindInt, num: n} }

// Bool returns true or false.
func Bool(b bool) Value {
	if b {
		return Value{kind: kindBool, num: 1}
	}
	return Value{kind: kindBool}
}

// Member is one name and value of an object.
type Member struct {
	Name  string
	Value Value
}

// Object returns an object of members in the given order. Of two members with one name the first counts.
func Object(members ...Member) Value {
	o := &object{keys: make([]string, 0, len(members)), values: make([]Value, 0, len(members))}
	for _, m := range members {
		if _, twice := o.get(m.Name); !twice {
			o.keys, o.values = append(o.keys, m.Name), append(o.values, m.Value)
		}
	}
	o.hash()
	return Value{kind: kindObject, ref: o}
}

// Array returns an array of items.
func Array(items ...Value) Value { return Value{kind: kindArray, ref: &array{items}} }

func float(f float64) Value { return Value{kind: kindFloat, num: int64(math.Float64bits(f))} }

func (v Value) float() float64 { return math.Float64frombits(uint64(v.num)) }

// hashFrom is the number of members from which a map beats a search.
const hashFrom = 12

func (o *object) hash() {
	if len(o.keys) < hashFrom {
		return
	}
	o.index = make(map[string]int, len(o.keys))
	for i, key := range o.keys {
		o.index[key] = i
	}
}

func (o *object) get(key string) (Value, bool) {
	if o.index != nil {
		i, ok := o.index[key]
		if !ok {
			return Null, false
		}
		return o.values[i], true
	}
	for i := range o.keys {
		if o.keys[i] == key {
			return o.values[i], true
		}
	}
	return Null, false
}

func (v Value) items() []Value {
	if a, ok := v.ref.(*array); ok {
		return a.items
	}
	return nil
}

func (v Value) object() *object {
	o, _ := v.ref.(*object)
	return o
}

// span returns the first and last number of a range.
func (v Value) span() (first, last int64) { return v.num, v.ref.(*span).last }

func rangeOf(first, last int64) Value {
	return Value{kind: kindRange, num: first, ref: &span{last}}
}

// spanLen is the number of integers in a range, 0 for one that runs backwards.
func (v Value) spanLen() int64 {
	first, last := v.span()
	if last < first {
		return 0
	}
	if n := last - first + 1; n > 0 {
		return n
	}
	return math.MaxInt64
}

// IsNull reports whether v is null.
func (v Value) IsNull() bool { return v.kind == kindNull }

// IsString reports whether v is a string.
func (v Value) IsString() bool { return v.kind == kindString }

// IsObject reports whether v is an object.
func (v Value) IsObject() bool { return v.kind == kindObject }

// IsArray reports whether v is an array.
func (v Value) IsArray() bool { return v.kind == kindArray }

// Empty reports whether there is nothing in v: null, "", [] or {}. Numbers and false are something.
func (v Value) Empty() bool { return v.kind == kindNull || isEmpty(v) }

// Get returns the member of an object, or false if v is not an object or has no such member.
func (v Value) Get(name string) (Value, bool) {
	if o := v.object(); o != nil {
		return o.get(name)
	}
	return Null, false
}

// Members yields the members of an object in their order, nothing for any other value.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		o := v.object()
		for i := 0; o != nil && i < len(o.keys); i++ {
			if !yield(o.keys[i], o.values[i]) {
				return
			}
		}
	}
}

// Items yields the items of an array, nothing for any other value.
func (v Value) Items() iter.Seq2[int, Value] {
	return func(yield func(int, Value) bool) {
		for i, item := range v.items() {
			if !yield(i, item) {
				return
			}
		}
	}
}
