package liquid

import (
	"strconv"
	"strings"
	"time"
)

// clock cuts hh:mm:ss.fff with am, pm and a zone out of the text; it reports false if they are wrong.
func (d *dateText) clock() bool {
	colon := strings.IndexByte(d.rest, ':')
	if colon < 0 {
		return d.hourOnly()
	}
	start := colon
	for start > 0 && colon-start < 2 && isDigit(d.rest[start-1]) {
		start--
	}
	before := d.rest[:start]
	s, ok := d.fields(d.rest[start:])
	if !ok {
		return false
	}
	if len(s) > 1 && (s[0] == '.' || s[0] == ',') && isDigit(s[1]) {
		n := digitsLen(s[1:], maxDate)
		d.ns, _ = strconv.Atoi((s[1:1+n] + "000000000")[:9])
		s = s[1+n:]
	}
	d.hasClock = true
	if s, ok = d.half(s); !ok {
		return false
	}
	after := d.cutZone(s)
	if after != s { // an offset says all that the name of its zone would
		after = cutZoneName(after)
	}
	d.rest = before + " " + after
	return d.hour < 24 && d.min < 60 && d.sec < 61 || d.hour == 24 && d.min == 0 && d.sec == 0
}

// fields reads hh:mm and hh:mm:ss, and returns what follows.
func (d *dateText) fields(s string) (rest string, ok bool) {
	for i, field := range [3]*int{&d.hour, &d.min, &d.sec} {
		n := digitsLen(s, 2)
		if n == 0 {
			return s, false
		}
		*field, _ = strconv.Atoi(s[:n])
		if s = s[n:]; i == 2 || !strings.HasPrefix(s, ":") {
			break
		}
		s = s[1:]
	}
	return s, true
}

// hourOnly reads 10pm and 10 pm.
func (d *dateText) hourOnly() bool {
	for i := 1; i < len(d.rest); i++ {
		tail := strings.TrimLeft(d.rest[i:], " ")
		if !isDigit(d.rest[i-1]) || !strings.HasPrefix(tail, "am") && !strings.HasPrefix(tail, "pm") {
			continue
		}
		start := i - 1
		if start > 0 && isDigit(d.rest[start-1]) {
			start--
		}
		d.hour, _ = strconv.Atoi(d.rest[start:i])
		rest, ok := d.half(tail)
		d.rest, d.hasClock = d.rest[:start]+" "+rest, true
		return ok
	}
	return true
}

// half takes am or pm from the beginning of s.
func (d *dateText) half(s string) (rest string, ok bool) {
	trimmed := strings.TrimLeft(s, " ")
	for i, mark := range []string{"am", "a.m.", "pm", "p.m."} {
		if after, found := strings.CutPrefix(trimmed, mark); found {
			d.hour12(i >= 2)
			return after, d.hour >= 0
		}
	}
	return s, true
}

func (d *dateText) hour12(afternoon bool) {
	if d.hour < 1 || d.hour > 12 {
		d.hour = -1
		return
	}
	if d.hour %= 12; afternoon {
		d.hour += 12
	}
}

// zones are names of offsets, in hours.
var zones = map[string]int{
	"z": 0, "utc": 0, "gmt": 0, "ut": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
}

// cutZone takes a zone from the beginning of what follows a clock, and returns the rest.
func (d *dateText) cutZone(s string) string {
	trimmed := strings.TrimLeft(s, " ")
	n := 0
	for n < len(trimmed) && isWord(trimmed[n]) {
		n++
	}
	if hours, ok := zones[trimmed[:n]]; ok && n > 0 {
		if hours != 0 {
			d.zone = time.FixedZone("", hours*3600)
		}
		return trimmed[n:]
	}
	if trimmed == "" || trimmed[0] != '+' && trimmed[0] != '-' {
		return s
	}
	digits := strings.Replace(trimmed[1:], ":", "", 1)
	if n := digitsLen(digits, 4); n == 4 || n == 2 {
		hours, _ := strconv.Atoi(digits[:2])
		minutes, _ := strconv.Atoi(digits[2:n])
		offset := hours*3600 + minutes*60
		if trimmed[0] == '-' {
			offset = -offset
		}
		if offset != 0 {
			d.zone = time.FixedZone("", offset)
		}
		return digits[n:]
	}
	return s
}

// cutZoneName takes [Europe/Berlin], as RFC 9557 has it, from the end of a date.
func cutZoneName(s string) string {
	if strings.HasPrefix(s, "[") && strings.IndexByte(s, ']') == len(s)-1 {
		return ""
	}
	return s
}

func digitsLen(s string, most int) int {
	n := 0
	for n < len(s) && n < most && isDigit(s[n]) {
		n++
	}
	return n
}
