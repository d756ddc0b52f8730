package liquid

import (
	"strings"
	"unicode/utf8"
)

var textFilters = []filter{
	{"append", 1, 1, "", appendText},
	{"capitalize", 0, 0, "", textual(3, capitalize)},
	{"downcase", 0, 0, "", textual(2, downcase)},
	{"lstrip", 0, 0, "", textual(0, func(s string) string { return strings.TrimLeft(s, spaces) })},
	{"prepend", 1, 1, "", prependText},
	{"remove", 1, 1, "", replaceAll},
	{"remove_first", 1, 1, "", replaceFirst},
	{"remove_last", 1, 1, "", replaceLast},
	{"replace", 1, 2, "", replaceAll},
	{"replace_first", 1, 2, "", replaceFirst},
	{"replace_last", 2, 2, "", replaceLast},
	{"rstrip", 0, 0, "", textual(0, func(s string) string { return strings.TrimRight(s, spaces) })},
	{"slice", 1, 2, "", slice},
	{"split", 1, 1, "", split},
	{"squish", 0, 0, "", unlessNull(textual(1, func(s string) string { return strings.Join(strings.Fields(s), " ") }))},
	{"strip", 0, 0, "", textual(0, func(s string) string { return strings.Trim(s, spaces) })},
	{"strip_newlines", 0, 0, "", textual(1, stripNewlines)},
	{"truncate", 0, 2, "", unlessNull(truncate)},
	{"truncatewords", 0, 2, "", unlessNull(truncateWords)},
	{"upcase", 0, 0, "", textual(3, upcase)},
}

func appendText(r *run, in Value, args []Value) (Value, error) {
	s, end, _, err := r.texts(in, args)
	if err != nil {
		return Null, err
	}
	if err := r.make(len(s) + len(end)); err != nil {
		return Null, err
	}
	return String(s + end), nil
}

func prependText(r *run, in Value, args []Value) (Value, error) {
	s, start, _, err := r.texts(in, args)
	if err != nil {
		return Null, err
	}
	if err := r.make(len(s) + len(start)); err != nil {
		return Null, err
	}
	return String(start + s), nil
}

func stripNewlines(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", ""), "\n", "")
}

func replaceAll(r *run, in Value, args []Value) (Value, error) {
	s, old, with, err := r.texts(in, args)
	if err != nil {
		return Null, err
	}
	if err := r.budget.reading(len(s)); err != nil {
		return Null, err
	}
	n := strings.Count(s, old)
	if n == 0 {
		return String(s), nil
	}
	if err := r.make(len(s) + n*(len(with)-len(old))); err != nil {
		return Null, err
	}
	return String(strings.ReplaceAll(s, old, with)), nil
}

func replaceFirst(r *run, in Value, args []Value) (Value, error) {
	return r.replaceOne(in, args, strings.Index)
}

func replaceLast(r *run, in Value, args []Value) (Value, error) {
	return r.replaceOne(in, args, strings.LastIndex)
}

func (r *run) replaceOne(in Value, args []Value, find func(s, old string) int) (Value, error) {
	s, old, with, err := r.texts(in, args)
	if err != nil {
		return Null, err
	}
	if err := r.make(len(s) + len(with)); err != nil {
		return Null, err
	}
	i := find(s, old)
	if i < 0 {
		return String(s), nil
	}
	return String(s[:i] + with + s[i+len(old):]), nil
}

// slice takes part of an array, or characters of a text.
func slice(r *run, in Value, args []Value) (Value, error) {
	from, err := toInteger(args[0])
	if err != nil {
		return Null, err
	}
	n := 1
	if len(args) > 1 && truthy(args[1]) {
		if n, err = toInteger(args[1]); err != nil {
			return Null, err
		}
	}
	if in.kind == kindArray {
		items := in.items()
		from, to := part(from, n, len(items))
		return Array(items[from:to:to]...), nil
	}
	s, err := r.string(in)
	if err == nil {
		err = r.budget.reading(len(s))
	}
	if err != nil {
		return Null, err
	}
	from, to := part(from, n, utf8.RuneCountInString(s))
	rest := s[characterAt(s, from):]
	return String(rest[:characterAt(rest, to-from)]), nil
}

// part keeps from and n within size; a negative from counts from the end.
func part(from, n, size int) (start, end int) {
	if from < 0 {
		from += size
	}
	if from < 0 || from > size || n < 0 {
		return 0, 0
	}
	return from, min(size, from+n)
}

// characterAt returns the byte offset of the n-th character, the length of s if it has fewer.
func characterAt(s string, n int) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}
