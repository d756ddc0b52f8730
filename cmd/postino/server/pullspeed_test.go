package server_test

import (
	"strings"
	"testing"
)

// BenchmarkPull measures deliveries that are pulled and acknowledged, 100 at a
// time; they have been offered before.
func BenchmarkPull(b *testing.B) {
	a := open(b, nil)
	a.subscribe("s", `"pull":true`)
	offer := func(n int) {
		for ; n > 0; n -= 500 {
			events := make([]string, min(n, 500))
			for i := range events {
				events[i] = `{"type":"a.b","data":{"text":"` + strings.Repeat("x", 200) + `"}}`
			}
			a.call("POST", "/v1/tenants/acme/events", 202, "["+strings.Join(events, ",")+"]")
		}
	}
	offer(b.N)
	b.ResetTimer()
	for done := 0; done < b.N; {
		pulled := a.pull(`{"max":100,"wait":"20s"}`)
		if len(pulled) == 0 {
			b.Fatalf("nothing to pull after %d of %d", done, b.N)
		}
		for _, recorded := range a.tell("ack", pulled, "") {
			if recorded != true {
				b.Fatal("an ack is not recorded")
			}
		}
		done += len(pulled)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
}
