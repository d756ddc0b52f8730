package liquid

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// directive is one % of a date format: %-d, %010N, %^B.
type directive struct {
	flags string
	width int // -1 if not given
	verb  byte
}

// maxWidth is the most characters that a directive of a date may be padded to.
const maxWidth = 100

// strftime formats as Ruby does.
func (r *run) strftime(t time.Time, format string) (string, error) {
	w := writer{budget: r.budget}
	for {
		literal, rest, found := strings.Cut(format, "%")
		w.add(literal)
		if !found || w.err != nil {
			return w.done()
		}
		d, n := parseDirective(rest)
		if d.width > maxWidth {
			return "", faultf("a width of more than %d in a date format", maxWidth)
		}
		if w.err = r.make(128 + max(0, d.width)); w.err != nil { // what formatting one makes on the way
			return "", w.err
		}
		text, known := d.format(t)
		if !known {
			text = "%" + rest[:n]
		}
		w.add(text)
		format = rest[n:]
	}
}

// parseDirective reads what stands behind a % and measures it.
func parseDirective(s string) (d directive, n int) {
	for n < len(s) && strings.IndexByte("-0^#_:", s[n]) >= 0 {
		n++
	}
	d.flags, d.width = s[:n], -1
	start := n
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	if n > start {
		var err error
		if d.width, err = strconv.Atoi(s[start:n]); err != nil {
			d.width = maxWidth + 1
		}
	}
	if n+1 < len(s) && (s[n] == 'E' || s[n] == 'O') {
		n++
	}
	if n < len(s) {
		d.verb = s[n]
		n++
	}
	return d, n
}

// number is a directive that prints one: its value, how many digits it has, and what fills them.
type numberVerb struct {
	value func(time.Time) int
	width int
	fill  byte
}

var numberVerbs = map[byte]numberVerb{
	'C': {func(t time.Time) int { return t.Year() / 100 }, 2, '0'},
	'd': {time.Time.Day, 2, '0'},
	'e': {time.Time.Day, 2, ' '},
	'G': {func(t time.Time) int { year, _ := t.ISOWeek(); return year }, 4, '0'},
	'g': {func(t time.Time) int { year, _ := t.ISOWeek(); return year % 100 }, 2, '0'},
	'H': {time.Time.Hour, 2, '0'},
	'I': {hour12, 2, '0'},
	'j': {time.Time.YearDay, 3, '0'},
	'k': {time.Time.Hour, 2, ' '},
	'l': {hour12, 2, ' '},
	'M': {time.Time.Minute, 2, '0'},
	'm': {func(t time.Time) int { return int(t.Month()) }, 2, '0'},
	'S': {time.Time.Second, 2, '0'},
	's': {func(t time.Time) int { return int(t.Unix()) }, 1, '0'},
	'U': {func(t time.Time) int { return (t.YearDay() + 6 - int(t.Weekday())) / 7 }, 2, '0'},
	'u': {func(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 }, 1, '0'},
	'V': {func(t time.Time) int { _, week := t.ISOWeek(); return week }, 2, '0'},
	'W': {func(t time.Time) int { return (t.YearDay() + 6 - (int(t.Weekday())+6)%7) / 7 }, 2, '0'},
	'w': {func(t time.Time) int { return int(t.Weekday()) }, 1, '0'},
	'Y': {time.Time.Year, 4, '0'},
	'y': {func(t time.Time) int { return t.Year() % 100 }, 2, '0'},
}

func hour12(t time.Time) int { return (t.Hour()+11)%12 + 1 }

// textVerbs print what Go's own layout prints.
var textVerbs = map[byte]string{
	'A': "Monday", 'a': "Mon", 'B': "January", 'b': "Jan", 'h': "Jan", 'p': "PM", 'P': "pm",
	'c': "Mon Jan _2 15:04:05 2006", 'D': "01/02/06", 'F': "2006-01-02", 'R': "15:04", 'r': "03:04:05 PM",
	'T': "15:04:05", 'v': "_2-Jan-2006", 'X': "15:04:05", 'x': "01/02/06",
}

