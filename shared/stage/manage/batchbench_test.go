package manage_test

import (
	"fmt"
	"testing"
	"time"
)

func BenchmarkAPreviewOverAThousandEvents(b *testing.B) {
	w := open(b)
	for i := range 1000 {
		w.happen(b, time.Duration(i)*time.Second, fmt.Sprint("e", i), "visit", fmt.Sprint("u", i%300), `{"n":1,"text":"`+fmt.Sprintf("%01000d", i)+`"}`)
	}
	for i := range 300 {
		if i == 0 {
			w.must(b, 201, "PUT", "/campaigns/spring", `{"audience":{"profile":{"consent":[true]}},"cap":{"max":1,"per":"7d"}}`)
		}
		w.must(b, 201, "PUT", fmt.Sprint("/profiles/u", i), `{"attributes":{"consent":true}}`)
	}
	w.advance(time.Hour)
	for b.Loop() {
		w.must(b, 200, "POST", many, `{"subscription":{"url":"https://a.example/{{ profile.consent }}","campaign":"spring","types":["visit"],"filter":{"data":{"n":[1]}},"trigger":{"delay":"1m"}}}`)
	}
}
