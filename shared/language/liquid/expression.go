package liquid

import (
	"strings"
)

// expression is what has a value: a literal, a variable with its path, a range.
type expression interface {
	eval(r *run) (Value, error)
}

type literal struct{ value Value }

func (l *literal) eval(*run) (Value, error) { return l.value, nil }

// lookup is a variable and the path that leads on from it: data.legs[0].to
type lookup struct {
	slot int        // of the variable, if name is nil
	name expression // of the variable in [brackets]
	path []segment
}

// segment is one step of a path.
type segment struct {
	key     string     // behind a point, or a literal in brackets
	command bool       // size, first or last behind a point: they also work on what has no such member
	index   expression // in brackets; nil for a key
}

func (l *lookup) eval(r *run) (Value, error) {
	v, err := l.root(r)
	for i := range l.path {
		s := &l.path[i]
		if s.index != nil {
			var key Value
			if key, err = s.index.eval(r); err != nil {
				return Null, err
			}
			if err = r.budget.copying(len(key.str)); err != nil {
				return Null, err
			}
			v = at(v, key)
			continue
		}
		if s.command && v.kind == kindString {
			if err = r.budget.reading(len(v.str)); err != nil {
				return Null, err
			}
		}
		v = s.follow(v)
	}
	return v, err
}

func (l *lookup) root(r *run) (Value, error) {
	if l.name == nil {
		return r.load(l.slot), nil
	}
	name, err := l.name.eval(r)
	if err != nil || name.kind != kindString {
		return Null, err
	}
	return r.loadName(name.str), r.budget.copying(len(name.str))
}

// follow takes the step of a name.
func (s *segment) follow(v Value) Value {
	switch v.kind {
	case kindObject:
		if member, ok := v.object().get(s.key); ok {
			return member
		}
	case kindForLoop:
		return v.ref.(*forLoop).field(s.key)
	case kindTableLoop:
		return v.ref.(*tableLoop).field(s.key)
	}
	if !s.command {
		return Null
	}
	switch s.key {
	case "size":
		if !isNumber(v) && v.kind != kindNull && v.kind != kindBool {
			return Int(int64(size(v)))
		}
	case "first":
		return first(v)
	case "last":
		return last(v)
	}
	return Null
}

// at is v[key]: the member of an object, or the item of an array, negative from its end.
func at(v, key Value) Value {
	switch {
	case v.kind == kindArray && key.kind == kindInt:
		items := v.items()
		i := key.num
		if i < 0 {
			i += int64(len(items))
		}
		if i >= 0 && i < int64(len(items)) {
			return items[i]
		}
	case key.kind == kindString && v.kind == kindObject:
		member, _ := v.object().get(key.str)
		return member
	case key.kind == kindString && (v.kind == kindForLoop || v.kind == kindTableLoop):
		return (&segment{key: key.str}).follow(v)
	}
	return Null
}

// between is a range whose ends are not both literal.
type between struct{ first, last expression }

func (b *between) eval(r *run) (Value, error) {
	first, err := b.first.eval(r)
	if err != nil {
		return Null, err
	}
	last, err := b.last.eval(r)
	if err != nil {
		return Null, err
	}
	return makeRange(first, last)
}

func makeRange(first, last Value) (Value, error) {
	from, err := rangeEnd(first)
	if err != nil {
		return Null, err
	}
	to, err := rangeEnd(last)
	return rangeOf(from, to), err
}

// rangeEnd reads one end of a range: null and text that is no number are 0, other things a fault.
func rangeEnd(v Value) (int64, error) {
	switch v.kind {
	case kindNull, kindString, kindInt, kindEmpty, kindBlank:
		n, err := looseInteger(v)
		if err == nil && n.kind == kindInt {
			return n.num, nil
		}
		return 0, fault("the end of a range is too large")
	}
	return 0, fault("want integers as the ends of a range")
}

// literalWords are the names that stand for themselves.
var literalWords = map[string]Value{
	"nil": Null, "null": Null, "true": Bool(true), "false": Bool(false),
	"blank": String(""), "empty": String(""),
}

// markers are what empty and blank mean in a condition.
var markers = map[string]Value{"blank": {kind: kindBlank}, "empty": {kind: kindEmpty}}

// wordsOf joins the tokens of an expression without the space between them, as loops name themselves.
func wordsOf(tokens []token, source string) string {
	var b strings.Builder
	for _, t := range tokens {
		if t.kind == tokenString {
			b.WriteString(source[t.off : t.off+len(t.text)+2])
			continue
		}
		b.WriteString(t.text)
	}
	return b.String()
}