func (d directive) format(t time.Time) (text string, known bool) {
	if verb, ok := numberVerbs[d.verb]; ok {
		return d.number(verb.value(t), verb.width, verb.fill), true
	}
	if layout, ok := textVerbs[d.verb]; ok {
		text := t.Format(layout)
		if d.verb == 'v' {
			text = strings.ToUpper(text)
		}
		return d.text(text), true
	}
	switch d.verb {
	case 'L', 'N':
		return d.fraction(t), true
	case 'z':
		return d.offset(t), true
	case 'Z':
		return d.text(zoneName(t)), true
	case '+':
		return d.text(t.Format("Mon Jan _2 15:04:05 ") + zoneName(t) + t.Format(" 2006")), true
	case 'n', 't', '%':
		return d.text(map[byte]string{'n': "\n", 't': "\t", '%': "%"}[d.verb]), true
	}
	return "", false
}

func (d directive) number(n, width int, fill byte) string {
	for i := range len(d.flags) {
		switch d.flags[i] {
		case '-':
			return strconv.Itoa(n)
		case '_':
			fill = ' '
		case '0':
			fill = '0'
		}
	}
	if d.width >= 0 {
		width = d.width
	}
	return pad(strconv.Itoa(n), width, fill)
}

// pad fills in front of the digits, behind a sign.
func pad(digits string, width int, fill byte) string {
	missing := bytes.Repeat([]byte{fill}, max(0, width-len(digits)))
	if fill == '0' && strings.HasPrefix(digits, "-") {
		return "-" + string(missing) + digits[1:]
	}
	return string(missing) + digits
}

func (d directive) text(s string) string {
	fill := byte(' ')
	for i := range len(d.flags) {
		switch d.flags[i] {
		case '^':
			s = strings.ToUpper(s)
		case '#':
			s = swapCase(s, d.verb)
		case '0':
			fill = '0'
		case '-':
			return s
		}
	}
	return string(bytes.Repeat([]byte{fill}, max(0, d.width-len(s)))) + s
}

// zoneName is UTC, what a time zone calls its time, or nothing: an offset has no
// name.
func zoneName(t time.Time) string {
	name, offset := t.Zone()
	if name == "" && offset == 0 {
		return "UTC"
	}
	return name
}

// swapCase is the flag #: small letters for AM, PM and zones, capitals for everything else.
func swapCase(s string, verb byte) string {
	if verb == 'p' || verb == 'Z' {
		return strings.ToLower(s)
	}
	return strings.ToUpper(s)
}

// fraction prints the digits behind the seconds' point: three for %L, nine for %N, or as many as the width says.
func (d directive) fraction(t time.Time) string {
	width := d.width
	if width <= 0 {
		width = 9
		if d.verb == 'L' {
			width = 3
		}
	}
	digits := pad(strconv.Itoa(t.Nanosecond()), 9, '0')
	if width <= len(digits) {
		return digits[:width]
	}
	return digits + strings.Repeat("0", width-len(digits))
}

// offset prints +hhmm, or with colons +hh:mm and +hh:mm:ss; with three of them as much as is not 0. The hours are
// padded to the width, by the flag _ with spaces in front of the sign.
func (d directive) offset(t time.Time) string {
	layout := [...]string{"-0700", "-07:00", "-07:00:00", "-07:00:00"}[min(3, strings.Count(d.flags, ":"))]
	text := t.Format(layout)
	if strings.Count(d.flags, ":") > 2 {
		text = strings.TrimSuffix(strings.TrimSuffix(text, ":00"), ":00")
	}
	if !strings.Contains(d.flags, "_") {
		return text[:1] + pad(text[1:], d.width-1, '0')
	}
	if text[1] == '0' {
		text = " " + text[:1] + text[2:]
	}
	return pad(text, d.width, ' ')
}
