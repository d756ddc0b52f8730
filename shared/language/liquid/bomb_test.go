package liquid

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
)

// What bombs begin with: a text that would have 2^64 bytes, one of 256 KiB, and an array of 16 Ki items.
const (
	doubling = `{% assign s = "0123456789abcdef" %}{% for i in (1..60) %}{% assign s = s | append: s %}{% endfor %}`
	longText = `{% assign s = "0123456789abcdef" %}{% for i in (1..14) %}{% assign s = s | append: s %}{% endfor %}`
	manyOnes = `{% assign s = "1," %}{% for i in (1..14) %}{% assign s = s | append: s %}{% endfor %}{% assign a = s | split: "," %}`
)

// bombs are templates that ask for more than any callback needs. Each must end with an error.
var bombs = map[string]string{
	"empty loop to 10^9":             `{% for i in (1..1000000000) %}{% endfor %}`,
	"nested empty loops":             `{% for i in (1..100000) %}{% for j in (1..100000) %}{% for k in (1..100000) %}{% endfor %}{% endfor %}{% endfor %}`,
	"loop to 10^18 reversed":         `{% for i in (1..1000000000000000000) reversed %}{{ i }}{% endfor %}`,
	"loop beyond int64":              `{% for i in (1..99999999999999999999999999) %}{{ i }}{% endfor %}`,
	"range over all integers":        `{% for i in (-9223372036854775808..9223372036854775807) %}{% endfor %}`,
	"doubling append":                doubling + `{{ s }}`,
	"doubling prepend":               `{% assign s = "ab" %}{% for i in (1..60) %}{% assign s = s | prepend: s %}{% endfor %}`,
	"doubling capture":               `{% assign s = "ab" %}{% for i in (1..60) %}{% capture s %}{{ s }}{{ s }}{% endcapture %}{% endfor %}`,
	"doubling concat":                `{% assign a = "a,b" | split: "," %}{% for i in (1..60) %}{% assign a = a | concat: a %}{% endfor %}`,
	"doubling join":                  `{% assign a = "a,b" | split: "," %}{% for i in (1..60) %}{% assign s = a | join: s | append: s %}{% endfor %}`,
	"doubling json":                  `{% assign s = '"\' %}{% for i in (1..60) %}{% assign s = s | json %}{% endfor %}`,
	"joined giant range":             `{{ (1..1000000000) | join: "," }}`,
	"sorted giant range":             `{{ (1..1000000000) | sort | first }}`,
	"reversed giant range":           `{{ (1..1000000000) | reverse | first }}`,
	"giant range as json":            `{{ (1..1000000000) | json }}`,
	"giant range with a tail":        `{% assign a = "a" | split: "," %}{{ (1..1000000000) | concat: a | size }}`,
	"summed giant range":             `{{ (1..1000000000) | sum }}`,
	"range of all integers as list":  `{{ (-9223372036854775808..9223372036854775807) | map: "x" }}`,
	"squared numbers":                `{% assign n = 9223372036854775807 %}{% for i in (1..60) %}{% assign n = n | times: n %}{% endfor %}{{ n }}`,
	"number of 60,000 digits":        `{{ ` + strings.Repeat("9", 60000) + ` | plus: 1 }}`,
	"decimal of 60,000 digits":       `{{ "1.` + strings.Repeat("9", 60000) + `" | times: 3 }}`,
	"text of 60,000 digits":          `{{ "` + strings.Repeat("9", 60000) + `" | plus: 1 }}`,
	"replace blow-up":                longText + `{{ s | replace: "0", s }}`,
	"replace nothing by much":        longText + `{{ s | replace: "", s }}`,
	"repeated replace":               longText + `{% for i in (1..100000) %}{% assign x = s | replace: "0", "1" %}{% endfor %}`,
	"split into millions":            doubling + `{{ s | split: "" | size }}`,
	"repeated split":                 longText + `{% for i in (1..1000) %}{% assign x = s | split: "" %}{% endfor %}`,
	"output in a loop":               `{% for i in (1..1000000) %}0123456789012345678901234567890123456789{% endfor %}`,
	"long output in a loop":          longText + `{% for i in (1..1000) %}{{ s }}{% endfor %}`,
	"array of long texts":            longText + `{% assign a = s | split: "x" %}{% for i in (1..8) %}{% assign a = a | concat: a %}{% endfor %}{{ a }}`,
	"join of long texts":             longText + `{% assign a = s | split: "x" %}{% for i in (1..8) %}{% assign a = a | concat: a %}{% endfor %}{{ a | join: s }}`,
	"json of long texts":             longText + `{% assign a = s | split: "x" %}{% for i in (1..8) %}{% assign a = a | concat: a %}{% endfor %}{{ a | json }}`,
	"uniq of long texts":             longText + `{% assign a = s | split: "x" %}{% for i in (1..8) %}{% assign a = a | concat: a %}{% endfor %}{{ a | uniq }}`,
	"sort of long texts":             longText + `{% assign a = s | split: "x" %}{% for i in (1..9) %}{% assign a = a | concat: a %}{% endfor %}{% for i in (1..1000) %}{% assign b = a | sort_natural %}{% endfor %}`,
	"comparing long texts":           longText + `{% assign a = s | split: "x" %}{% assign b = s | split: "x" %}{% for i in (1..100000) %}{% if a == b %}{% endif %}{% endfor %}`,
	"contains in long texts":         longText + `{% for i in (1..100000) %}{% if s contains "nothing" %}{% endif %}{% endfor %}`,
	"tablerow":                       `{% tablerow i in (1..1000000000) cols: 1 %}{{ i }}{% endtablerow %}`,
	"tablerow in tablerow":           `{% tablerow i in (1..1000) %}{% tablerow j in (1..1000) %}{% endtablerow %}{% endtablerow %}`,
	"cycle groups":                   `{% for i in (1..1000000) %}{% cycle i: "a", "b" %}{% endfor %}`,
	"cycle of long names":            longText + `{% for i in (1..1000000) %}{% capture n %}{{ s }}{{ i }}{% endcapture %}{% cycle n: "" %}{% endfor %}`,
	"counters":                       `{% for i in (1..1000000) %}{% increment n %}{% endfor %}`,
	"sort of many":                   manyOnes + `{% for i in (1..1000) %}{% assign a = a | sort %}{% endfor %}`,
	"uniq of many":                   manyOnes + `{% for i in (1..1000) %}{% assign b = a | uniq %}{% endfor %}`,
	"where in a loop":                manyOnes + `{% for i in (1..1000) %}{% assign b = a | where: "1" %}{% endfor %}`,
	"contains in a loop":             manyOnes + `{% for i in (1..1000) %}{% if a contains "2" %}{% endif %}{% endfor %}`,
	"slice in a loop":                manyOnes + `{% for i in (1..100000) %}{% assign x = s | slice: 16000, 10 %}{% endfor %}`,
	"size in a loop":                 longText + `{% for i in (1..100000) %}{% assign x = s | size %}{% endfor %}`,
	"truncate with a long ending":    longText + `{% for i in (1..100000) %}{% assign x = s | truncate: 5000, s %}{% endfor %}`,
	"truncate: 5000 in a loop":       longText + `{% for i in (1..100000) %}{{ s | truncate: 5000 }}{% endfor %}`,
	"truncatewords":                  longText + `{% for i in (1..100000) %}{{ s | truncatewords: 5000, s }}{% endfor %}`,
	"escape":                         `{% assign s = "<>&" %}{% for i in (1..60) %}{% assign s = s | escape %}{% endfor %}{% for i in (1..60) %}{% assign s = s | append: s | escape %}{% endfor %}`,
	"url_encode":                     `{% assign s = "%" %}{% for i in (1..60) %}{% assign s = s | append: s | url_encode %}{% endfor %}`,
	"base64":                         `{% assign s = "abc" %}{% for i in (1..100) %}{% assign s = s | base64_encode %}{% endfor %}`,
	"sha256 of much":                 longText + `{% for i in (1..100000) %}{% assign h = s | sha256 %}{% endfor %}`,
	"hmac of much":                   longText + `{% for i in (1..100000) %}{% assign h = s | hmac_sha256: s %}{% endfor %}`,
	"strip_html of open tags":        `{% assign s = "<script<style<!--" %}{% for i in (1..14) %}{% assign s = s | append: s %}{% endfor %}{% for i in (1..1000) %}{% assign x = s | strip_html %}{% endfor %}`,
	"newline_to_br":                  `{% assign s = "    ` + "\n" + `" %}{% for i in (1..60) %}{% assign s = s | append: s | newline_to_br %}{% endfor %}`,
	"date with a huge width":         `{{ 0 | date: "%999999999Y" }}`,
	"date with a long format":        `{% assign f = "%c%c%c%c" %}{% for i in (1..60) %}{% assign f = f | append: f %}{% assign x = 0 | date: f %}{% endfor %}`,
	"date with many wide directives": `{% assign f = "%100Y" %}{% for i in (1..60) %}{% assign f = f | append: f %}{% assign x = 0 | date: f %}{% endfor %}`,
	"round to many digits":           `{% for i in (1..1000000) %}{% assign x = 1.5 | round: 300 %}{% endfor %}`,
	"decimals in a loop":             `{% for i in (1..1000000) %}{% assign x = "123456789.123456789" | times: "987654321.987654321" | modulo: "0.0000000001" %}{% endfor %}`,
	"deep blocks":                    strings.Repeat(`{% if true %}`, 2000) + strings.Repeat(`{% endif %}`, 2000),
	"deep brackets":                  `{{ ` + strings.Repeat("a[", 20000) + `1` + strings.Repeat("]", 20000) + ` }}`,
	"deep ranges":                    `{{ ` + strings.Repeat("(1..", 10000) + `1` + strings.Repeat(")", 10000) + ` }}`,
	"deep liquid":                    `{% ` + strings.Repeat("liquid ", 9000) + ` echo 1 %}`,
	"many conditions":                `{% for i in (1..100000) %}{% if ` + strings.Repeat("1 == 1 and ", 4000) + `true %}{% endif %}{% endfor %}`,
	"a capture that holds itself":    `{% capture a %}x{% endcapture %}{% for i in (1..100000) %}{% capture a %}{{ a }}{{ a }}y{% endcapture %}{% endfor %}{{ a }}`,
	"ifchanged of much":              longText + `{% for i in (1..100000) %}{% ifchanged %}{{ i }}{{ s }}{% endifchanged %}{% endfor %}`,
	"assign in assign":               longText + `{% for i in (1..100000) %}{% assign a = s | upcase | downcase | strip_newlines %}{% endfor %}`,
	"many case values":               `{% for i in (1..100000) %}{% case i %}{% when ` + strings.Repeat("1, ", 5000) + `2 %}x{% endcase %}{% endfor %}`,
	"inspected arrays":               manyOnes + `{% for i in (1..1000) %}{% assign x = a | upcase %}{% endfor %}`,
	"size of a path":                 longText + `{% for i in (1..1000) %}{% if s.size == 1 %}{% endif %}{% endfor %}`,
	"blank text":                     `{% assign s = "        " %}{% for i in (1..14) %}{% assign s = s | append: s %}{% endfor %}{% for i in (1..1000) %}{% if s == blank %}{% endif %}{% endfor %}`,
	"where in long texts":            longText + `{% assign a = s | split: "x" %}{% for i in (1..6) %}{% assign a = a | concat: a %}{% endfor %}{% for i in (1..100) %}{% assign b = a | where: "zz" %}{% endfor %}`,
	"long names of variables":        longText + `{% for i in (1..1000) %}{{ [s] }}{% endfor %}`,
	"long names of members":          longText + `{% for i in (1..1000) %}{{ i[s] }}{% endfor %}`,
	"a source of a megabyte":         strings.Repeat("x", 1<<20),
}

