package liquid

import (
	"strconv"
)

// AppendJSON appends v as JSON. What was decoded and never changed is appended byte for byte as it was written.
func (v Value) AppendJSON(dst []byte) []byte {
	w := writer{buf: dst, verbatim: true}
	w.json(v)
	return w.buf
}

// writer gathers text piece by piece; with a budget it stops at the first piece that is over it.
type writer struct {
	buf      []byte
	budget   *Budget // nil: no limit
	verbatim bool    // keep the space in decoded arrays and objects
	count    bool    // measure only
	size     int
	err      error
}

// room reports whether n more bytes may follow.
func (w *writer) room(n int) bool {
	if w.budget == nil {
		return true
	}
	if w.size += n; w.err == nil && w.count && w.size > w.budget.output {
		w.err = w.budget.outOfOutput()
	}
	if w.err == nil && !w.count {
		w.grow(n)
	}
	if w.err == nil {
		w.err = w.budget.copying(n)
	}
	return w.err == nil
}

// grow takes the memory for n more bytes before the buffer moves to a larger one.
func (w *writer) grow(n int) {
	if len(w.buf)+n <= cap(w.buf) {
		return
	}
	larger := max(2*cap(w.buf), len(w.buf)+n)
	if w.err = w.budget.alloc(larger); w.err == nil {
		w.buf = append(make([]byte, 0, larger), w.buf...)
	}
}

// done returns what was gathered.
func (w *writer) done() (string, error) {
	if w.err == nil && w.budget != nil {
		w.err = w.budget.alloc(len(w.buf))
	}
	if w.err != nil {
		return "", w.err
	}
	return string(w.buf), nil
}

func (w *writer) add(s string) {
	if w.room(len(s)) && !w.count {
		w.buf = append(w.buf, s...)
	}
}

func (w *writer) json(v Value) {
	if w.err != nil {
		return
	}
	switch v.kind {
	case kindNull, kindForLoop, kindTableLoop, kindEmpty, kindBlank:
		w.add("null")
	case kindString:
		w.jsonString(v)
	case kindArray, kindRange:
		w.jsonArray(v)
	case kindObject:
		w.jsonObject(v)
	case kindFloat:
		w.add(jsonFloat(v))
	default:
		var digits [24]byte
		w.add(string(appendScalar(digits[:0], v)))
	}
}

// jsonFloat writes a number that was computed as JSON has it: the text forms of templates are valid JSON too.
func jsonFloat(v Value) string {
	if v.str != "" {
		return v.str
	}
	return string(appendFloat(nil, v.float()))
}

func (w *writer) jsonString(v Value) {
	if source, ok := v.ref.(written); ok {
		w.add(string(source))
		return
	}
	if w.budget != nil && w.err == nil {
		w.err = w.budget.reading(len(v.str))
	}
	if w.err == nil && w.room(quotedSize(v.str)) && !w.count {
		w.buf = AppendQuoted(w.buf, v.str)
	}
}

// quotedSize is the most bytes that s has as a JSON string.
func quotedSize(s string) int {
	n := len(s) + 2
	for i := range len(s) {
		n += escapeGrowth[s[i]]
	}
	return n
}

// source writes an untouched array or object as it was written, if it may.
func (w *writer) source(v Value) bool {
	spaced := v.num == 1
	if v.str == "" || spaced && !w.verbatim {
		return false
	}
	w.add(v.str)
	return true
}

func (w *writer) jsonArray(v Value) {
	if w.source(v) {
		return
	}
	w.add("[")
	if v.kind == kindRange {
		first, last := v.span()
		for i, n := first, v.spanLen(); n > 0 && w.err == nil; i, n = i+1, n-1 {
			w.add(strconv.FormatInt(i, 10))
			if i != last {
				w.add(",")
			}
		}
	}
	for i, item := range v.items() {
		if i > 0 {
			w.add(",")
		}
		w.json(item)
		if w.err != nil {
			return
		}
	}
	w.add("]")
}

func (w *writer) jsonObject(v Value) {
	if w.source(v) {
		return
	}
	w.add("{")
	o := v.object()
	for i, key := range o.keys {
		if i > 0 {
			w.add(",")
		}
		w.jsonString(String(key))
		w.add(":")
		w.json(o.values[i])
		if w.err != nil {
			return
		}
	}
	w.add("}")
}
