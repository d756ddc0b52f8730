package recipes

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/retry"
)

// Server is a Postino whose clock stands still.
type Server interface {
	URL() string
	AdminKey() string
	// Now is the time by its clock.
	Now() time.Time
	// Advance moves the clock, perhaps not at all, and returns when all that
	// is due has been done.
	Advance(ctx context.Context, by time.Duration) error
}

// Player says how a recipe is played. Its zero value plays as it is written.
type Player struct {
	Copies int        // each event is published so often, with the same id; 0 is once
	Order  *rand.Rand // shuffles the events of a step and publishes them at once, where the recipe allows; nil is as written
	Watch  Watcher    // nil for none
}

// Watcher is told what happens in a play.
type Watcher interface {
	Step(s Step, since time.Duration)
	Request(r Shown)
}

// play is one.
type play struct {
	Player
	recipe   Recipe
	server   Server
	tenant   string
	receiver *receiver
	start    time.Time
	waits    []Reason          // seen in previews, of the step
	reached  []Reason          // expected so far
	sources  map[string]string // of the events, by id
}

// Play plays a recipe for a tenant that has nothing else. The error says which
// step led to other requests or other reasons than it should.
func (p Player) Play(ctx context.Context, r Recipe, s Server, tenant string) error {
	receiver, err := receive(r.Answers)
	if err != nil {
		return err
	}
	defer receiver.close()
	one := &play{Player: p, recipe: r, server: s, tenant: tenant, receiver: receiver, start: s.Now(), sources: map[string]string{}}
	if err := one.subscribe(ctx); err != nil {
		return fmt.Errorf("recipe %s: %w", r.Name, err)
	}
	for i, step := range r.Story {
		if err := one.step(ctx, i, step); err != nil {
			return fmt.Errorf("recipe %s: step %d (%s): %w", r.Name, i+1, step.About, err)
		}
	}
	if err := one.step(ctx, len(r.Story), Step{About: "nothing more", After: silence}); err != nil {
		return fmt.Errorf("recipe %s: after the end: %w", r.Name, err)
	}
	return nil
}

// silence is how long nothing more may arrive after the end.
const silence = "30d"

// step lets happen what a step says and looks at all that follows.
func (p *play) step(ctx context.Context, i int, s Step) error {
	p.waits = nil
	if s.After != "" {
		by, err := retry.ParseDuration(s.After)
		if err != nil {
			return err
		}
		if err := p.server.Advance(ctx, by); err != nil {
			return err
		}
	}
	if p.Watch != nil && i < len(p.recipe.Story) {
		p.Watch.Step(s, p.server.Now().Sub(p.start))
	}
	if err := p.publish(ctx, i, s); err != nil {
		return err
	}
	got, err := p.receiver.take()
	if err != nil {
		return err
	}
	if p.Watch != nil {
		for _, a := range got {
			p.Watch.Request(p.shown(a))
		}
	}
	if err := compare(s.Requests, got, p.start); err != nil {
		return err
	}
	return p.checkReasons(ctx, s)
}

// published is an event as it is published.
type published struct {
	id   string
	body []byte
}

// publish publishes the events of a step and waits until all is done.
func (p *play) publish(ctx context.Context, i int, s Step) error {
	list, err := p.events(i, s)
	if err != nil {
		return err
	}
	if p.Order == nil || !p.recipe.AnyOrder {
		for _, e := range list {
			if err := p.inOrder(ctx, s, e); err != nil {
				return err
			}
		}
		return p.server.Advance(ctx, 0)
	}
	p.Order.Shuffle(len(list), func(a, b int) { list[a], list[b] = list[b], list[a] })
	var g errgroup.Group
	g.SetLimit(16)
	for _, e := range list {
		g.Go(func() error { return p.call(ctx, http.MethodPost, "/events", e.body, nil) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return p.server.Advance(ctx, 0)
}

// inOrder asks for the reasons that are told of an event before it happens,
// and then lets it happen.
func (p *play) inOrder(ctx context.Context, s Step, e published) error {
	for _, r := range s.Reasons {
		known := slices.ContainsFunc(p.waits, func(w Reason) bool { return w.Event == r.Event && w.Subscription == r.Subscription })
		if r.Event != e.id || known {
			continue
		}
		if err := p.server.Advance(ctx, 0); err != nil { // what was before must be done
			return err
		}
		reason, err := p.preview(ctx, r.Subscription, e.body)
		if err != nil {
			return err
		}
		p.waits = append(p.waits, Reason{Event: r.Event, Subscription: r.Subscription, Reason: reason})
	}
	return p.call(ctx, http.MethodPost, "/events", e.body, nil)
}

// events makes the events of a step, all copies.
func (p *play) events(i int, s Step) (list []published, err error) {
	for j, text := range s.Events {
		for n := range max(1, s.Times) {
			e, err := p.event(text, fmt.Sprintf("%s-%d-%d-%d", p.recipe.Name, i+1, j+1, n+1), s.Times > 1)
			if err != nil {
				return nil, fmt.Errorf("event %d: %w", j+1, err)
			}
			for range max(1, p.Copies) {
				list = append(list, e)
			}
		}
	}
	return list, nil
}

// event completes an event: what is told again must be the same in all.
func (p *play) event(text []byte, id string, always bool) (e published, err error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(fill(string(Compact(text)), p.start)), &fields); err != nil {
		return e, err
	}
	if fields["id"] == nil || always {
		fields["id"] = json.RawMessage(fmt.Sprintf("%q", id))
	}
	if fields["time"] == nil {
		fields["time"] = json.RawMessage(`"` + p.server.Now().UTC().Format(time.RFC3339Nano) + `"`)
	}
	if err := json.Unmarshal(fields["id"], &e.id); err != nil {
		return e, err
	}
	var source string
	if fields["source"] != nil {
		if err := json.Unmarshal(fields["source"], &source); err != nil {
			return e, err
		}
	}
	p.sources[e.id] = source
	e.body, err = json.Marshal(fields)
	return e, err
}

// checkReasons compares what did not succeed with the reasons that the recipe
// gives, up to here.
func (p *play) checkReasons(ctx context.Context, s Step) error {
	p.reached = append(p.reached, s.Reasons...)
	var ended []Reason
	for _, status := range []string{"canceled", "exhausted"} {
		list, err := p.reasons(ctx, status)
		if err != nil {
			return err
		}
		ended = append(ended, list...)
	}
	for _, r := range ended {
		if !slices.Contains(p.reached, r) {
			return fmt.Errorf("unexpected: %s to %s ended: %s", r.Event, r.Subscription, r.Reason)
		}
	}
	for _, r := range s.Reasons {
		if slices.Contains(ended, r) || slices.Contains(p.waits, r) {
			continue
		}
		skipped, err := p.skipped(ctx, r.Event)
		if err != nil {
			return err
		}
		// Events in another order were not previewed, which alone tells of
		// those that do not match.
		if !slices.Contains(skipped, r) && (p.Order == nil || len(skipped) > 0) {
			return fmt.Errorf("missing: %s to %s: %s; instead %v, %v and %v", r.Event, r.Subscription, r.Reason, p.waits, skipped, ended)
		}
	}
	return nil
}
