package liquid

import (
	"strings"
	"unicode/utf8"
)

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
