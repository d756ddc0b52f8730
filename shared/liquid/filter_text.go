package liquid

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

var textFilters = []filter{
	{"append", 1, 1, "", appendText},
	{"capitalize", 0, 0, "", textual(2, capitalize)},
	{"downcase", 0, 0, "", textual(2, strings.ToLower)},
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
	{"upcase", 0, 0, "", textual(2, strings.ToUpper)},
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

func capitalize(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	if n == 0 || first == utf8.RuneError {
		return strings.ToLower(s)
	}
	return string(unicode.ToTitle(first)) + strings.ToLower(s[n:])
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

func split(r *run, in Value, args []Value) (Value, error) {
	s, separator, _, err := r.texts(in, args)
	if err != nil {
		return Null, err
	}
	if err := r.budget.reading(len(s)); err != nil {
		return Null, err
	}
	var n int
	switch separator {
	case " ":
		n = countFields(s)
	case "":
		n = utf8.RuneCountInString(s)
	default:
		n = strings.Count(s, separator) + 1
	}
	if err := r.makeItems(n * 4 / 3); err != nil { // the parts and the values that hold them
		return Null, err
	}
	return Array(parts(s, separator, n)...), nil
}

// isSpace knows what a text is split at: Ruby's space characters.
func isSpace(c rune) bool {
	return c < utf8.RuneSelf && c > 0 && strings.IndexByte(spaces, byte(c)) >= 0
}

func countFields(s string) int {
	n, in := 0, false
	for _, c := range s {
		if space := isSpace(c); space == in {
			in = !space
			if in {
				n++
			}
		}
	}
	return n
}

// parts splits s; empty parts at its end are dropped.
func parts(s, separator string, n int) []Value {
	items := make([]Value, 0, n)
	switch separator {
	case " ":
		for field := range strings.FieldsFuncSeq(s, isSpace) {
			items = append(items, String(field))
		}
	case "":
		for i, size := 0, 0; i < len(s); i += size {
			_, size = utf8.DecodeRuneInString(s[i:])
			items = append(items, String(s[i:i+size]))
		}
	default:
		for part := range strings.SplitSeq(s, separator) {
			items = append(items, String(part))
		}
	}
	for len(items) > 0 && items[len(items)-1].str == "" {
		items = items[:len(items)-1]
	}
	return items
}

// ending returns the third part of truncate and truncatewords.
func (r *run) ending(args []Value) (string, error) {
	if len(args) < 2 {
		return "...", nil
	}
	return r.string(args[1])
}

func truncate(r *run, in Value, args []Value) (Value, error) {
	s, err := r.string(in)
	if err != nil {
		return Null, err
	}
	length := 50
	if len(args) > 0 {
		if length, err = toInteger(args[0]); err != nil {
			return Null, err
		}
	}
	ending, err := r.ending(args)
	if err != nil {
		return Null, err
	}
	if err := r.budget.reading(len(s) + len(ending)); err != nil {
		return Null, err
	}
	if utf8.RuneCountInString(s) <= length {
		return String(s), nil
	}
	kept := characterAt(s, max(0, length-utf8.RuneCountInString(ending)))
	if err := r.make(kept + len(ending)); err != nil {
		return Null, err
	}
	return String(s[:kept] + ending), nil
}

func truncateWords(r *run, in Value, args []Value) (Value, error) {
	s, err := r.string(in)
	if err != nil {
		return Null, err
	}
	most := 15
	if len(args) > 0 {
		if most, err = toInteger(args[0]); err != nil {
			return Null, err
		}
	}
	ending, err := r.ending(args)
	if err != nil {
		return Null, err
	}
	if err := r.remake(len(s) + len(ending)); err != nil {
		return Null, err
	}
	words, more := firstWords(s, max(1, most))
	if !more {
		return String(s), nil
	}
	return String(words + ending), nil
}

// firstWords joins the first n words of s by single spaces; more tells whether anything follows the last.
func firstWords(s string, n int) (words string, more bool) {
	var b strings.Builder
	for rest := strings.TrimLeftFunc(s, isSpace); ; n-- {
		if rest == "" || n == 0 {
			return b.String(), rest != ""
		}
		end := strings.IndexFunc(rest, isSpace)
		if end < 0 {
			end = len(rest)
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(rest[:end])
		if end < len(rest) && n == 1 {
			return b.String(), true
		}
		rest = strings.TrimLeftFunc(rest[end:], isSpace)
	}
}
