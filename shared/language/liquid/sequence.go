package liquid

// sequence is what a loop goes through, without making it first.
type sequence struct {
	value  Value
	start  int
	length int
}

// sequenceOf goes through an array, the numbers of a range, the [name, value] pairs of an
// object, or one string; nothing else has anything to go through.
func sequenceOf(v Value) sequence {
	s := sequence{value: v}
	switch v.kind {
	case kindArray:
		s.length = len(v.items())
	case kindObject:
		s.length = len(v.object().keys)
	case kindRange:
		s.length = clampInt(v.spanLen())
	case kindString:
		s.length = min(1, len(v.str))
	}
	return s
}

// cut leaves limit items from index from on. A string stays whole.
func (s sequence) cut(from, limit int) sequence {
	if s.value.kind == kindString {
		return s
	}
	end := min(s.length, max(0, from+limit))
	s.start = min(max(0, from), s.length)
	s.length = max(0, end-s.start)
	return s
}

func (s sequence) at(i int) Value {
	i += s.start
	switch s.value.kind {
	case kindArray:
		return s.value.items()[i]
	case kindObject:
		o := s.value.object()
		return Array(String(o.keys[i]), o.values[i])
	case kindRange:
		return Int(s.value.num + int64(i))
	}
	return s.value
}
