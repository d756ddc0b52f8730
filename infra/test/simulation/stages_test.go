package simulation_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/postino/postino/shared/callback/breaker"
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/stage/delivery"
	"github.com/postino/postino/shared/stage/fanout"
	"github.com/postino/postino/shared/stage/job"
	"github.com/postino/postino/shared/stage/sweep"
	"github.com/postino/postino/shared/webhook"
)

var noLog = slog.New(slog.DiscardHandler)

func (c *container) to(queue string) sender { return sender{c, queue} }

func (c *container) fanout() *fanout.Fanout {
	f := &fanout.Fanout{Store: fanoutStore{c.store}, Events: c.to("events"), Deliveries: c.to("deliveries"), Bundle: int(c.w.seed % 2 * 3), Now: time.Now, Count: c.w.count, Ended: c.w.stats.Ended, Log: noLog}
	f.Calm(nil)
	return f
}

func (c *container) delivery() *delivery.Deliverer {
	return &delivery.Deliverer{
		Far: true, Store: c.store, Retries: c.to("retries"), Resend: c.to("resend"), Exhausted: c.to("exhausted"), Events: c.to("events"),
		Client: c, Class: class, Secrets: c.w.sealer, Now: time.Now, Version: "0", Log: noLog,
		Jobs:    &job.Worker{Store: c.store, Resend: c.to("resend"), Retries: c.to("retries"), Counter: c.w.counter()},
		Breaker: easily, Count: c.w.count, Observe: c.w.observe, Stats: &c.w.stats,
	}
}

// easily opens a breaker that a few attempts are enough for: worlds are small.
var easily = breaker.Rule{
	Window: 20 * time.Minute, Attempts: 4, Percent: 75, FirstProbe: 30 * time.Second, LastProbe: 5 * time.Minute, Passes: 2,
}

// count adds to what a metric counts.
func (w *world) count(name string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[name] += n
}

func (w *world) counter() lifecycle.Counter {
	return lifecycle.Counter{Count: w.count, Stats: w.stats.Ended}
}

// observe counts what a histogram measures.
func (w *world) observe(name string, _ time.Duration) { w.count(name+"_seconds", 1) }

// class is how the client's errors count.
func class(err error) webhook.ErrorClass {
	if errors.Is(err, context.DeadlineExceeded) {
		return webhook.ErrorTimeout
	}
	return webhook.ErrorReset
}

const key = "the-admin-key"

// random is what the container's ids are made of: of the world's seed, so that
// a replay makes the same.
func (c *container) random() io.Reader {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], c.w.seed)
	binary.LittleEndian.PutUint64(seed[8:], uint64(c.number))
	return rand.NewChaCha8(seed)
}

// call makes an API request to a process of its own, and tells how it was
// answered; status 0 means not at all.
func (w *world) call(method, path, body string, then func(status int, answer []byte)) {
	w.callWith("", method, path, body, then)
}

// callWith makes an API request with an Idempotency-Key.
func (w *world) callWith(idempotency, method, path, body string, then func(status int, answer []byte)) {
	r := httptest.NewRequest(method, "/v1/tenants/"+tenant+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+key)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if strings.HasSuffix(path, "/replay") { // its id would be random else, and the world not its seed's
		w.asked++
		idempotency = strconv.Itoa(w.asked)
	}
	if idempotency != "" {
		r.Header.Set("Idempotency-Key", idempotency)
	}
	answer := httptest.NewRecorder()
	var at *desk
	w.start(func(c *container) {
		ctx, cancel := context.WithTimeout(context.Background(), 29*time.Second)
		defer cancel()
		if path == "/events" {
			w.door().ServeHTTP(answer, r.WithContext(context.WithValue(ctx, doorKey{}, c)))
			return
		}
		at = w.desk(c)
		at.handler.ServeHTTP(answer, r.WithContext(ctx))
	}, func(c *container) {
		w.leaves(at)
		if c.dead {
			w.intake = nil // its memory is gone
			then(0, nil)
			return
		}
		then(answer.Code, answer.Body.Bytes())
	})
}

// anywhere lets callbacks go to any address.
type anywhere struct{}

func (anywhere) CheckURL(*url.URL) error { return nil }

