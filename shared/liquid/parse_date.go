package liquid

import (
	"strconv"
	"strings"
	"time"
)

// unixTime is the time n seconds after 1970; years beyond 9999 are none.
func unixTime(n int64) (time.Time, bool) {
	const first, last = -377705116800, 253402300799
	return time.Unix(n, 0).UTC(), n >= first && n <= last
}

// maxDate is the longest text that may be a date.
const maxDate = 100

// parseDate reads the ways in which people and machines write dates: RFC 3339 and its parts, RFC 2822, March 14, 2016,
// 14 Mar 2016, 2016/03/14, 14/03/2016, with or without a time and a zone; seconds since 1970; now and today. What
// is left out of a date is taken from now, what is left out of a time is 0, and without a zone it is UTC.
func parseDate(s string, now time.Time) (time.Time, bool) {
	now = now.UTC()
	if len(s) > maxDate {
		return now, false
	}
	s = strings.ToLower(strings.Trim(s, spaces))
	switch {
	case s == "":
		return now, false
	case s == "now" || s == "today":
		return now, true
	case allDigits(s):
		n, err := strconv.ParseInt(s, 10, 64)
		t, ok := unixTime(n)
		return t, ok && err == nil
	}
	d := dateText{rest: s, zone: time.UTC}
	if !d.clock() || !d.words() {
		return now, false
	}
	return d.time(now)
}

// dateText is a date while it is read.
type dateText struct {
	rest               string
	hour, min, sec, ns int
	hasClock           bool
	zone               *time.Location
	month              time.Month // by name
	numbers            []string   // in their order
}

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
	before, s := d.rest[:start], d.rest[start:]
	fields := [3]*int{&d.hour, &d.min, &d.sec}
	for i, field := range fields {
		n := digitsLen(s, 2)
		if n == 0 {
			return false
		}
		*field, _ = strconv.Atoi(s[:n])
		if s = s[n:]; i == 2 || !strings.HasPrefix(s, ":") {
			break
		}
		s = s[1:]
	}
	if len(s) > 1 && (s[0] == '.' || s[0] == ',') && isDigit(s[1]) {
		n := digitsLen(s[1:], maxDate)
		d.ns, _ = strconv.Atoi((s[1:1+n] + "000000000")[:9])
		s = s[1+n:]
	}
	d.hasClock = true
	s, ok := d.half(s)
	if !ok {
		return false
	}
	d.rest = before + " " + d.cutZone(s)
	return d.hour < 24 && d.min < 60 && d.sec < 61 || d.hour == 24 && d.min == 0 && d.sec == 0
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

func digitsLen(s string, most int) int {
	n := 0
	for n < len(s) && n < most && isDigit(s[n]) {
		n++
	}
	return n
}

// harmless are words in dates that say nothing more.
var harmless = map[string]bool{"st": true, "nd": true, "rd": true, "th": true, "t": true, "at": true, "of": true, "on": true}

// words reads the date: month names and numbers. It reports false for words that have no place in one.
func (d *dateText) words() bool {
	for s := d.rest; s != ""; {
		n := digitsLen(s, maxDate)
		if n > 0 {
			d.numbers = append(d.numbers, s[:n])
			s = s[n:]
			continue
		}
		for n < len(s) && s[n] >= 'a' && s[n] <= 'z' {
			n++
		}
		switch {
		case n == 0 && strings.IndexByte(" ,./-", s[0]) >= 0:
			n = 1
		case n == 0:
			return false
		case !d.word(s[:n]):
			return false
		}
		s = s[n:]
	}
	return true
}

func (d *dateText) word(word string) bool {
	if harmless[word] {
		return true
	}
	for day := time.Sunday; day <= time.Saturday; day++ {
		if abbreviates(word, day.String()) {
			return true
		}
	}
	for month := time.January; month <= time.December; month++ {
		if d.month == 0 && abbreviates(word, month.String()) {
			d.month = month
			return true
		}
	}
	return false
}

func abbreviates(word, name string) bool {
	return len(word) >= 3 && strings.HasPrefix(strings.ToLower(name), word)
}

// time puts the parts together.
func (d *dateText) time(now time.Time) (time.Time, bool) {
	year, month, day, ok := d.date(now)
	if !ok {
		return now, false
	}
	t := time.Date(year, month, day, d.hour, d.min, d.sec, d.ns, d.zone)
	calendar := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	return t, calendar.Day() == day && calendar.Month() == month && year >= 0 && year <= 9999
}

// date finds out which number is what.
func (d *dateText) date(now time.Time) (year int, month time.Month, day int, ok bool) {
	n := make([]int, len(d.numbers))
	for i, digits := range d.numbers {
		n[i], _ = strconv.Atoi(digits[:min(len(digits), 9)])
	}
	long := func(i int) bool { return len(d.numbers[i]) > 2 }
	switch {
	case d.month != 0:
		return d.named(n, long, now)
	case len(n) == 0 && d.hasClock:
		return now.Year(), now.Month(), now.Day(), true
	case len(n) == 1 && len(d.numbers[0]) == 8:
		return n[0] / 10000, time.Month(n[0] / 100 % 100), n[0] % 100, true
	case len(n) == 2 && long(0):
		return n[0], time.Month(n[1]), 1, true
	case len(n) == 3 && long(2) && !long(0):
		return n[2], time.Month(n[1]), n[0], true
	case len(n) == 3 && !long(1) && !long(2):
		return century(n[0], long(0)), time.Month(n[1]), n[2], true
	}
	return 0, 0, 0, false
}

// named is a date whose month is a word: day and year in either order, either left out.
func (d *dateText) named(n []int, long func(int) bool, now time.Time) (year int, month time.Month, day int, ok bool) {
	switch {
	case len(n) == 0:
		return now.Year(), d.month, 1, true
	case len(n) == 1 && long(0):
		return n[0], d.month, 1, true
	case len(n) == 1:
		return now.Year(), d.month, n[0], true
	case len(n) == 2 && long(0):
		return n[0], d.month, n[1], true
	case len(n) == 2:
		return century(n[1], long(1)), d.month, n[0], true
	}
	return 0, 0, 0, false
}

// century completes a year of two digits: 69 to 99 are of the twentieth.
func century(year int, complete bool) int {
	switch {
	case complete:
		return year
	case year >= 69:
		return 1900 + year
	}
	return 2000 + year
}
