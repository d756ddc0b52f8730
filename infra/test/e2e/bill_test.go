package e2e

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
	"gopkg.in/yaml.v3"

	"github.com/postino/postino/infra/bill"
)

// subscribers is how many receive each event of the bill.
const subscribers = 3

// startsPerMillion is how often a function starts anew, in a million events:
// one in thousands of its invocations.
const startsPerMillion = 300

// TestTheBill counts what the functions use of AWS for events of 1 KB with
// three subscribers that answer at once, scales it to a million events, and
// holds the sum to its bound. With POSTINO_UPDATE=1 it writes the usage down
// for docs/cost.md.
func TestTheBill(t *testing.T) {
	recorded, many, few := bill.Recorded(), 500, 60
	switch { // the more events, the less starts and statistics weigh, as in a million
	case os.Getenv("POSTINO_PROVE") != "":
		many, few = 5000, 600
	case os.Getenv("POSTINO_UPDATE") != "":
		many, few = 1500, 600
	}
	for _, tt := range []struct {
		way    string
		events int
		array  int     // events of one request; 1 is one event without brackets
		alone  bool    // each event is delivered before the next is published
		bound  float64 // dollars per million events; 0 for none
	}{
		{"one at a time", few, 1, true, 0},
		{"single", many, 1, false, 4},
		{"arrays of 25", many, 25, false, 2}, // last: DynamoDB Local is warm by then, and takes 250 events of a batch in its time
	} {
		t.Run(tt.way, func(t *testing.T) {
			r := &run{player: metered(t), array: tt.array}
			if tt.alone {
				r.trickle(tt.events)
			} else {
				r.flood(tt.events)
			}
			usage := r.usage(tt.events)
			dollars, err := usage.Dollars()
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: %.2f dollars per million events\n%s", tt.way, dollars, usage.Table())
			if tt.bound > 0 && dollars > tt.bound {
				t.Errorf("%s cost %.2f dollars per million events, want at most %.2f", tt.way, dollars, tt.bound)
			}
			if os.Getenv("POSTINO_UPDATE") != "" {
				recorded[tt.way] = usage.Rounded()
				return
			}
			old, err := recorded[tt.way].Dollars()
			if off := math.Abs(dollars-old) / dollars; err != nil || off > 0.1 && tt.bound > 0 { // a slow machine writes more statistics, once in ten seconds
				t.Errorf("%s cost %.2f dollars, and infra/bill/usage.json says %.2f (%v): record it by POSTINO_UPDATE=1", tt.way, dollars, old, err)
			}
		})
	}
	if os.Getenv("POSTINO_UPDATE") != "" && !t.Failed() {
		record(t, recorded)
	}
}

