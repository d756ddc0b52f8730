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
	d := dateText{rest: basic(s), zone: time.UTC}
	if !d.clock() || !d.words() {
		return now, false
	}
	return d.time(now)
}

// basic writes ISO 8601's form without separators, 20160314t150926z, with them.
func basic(s string) string {
	n := digitsLen(s, 8)
	if n < 8 || len(s) < 13 || s[8] != 't' {
		return s
	}
	digits := digitsLen(s[9:], 7)
	if digits != 4 && digits != 6 {
		return s
	}
	clock := s[9:11] + ":" + s[11:13]
	if digits == 6 {
		clock += ":" + s[13:15]
	}
	return s[:8] + " " + clock + s[9+digits:]
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
	case len(n) == 2 && len(d.numbers[0]) == 4 && len(d.numbers[1]) == 3:
		return dayOfYear(n[0], n[1])
	case len(n) == 2 && long(0):
		return n[0], time.Month(n[1]), 1, true
	case len(n) == 3 && long(2) && !long(0):
		return n[2], time.Month(n[1]), n[0], true
	case len(n) == 3 && !long(1) && !long(2):
		return century(n[0], long(0)), time.Month(n[1]), n[2], true
	}
	return 0, 0, 0, false
}

// dayOfYear is the date of a day that is counted from January 1.
func dayOfYear(year, n int) (int, time.Month, int, bool) {
	t := time.Date(year, time.January, n, 0, 0, 0, 0, time.UTC)
	return year, t.Month(), t.Day(), n > 0 && t.Year() == year
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
