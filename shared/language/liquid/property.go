package liquid

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// property is item[key] as Ruby has it: a member of an object, a part of a text if it occurs in it,
// a bit of an integer. It has none if item is of another kind; a key that cannot be one is a fault.
func (r *run) property(item, key Value) (v Value, has bool, err error) {
	if err := r.budget.reading(len(key.str) + textLen(item)); err != nil {
		return Null, false, err
	}
	switch {
	case item.kind == kindObject, item.kind == kindForLoop, item.kind == kindTableLoop:
		return at(item, key), true, nil
	case item.kind == kindString && key.kind == kindString:
		if strings.Contains(item.str, key.str) {
			return key, true, nil
		}
		return Null, true, nil
	case item.kind == kindString && key.kind == kindInt:
		from, to := part(clampInt(key.num), 1, utf8.RuneCountInString(item.str))
		if from == to {
			return Null, true, nil
		}
		rest := item.str[characterAt(item.str, from):]
		return String(rest[:characterAt(rest, 1)]), true, nil
	case item.kind == kindInt && key.kind == kindInt:
		if key.num < 0 {
			return Int(0), true, nil
		}
		return Int(item.num >> min(key.num, 63) & 1), true, nil
	case item.kind == kindString, item.kind == kindInt, item.kind == kindBig:
		name := key.Text()
		return Null, false, &quoting{
			message: fmt.Sprintf("cannot select the property %q of a %s", name[:min(len(name), 100)], item.typeName()),
			public:  "cannot select a property of a " + item.typeName(),
		}
	}
	return Null, false, nil
}

// first is the first item, character, number or [name, value] pair.
func first(v Value) Value {
	switch v.kind {
	case kindRange:
		return Int(v.num)
	case kindArray, kindObject:
		if s := sequenceOf(v); s.length > 0 {
			return s.at(0)
		}
	case kindString:
		return String(v.str[:characterAt(v.str, 1)])
	}
	return Null
}

func last(v Value) Value {
	switch v.kind {
	case kindArray:
		if items := v.items(); len(items) > 0 {
			return items[len(items)-1]
		}
	case kindRange:
		_, last := v.span()
		return Int(last)
	case kindString:
		_, n := utf8.DecodeLastRuneInString(v.str)
		return String(v.str[len(v.str)-n:])
	}
	return Null
}

// textLen is the length of a text in bytes, 0 for any other value.
func textLen(v Value) int {
	if v.kind == kindString {
		return len(v.str)
	}
	return 0
}

// size counts characters, items, members or numbers.
func size(v Value) int {
	if v.kind == kindString {
		return utf8.RuneCountInString(v.str)
	}
	return sequenceOf(v).length
}
