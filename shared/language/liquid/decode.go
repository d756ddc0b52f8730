package liquid

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxDepth is how deep arrays and objects may stand in one another in a decoded document.
const MaxDepth = 500

// Decode reads one JSON document. It is strict: names may not be repeated in an object and text must be
// valid UTF-8, so that every reader of an event sees the same thing. Numbers, and whatever no template changes,
// keep the text they were written in; objects keep their order. Decode once, render many times.
func Decode(document []byte) (Value, error) {
	d := decoder{src: string(document)}
	if !utf8.ValidString(d.src) {
		return Null, fmt.Errorf("decode JSON: not valid UTF-8")
	}
	d.space()
	v, err := d.value(0)
	if err != nil {
		return Null, err
	}
	if d.space(); d.pos < len(d.src) {
		return Null, d.fault("more text after the value")
	}
	return v, nil
}

type decoder struct {
	src    string
	pos    int
	spaces int      // bytes of space passed so far
	values []Value  // of the arrays and objects that are still open
	keys   []string // of the objects that are still open
	slab   []Value  // where finished arrays and objects take their room from
}

func (d *decoder) fault(message string) error {
	return fmt.Errorf("decode JSON: byte %d: %s", d.pos, message)
}

func (d *decoder) space() {
	start := d.pos
	for d.pos < len(d.src) {
		switch d.src[d.pos] {
		case ' ', '\t', '\n', '\r':
			d.pos++
			continue
		}
		break
	}
	d.spaces += d.pos - start
}

// take moves past c, or reports that something else stands there.
func (d *decoder) take(c byte) bool {
	if d.pos < len(d.src) && d.src[d.pos] == c {
		d.pos++
		return true
	}
	return false
}

func (d *decoder) value(depth int) (Value, error) {
	if depth > MaxDepth {
		return Null, d.fault("nested too deep")
	}
	if d.pos >= len(d.src) {
		return Null, d.fault("want a value")
	}
	switch c := d.src[d.pos]; {
	case c == '{':
		return d.composite(depth, '}', d.member, kindObject)
	case c == '[':
		return d.composite(depth, ']', d.item, kindArray)
	case c == '"':
		return d.text()
	case c == '-' || c >= '0' && c <= '9':
		return d.number()
	}
	return d.word()
}

var words = map[string]Value{"true": Bool(true), "false": Bool(false), "null": Null}

func (d *decoder) word() (Value, error) {
	for word, v := range words {
		if strings.HasPrefix(d.src[d.pos:], word) {
			d.pos += len(word)
			return v, nil
		}
	}
	return Null, d.fault("want a value")
}

// composite reads the array or object that begins here, element by element.
func (d *decoder) composite(depth int, end byte, element func(depth, firstKey int) error, k kind) (Value, error) {
	start, spaces := d.pos, d.spaces
	firstValue, firstKey := len(d.values), len(d.keys)
	d.pos++
	d.space()
	for more := !d.take(end); more; {
		if err := element(depth+1, firstKey); err != nil {
			return Null, err
		}
		d.space()
		switch {
		case d.take(','):
			d.space()
		case d.take(end):
			more = false
		default:
			return Null, d.fault("want , or " + string(end))
		}
	}
	v := Value{kind: k, str: d.src[start:d.pos]}
	if d.spaces > spaces {
		v.num = 1
	}
	values := d.keep(d.values[firstValue:])
	d.values = d.values[:firstValue]
	if k == kindArray {
		v.ref = &array{values}
		return v, nil
	}
	return d.object(v, values, firstKey)
}

// object completes the value of an object with its members.
func (d *decoder) object(v Value, values []Value, firstKey int) (Value, error) {
	o := &object{keys: append([]string(nil), d.keys[firstKey:]...), values: values}
	d.keys = d.keys[:firstKey]
	o.hash()
	if o.index != nil && len(o.index) < len(o.keys) {
		return Null, d.fault("an object repeats a name")
	}
	v.ref = o
	return v, nil
}

func (d *decoder) item(depth, _ int) error {
	v, err := d.value(depth)
	if len(d.values) == cap(d.values) { // append would grow long ones by less, and copy more
		d.values = append(make([]Value, 0, max(64, 2*len(d.values))), d.values...)
	}
	d.values = append(d.values, v)
	return err
}

func (d *decoder) member(depth, firstKey int) error {
	if d.pos >= len(d.src) || d.src[d.pos] != '"' {
		return d.fault("want a name in quotes")
	}
	name, err := d.text()
	if err != nil {
		return err
	}
	if few := d.keys[firstKey:]; len(few) < hashFrom { // larger objects are checked when they are hashed
		for _, key := range few {
			if key == name.str {
				return d.fault("the name " + strconv.Quote(key) + " is repeated")
			}
		}
	}
	d.keys = append(d.keys, name.str)
	d.space()
	if !d.take(':') {
		return d.fault("want :")
	}
	d.space()
	return d.item(depth, 0)
}

// keep copies values out of the stack of open ones.
func (d *decoder) keep(values []Value) []Value {
	n := len(values)
	if n > len(d.slab) {
		if n >= 64 {
			return append([]Value(nil), values...)
		}
		d.slab = make([]Value, 64)
	}
	kept := d.slab[:n:n]
	d.slab = d.slab[n:]
	copy(kept, values)
	return kept
}