// TestEveryBombEndsWithAnErrorWithin16MB judges by what was allocated and by steps, not by the clock.
func TestEveryBombEndsWithAnErrorWithin16MB(t *testing.T) {
	const most = 16 << 20
	for name, source := range bombs {
		t.Run(name, func(t *testing.T) {
			var err error
			used := allocated(func() { err = light(source) })
			var fault *Error
			if !errors.As(err, &fault) {
				t.Fatalf("ends with %v, want an *Error", err)
			}
			if used > most {
				t.Errorf("allocates %d bytes, want at most %d", used, most)
			}
		})
	}
}

// allocated returns how many bytes f takes from the heap altogether.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// light compiles and renders a bomb.
func light(source string) error {
	template, err := Parse(source, Options{})
	if err != nil {
		return err
	}
	_, err = template.Render(Scope{})
	return err
}

func TestSecretsInALoopAreLimited(t *testing.T) {
	template := parse(t, "{% for i in (1..1000000) %}{{ secrets.a }}{% endfor %}")
	var err error
	used := allocated(func() { _, err = template.Segments(Scope{}) })
	if err == nil || used > 16<<20 {
		t.Errorf("ends with %v after %d bytes, want an error within 16 MB", err, used)
	}
}

// BenchmarkBombs reports the slowest bomb, by the fastest of its runs.
func BenchmarkBombs(b *testing.B) {
	fastest := map[string]time.Duration{}
	for b.Loop() {
		for name, source := range bombs {
			start := time.Now()
			_ = light(source)
			took := time.Since(start)
			if least, ok := fastest[name]; !ok || took < least {
				fastest[name] = took
			}
		}
	}
	slowest := ""
	for name, took := range fastest {
		if took > fastest[slowest] {
			slowest = name
		}
	}
	b.ReportMetric(float64(fastest[slowest].Microseconds())/1000, "slowest-ms")
	b.Logf("slowest: %s", slowest)
}
