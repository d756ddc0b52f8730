package liquid

import (
	"encoding/json"
	"testing"
	"time"

	osteele "github.com/osteele/liquid"
)

// richTemplate is a kilobyte of everything that callbacks are made of.
const richTemplate = `{% assign total = 0 %}{% for leg in data.legs %}{% assign total = total | plus: leg.price %}{% endfor -%}
Dear {{ data.user.name | capitalize }},

thank you for booking {{ data.booking_id | upcase }} in {{ data.cabin | default: "economy" }}.
{% if data.user.tier == "gold" and data.legs.size > 1 %}As a gold member you earn double points.
{% elsif data.user.tier == "silver" %}As a silver member you earn half as many points again.
{% else %}Join our club to earn points.
{% endif %}
{% for leg in data.legs %}{{ forloop.index }}. {{ leg.from }} - {{ leg.to }} on {{ leg.date | date: "%d %b %Y" }}: {{ leg.price }} {{ data.currency }}{% unless forloop.last %};{% endunless %}
{% endfor %}Total: {{ total }} {{ data.currency }}
{% case data.payment.type %}{% when "card" %}Paid by card ending in {{ data.payment.last4 }}.
{% when "points" %}Paid with points.
{% endcase %}{% capture link %}https://fly.example/b/{{ data.booking_id | url_encode }}{% endcapture %}
Manage your booking: {{ link }}
Tags: {{ data.tags | sort | join: ", " }}
Seats: {% for seat in data.seats limit: 3 %}{{ seat | append: " " }}{% endfor %}
{{ data.note | strip | truncate: 60 | escape }}
Points: {{ data.points | times: 2 | plus: 10 }}
`

const fourExpressions = `{"user": {{ subject | json }}, "plan": "{{ data.cabin }}", "points": {{ data.points | plus: 10 }}, "city": "{{ data.legs[0].to }}"}`

// fourPlain is the same for an engine without a filter json.
const fourPlain = `{"user": "{{ subject }}", "plan": "{{ data.cabin }}", "points": {{ data.points | plus: 10 }}, "city": "{{ data.legs[0].to }}"}`

const benchEvent = `{"booking_id":"b-77 01","cabin":"business","currency":"EUR","points":230,
"user":{"name":"ada","tier":"gold","email":"ada@example.com"},
"payment":{"type":"card","last4":"4242"},"tags":["summer","family","beach","direct"],"seats":["12A","12B","12C","12D"],
"note":"  Please <b>call</b> me when the gate changes, the airport's signs are hard to read for my grandmother. ",
"legs":[{"from":"AMS","to":"LIS","date":"2026-07-01T08:30:00Z","price":120},{"from":"LIS","to":"FNC","date":"2026-07-03T10:00:00Z","price":80},
{"from":"FNC","to":"AMS","date":"2026-07-14T17:45:00Z","price":199}]}`

func benchScope(tb testing.TB) Scope {
	data, err := Decode([]byte(benchEvent))
	if err != nil {
		tb.Fatal(err)
	}
	return Scope{Vars: map[string]Value{"data": data, "subject": String("u1")}}
}

func compileBench(tb testing.TB, source string) *Template {
	t, err := Parse(source, Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// ours returns a function that renders once.
func ours(tb testing.TB, source string) func() {
	t, scope := compileBench(tb, source), benchScope(tb)
	return func() {
		if _, err := t.Render(scope); err != nil {
			tb.Fatal(err)
		}
	}
}

// theirs is the same with osteele/liquid.
func theirs(tb testing.TB, source string) func() {
	var data map[string]any
	if err := json.Unmarshal([]byte(benchEvent), &data); err != nil {
		tb.Fatal(err)
	}
	t, err := osteele.NewEngine().ParseString(source)
	if err != nil {
		tb.Fatal(err)
	}
	vars := osteele.Bindings{"data": data, "subject": "u1"}
	return func() {
		if _, err := t.Render(vars); err != nil {
			tb.Fatal(err)
		}
	}
}

// perRender takes the time of a short batch, divided by its size.
func perRender(render func()) time.Duration {
	const batch = 100
	start := time.Now()
	for range batch {
		render()
	}
	return time.Since(start) / batch
}

// BenchmarkRender reports how many times faster than osteele/liquid we are. Batches of both take turns and the fastest
// of each count, so that what else the machine does meanwhile falls out.
func BenchmarkRender(b *testing.B) {
	for _, bb := range []struct{ name, ours, theirs string }{
		{"rich", richTemplate, richTemplate},
		{"four", fourExpressions, fourPlain},
	} {
		b.Run(bb.name, func(b *testing.B) {
			ours, theirs := ours(b, bb.ours), theirs(b, bb.theirs)
			fastest, theirFastest := time.Hour, time.Hour
			for b.Loop() {
				theirFastest = min(theirFastest, perRender(theirs))
				fastest = min(fastest, perRender(ours))
			}
			b.ReportMetric(0, "ns/op") // of two batches: says nothing
			b.ReportMetric(float64(fastest.Nanoseconds()), "ns/render")
			b.ReportMetric(float64(theirFastest.Nanoseconds()), "osteele-ns/render")
			b.ReportMetric(float64(theirFastest)/float64(fastest), "times-faster")
		})
	}
}

// BenchmarkRich is for profiles and allocations.
func BenchmarkRich(b *testing.B) {
	render := ours(b, richTemplate)
	b.ReportAllocs()
	for b.Loop() {
		render()
	}
}

func BenchmarkDecode(b *testing.B) {
	b.SetBytes(int64(len(benchEvent)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode([]byte(benchEvent)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(richTemplate, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