func record(t *testing.T, usage map[string]bill.Usage) {
	t.Helper()
	text, err := json.MarshalIndent(usage, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("../../bill/usage.json", append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// run is one way of publishing, metered.
type run struct {
	*player
	array    int // events of one request
	requests int // each below the 512 KiB that API Gateway bills as one
}

// metered deploys a stack behind a meter, with three subscriptions.
func metered(t *testing.T) *player {
	on := deploy(t, settings{asleep: true, meter: newMeter()})
	p := &player{t: t, system: on, receiver: newReceiver(t), names: names{}, counts: map[string]int{}}
	p.names["receiver"] = p.receiver.URL
	for i := range subscribers {
		p.do(fmt.Sprintf("PUT /v1/tenants/acme/subscriptions/s%d", i), http.StatusCreated, fmt.Sprintf(`{"url": "$receiver/hook/%d"}`, i))
	}
	on.settings.meter.reset()
	return p
}

func (r *run) stack() *stack { return r.system.(*stack) }

// flood publishes all events, and then has the functions work with full
// batches, as they do when there is always more.
func (r *run) flood(events int) {
	on := r.stack()
	var g errgroup.Group
	g.SetLimit(atOnce)
	for first := 0; first < events; first += r.array {
		body := r.body(first)
		r.requests++
		g.Go(func() error { return r.post(body) })
	}
	if err := g.Wait(); err != nil {
		r.t.Fatal(err)
	}
	on.wake("Fanout")
	r.await(func() string {
		if n := on.backlog("Events"); n > 0 {
			return fmt.Sprintf("%d messages left in events", n)
		}
		return ""
	})
	on.wake("Delivery")
	r.delivered(events)
}

// trickle publishes one event after the other, while the functions are idle.
func (r *run) trickle(events int) {
	r.stack().wake("Fanout", "Delivery")
	for i := range events {
		r.requests++
		if err := r.post(r.body(i)); err != nil {
			r.t.Fatal(err)
		}
		r.delivered(i + 1)
	}
}

// delivered waits until so many events are delivered, recorded and acknowledged.
func (r *run) delivered(events int) {
	r.t.Helper()
	r.await(func() string {
		if got, want := len(r.receiver.at("/hook/*")), subscribers*events; got != want {
			return fmt.Sprintf("%d callbacks, want %d", got, want)
		}
		if n := r.stack().backlog("Deliveries"); n > 0 {
			return fmt.Sprintf("%d messages left in deliveries", n)
		}
		return ""
	})
}

func (r *run) post(body string) error {
	s := step{Call: "POST /v1/tenants/acme/events", Status: http.StatusAccepted, Body: []byte(body)}
	if why := r.call(r.t.Context(), s); why != "" {
		return fmt.Errorf("%s", why)
	}
	return nil
}

// body is one request.
func (r *run) body(first int) string {
	if r.array == 1 {
		return oneKB(first)
	}
	list := make([]string, r.array)
	for i := range list {
		list[i] = oneKB(first + i)
	}
	return "[" + strings.Join(list, ",") + "]"
}

// oneKB is an event of 1,024 bytes without a subject, which would cost one write
// unit more: a third are names that each event has, the
// rest values that no other has.
func oneKB(n int) string {
	random := rand.New(rand.NewPCG(1, uint64(n)))
	hex := func(digits int) string {
		return fmt.Sprintf("%016x%016x%016x", random.Uint64(), random.Uint64(), random.Uint64())[:digits]
	}
	event := fmt.Sprintf(`{"type":"order.placed","data":{"order":"%s","customer":{"id":"%s","email":"%s@example.com"},"total":%d.%02d,"currency":"EUR","lines":[`,
		hex(24), hex(24), hex(12), random.IntN(1000), random.IntN(100))
	for i := range 5 {
		event += fmt.Sprintf(`{"sku":"%s","quantity":%d,"price":%d.%02d,"note":"%s"},`, hex(12), 1+i, random.IntN(100), random.IntN(100), hex(32))
	}
	event = strings.TrimSuffix(event, ",") + `],"comment":"`
	for end := `"}}`; len(event)+len(end) < 1024; {
		event += hex(min(32, 1024-len(event)-len(end)))
	}
	return event + `"}}`
}

// usage is what was used, per million events.
func (r *run) usage(events int) bill.Usage {
	on := r.stack()
	used := bill.Usage(on.settings.meter.soFar())
	used["api"] = float64(r.requests)
	used["logs.access"] = float64(r.requests*on.template.accessLine()) / 1e9
	used["logs.functions"] = float64(on.log.billed()) / 1e9
	starts := 0
	for id, messages := range map[string]int{"Ingest": events, "Fanout": events, "Delivery": subscribers * events} {
		name, f := strings.ToLower(id), on.functions[id]
		memory := on.template.memory(id)
		used["lambda."+name] = float64(f.calls)
		used["gbs."+name] = bill.GBSeconds(name, memory, float64(f.calls), float64(messages))
		f.kill()
		starts += f.starts
		r.t.Logf("%s: %d calls, %d starts, %v of processor time for %d messages", name, f.calls, f.starts, f.cpu, messages)
	}
	used["backup"], used["storage"] = r.stored()
	for _, c := range r.receiver.at("/hook/*") {
		used["out"] += float64(c.sent()) / 1e9
	}
	for line := range used {
		used[line] *= 1e6 / float64(events)
	}
	for _, line := range []string{"kms", "secrets"} { // asked for at starts only
		used[line] *= startsPerMillion * float64(events) / 1e6 / float64(starts)
	}
	return used
}

// accessLine is the length of a line of the API's access log for a publish
// request, with what CloudWatch adds.
func (tmpl template) accessLine() int {
	const perLine = 26
	values := strings.NewReplacer(
		"$context.requestId", "JKJaXmPLvHcESHA=", "$context.identity.sourceIp", "203.0.113.117",
		"$context.httpMethod", "POST", "$context.path", "/v1/tenants/acme/events", "$context.status", "202",
		"$context.responseLatency", "25", "$context.dataProcessed", "27500", "$context.integrationErrorMessage", "-")
	return len(values.Replace(textAt(tmpl.Resources["ApiStage"].Properties.AccessLog, "Format"))) + perLine
}

// memory is what a function has by default, in MB.
func (tmpl template) memory(id string) float64 {
	size := tmpl.Resources[id].Properties.MemorySize.Value
	if p, is := tmpl.Parameters[size]; is {
		size = p.Default
	}
	mb, err := strconv.ParseFloat(size, 64)
	if err != nil {
		panic(err) // the template's own tests say more
	}
	return mb
}

// textAt finds the text of a key somewhere in a node.
func textAt(n yaml.Node, key string) string {
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && child.Value == key && i+1 < len(n.Content) {
			return n.Content[i+1].Value
		}
		if text := textAt(*child, key); text != "" {
			return text
		}
	}
	return ""
}