// sweepIsDue says whether a sweep of this minute would find anything. Those
// that would not are left out, and the mark is where they would have left it.
func (w *world) sweepIsDue() bool {
	due, found := w.store.NextDue()
	now := time.Now()
	return found && !now.Before(due.Add(-time.Minute).Truncate(time.Minute)) && !now.Before(w.swept.Add(time.Minute))
}

func (w *world) sweep() {
	now := time.Now()
	if due, found := w.store.NextDue(); found {
		if mark := now.Truncate(time.Minute).Add(-20 * time.Minute); due.After(mark) {
			_ = w.store.RaiseLowWater(context.Background(), mark)
		}
	}
	w.swept = now.Truncate(time.Minute)
	w.start(func(c *container) {
		c.sweeps = true
		ctx, cancel := context.WithTimeout(context.Background(), 55*time.Second)
		defer cancel()
		s := &sweep.Sweeper{
			Store: c.store, Retries: c.to("retries"), Resend: c.to("resend"), Events: c.to("events"), Now: time.Now, Log: noLog,
		}
		_ = s.Sweep(ctx) // the next one goes on
	}, func(*container) {})
}

// flush queues what a planted bug held back.
func (c *container) flush(context.Context, string) error {
	held := c.held
	if !c.sweeps {
		return nil
	}
	c.held = nil
	for _, h := range held {
		if err := c.send(h.queue, h.messages); err != nil {
			return err
		}
	}
	return nil
}

var errReset = errors.New("connection reset")

// receive is a subscriber, to whom a callback came. It returns what the
// subscriber answers; the world's dice are thrown before.
func (w *world) receive(id string, r *http.Request) func() (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	p := w.seen[id]
	if p == nil {
		p = &posted{body: string(body), answers: map[int]int{}}
		w.seen[id] = p
		w.ids = append(w.ids, id)
	}
	p.count++
	if p.body != string(body) {
		w.wrong("delivery %s was posted as %q and as %q", id, p.body, body)
	}
	if strings.Count(r.Header.Get("Webhook-Signature"), ",") < 1 {
		w.wrong("delivery %s came without a signature", id)
	}
	answer := func(status int, retryAfter string) func() (*http.Response, error) {
		p.answers[status]++
		if status/100 == 2 {
			p.confirmed = true
		}
		h := http.Header{}
		if retryAfter != "" {
			h.Set("Retry-After", retryAfter)
		}
		return func() (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader("x")), Request: r}, nil
		}
	}
	switch n := w.rng.IntN(100); {
	case w.fails(r.URL.Path):
		return answer(500, "")
	case n < 50 || w.calm:
		return answer(200, "")
	case n < 75:
		return answer(500, "")
	case n < 82:
		return answer(429, "90")
	case n < 87 && !w.healed:
		return answer(410, "")
	case n < 93:
		p.answers[0]++
		return func() (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() }
	}
	p.answers[0]++
	return func() (*http.Response, error) { return nil, errReset }
}

// publish sends a publication of n events and notes what was accepted. Some
// repeat one that was published before, and some of these say something else.
func (w *world) publish(n int, again bool) func() {
	return func() {
		var events, ids []string
		for range n {
			id := ""
			if len(w.published) > 0 && again {
				id = w.someEvent()
			}
			if id == "" {
				id = w.event([]string{"a.x", "b.x"}[w.rng.IntN(2)], "")
			}
			if contains(ids, id) {
				continue
			}
			event := w.published[id]
			if again && w.rng.IntN(4) == 0 {
				event = strings.Replace(event, `"n"`, `"other":true,"n"`, 1)
			}
			ids, events = append(ids, id), append(events, event)
		}
		w.send("", ids, events)
	}
}

// event makes up an event with an id of its own.
func (w *world) event(typ, subject string) (id string) {
	id = string(rune('a'+len(w.published)%26)) + strings.Repeat("x", len(w.published)/26)
	if subject != "" {
		subject = `"subject":"` + subject + `",`
	}
	w.published[id] = `{"type":"` + typ + `",` + subject + `"id":"` + id + `","data":{"n":"` + id + `"}}`
	w.eventOrder = append(w.eventOrder, id)
	return id
}

func contains(ids []string, id string) bool {
	for _, have := range ids {
		if have == id {
			return true
		}
	}
	return false
}

func (w *world) someEvent() string { return w.eventOrder[w.rng.IntN(len(w.eventOrder))] }
