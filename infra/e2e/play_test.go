package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// adminKey is the key of every system under test.
const adminKey = "admin-key-of-these-stories"

// patience is how long a story waits for what must happen. It happens within
// milliseconds; a machine that is busy with other tests takes longer.
const patience = 30 * time.Second

// system is Postino under test.
type system interface {
	// URL is the address of the API.
	URL() string
	// Advance lets time pass on our clock.
	Advance(ctx context.Context, by time.Duration) error
	// Redrive moves n messages from exhausted to resend, as soon as there are
	// so many.
	Redrive(ctx context.Context, n int) error
}

// player plays one story.
type player struct {
	t        *testing.T
	system   system
	receiver *receiver
	names    names
	counts   map[string]int // of callbacks, by path, as last received
}

func play(t *testing.T, s story, on system) {
	t.Helper()
	p := &player{t: t, system: on, receiver: newReceiver(t), names: names{}, counts: map[string]int{}}
	p.names["receiver"] = p.receiver.URL
	p.receiver.answer(s.Subscribers)
	for i, st := range s.Steps {
		if why := p.step(st); why != "" {
			t.Fatalf("step %d: %s", i+1, why)
		}
	}
	for path, want := range p.counts {
		if got := len(p.receiver.at(path)); got != want {
			t.Errorf("%s: %d callbacks in the end, want %d as before", path, got, want)
		}
	}
}

// step does one step, and tells why it failed.
func (p *player) step(s step) string {
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	var err error
	switch {
	case s.Call != "":
		return p.calls(ctx, s)
	case s.Receive != "":
		return p.receive(ctx, s)
	case s.Answers != nil:
		p.receiver.answer(s.Answers)
	case s.Advance > 0:
		err = p.system.Advance(ctx, time.Duration(s.Advance))
	case s.Redrive > 0:
		err = p.system.Redrive(ctx, s.Redrive)
	}
	if err != nil {
		return err.Error()
	}
	return p.receiver.forged()
}

// eventually calls look until it finds nothing wrong.
func eventually(ctx context.Context, look func() string) (why string) {
	for pause := 2 * time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		if why = look(); why == "" {
			return ""
		}
		select {
		case <-ctx.Done():
			return "in vain: " + why
		case <-time.After(pause):
		}
	}
}

// atOnce bounds the concurrent calls of one step.
const atOnce = 16

// calls makes a step's calls, and tells of the first that is not as wanted.
func (p *player) calls(ctx context.Context, s step) string {
	if s.Until {
		return eventually(ctx, func() string { return p.call(ctx, s) })
	}
	if s.Times == 0 {
		return p.call(ctx, s)
	}
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i := range s.Times {
		one := &player{t: p.t, system: p.system, receiver: p.receiver, names: p.names.and("n", strconv.Itoa(i))}
		g.Go(func() error {
			if why := one.call(ctx, s); why != "" {
				return fmt.Errorf("%d: %s", i, why)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err.Error()
	}
	return ""
}

// call makes one call.
func (p *player) call(ctx context.Context, s step) string {
	req, err := p.request(ctx, s)
	if err != nil {
		return err.Error()
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	got := parse(text)
	call := p.names.fill(s.Call)
	if resp.StatusCode != s.Status {
		return fmt.Sprintf("%s = %d %s, want %d", call, resp.StatusCode, text, s.Status)
	}
	if s.Want != nil {
		if why := p.names.contains(got, s.Want, "answer"); why != "" {
			return fmt.Sprintf("%s: %s, in %s", call, why, text)
		}
	}
	if s.Secret != "" {
		object, _ := got.(map[string]any)
		secret, _ := object["secret"].(string)
		p.receiver.trust(p.names.fill(s.Secret), secret)
	}
	return spaced(got, time.Duration(s.Spaced))
}

func (p *player) request(ctx context.Context, s step) (*http.Request, error) {
	method, path, _ := strings.Cut(p.names.fill(s.Call), " ")
	body, media := s.Text, "text/plain"
	if s.Body != nil {
		body, media = string(s.Body), "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, method, p.system.URL()+path, strings.NewReader(p.names.fill(body)))
	if err != nil {
		return nil, err
	}
	if body != "" {
		req.Header.Set("Content-Type", media)
	}
	req.Header.Set("Authorization", "Bearer "+adminKey)
	for name, value := range s.Headers {
		req.Header.Set(name, p.names.fill(value))
	}
	return req, nil
}

// spaced tells of attempts, in a delivery, that follow each other too fast.
func spaced(delivery any, least time.Duration) string {
	if least == 0 {
		return ""
	}
	object, _ := delivery.(map[string]any)
	attempts, _ := object["attempts"].([]any)
	var last time.Time
	for i, a := range attempts {
		text, _ := a.(map[string]any)["started_at"].(string)
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return err.Error()
		}
		if i > 0 && at.Sub(last) < least {
			return fmt.Sprintf("attempt %d came %v after the one before, want at least %v", i+1, at.Sub(last), least)
		}
		last = at
	}
	return ""
}

// receive waits for callbacks and looks at them.
func (p *player) receive(ctx context.Context, s step) string {
	why := eventually(ctx, func() string {
		if n := len(p.receiver.at(s.Receive)); n < s.Count {
			return fmt.Sprintf("%s: %d callbacks, want %d", s.Receive, n, s.Count)
		}
		return p.receiver.forged() // a secret may be known a moment later
	})
	if why != "" {
		return why
	}
	all := p.receiver.at(s.Receive)
	p.counts[s.Receive] = s.Count
	if len(all) != s.Count {
		return fmt.Sprintf("%s: %d callbacks, want %d", s.Receive, len(all), s.Count)
	}
	if why := sameBodies(all, s.IDs); why != "" {
		return s.Receive + ": " + why
	}
	for i, c := range all {
		if s.Each != nil && why == "" {
			why = p.has(c, *s.Each)
		}
		if i < len(s.Got) && why == "" {
			why = p.has(c, s.Got[i])
		}
		if why != "" {
			return fmt.Sprintf("%s: callback %d: %s", s.Receive, i+1, why)
		}
	}
	return ""
}

// sameBodies tells of a delivery whose body changes, or of another number of
// deliveries than wanted; 0 wants any.
func sameBodies(all []callback, deliveries int) string {
	bodies := map[string]string{}
	for _, c := range all {
		if body, again := bodies[c.id()]; again && body != c.body {
			return fmt.Sprintf("%s had the body %s, and now %s", c.id(), body, c.body)
		}
		bodies[c.id()] = c.body
	}
	if deliveries > 0 && len(bodies) != deliveries {
		return fmt.Sprintf("%d deliveries in %d callbacks, want %d", len(bodies), len(all), deliveries)
	}
	return ""
}

// has tells why a callback does not contain what it should.
func (p *player) has(c callback, want content) string {
	for name, value := range want.Headers {
		if why := p.names.contains(c.headers.Get(name), value, name); why != "" {
			return why
		}
	}
	if text := p.names.fill(want.Text); text != "" && text != c.body {
		return fmt.Sprintf("body is %s, want %s", c.body, text)
	}
	if want.Body == nil {
		return ""
	}
	return p.names.contains(parse([]byte(c.body)), want.Body, "body")
}
