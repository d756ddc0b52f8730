package recipes

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/postino/postino/shared/callback/retry"
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
	receiver, err := receive(r.Answers, r.Bodies)
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
	if err := p.move(ctx, s); err != nil {
		return err
	}
	if p.Watch != nil && i < len(p.recipe.Story) {
		p.Watch.Step(s, p.server.Now().Sub(p.start))
	}
	for _, c := range s.Calls {
		if err := p.make(ctx, c); err != nil {
			return err
		}
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
	if err := p.checkReasons(ctx, s); err != nil {
		return err
	}
	return p.look(ctx, s.Sees)
}

// move moves the clock to where a step begins.
func (p *play) move(ctx context.Context, s Step) (err error) {
	var by time.Duration
	if s.Eve != "" {
		eve, err := eveOf(s.Eve, p.server.Now())
		if err != nil {
			return err
		}
		by = eve.Sub(p.server.Now())
	}
	if s.After != "" {
		if by, err = retry.ParseDuration(s.After); err != nil {
			return err
		}
	}
	if by == 0 {
		return nil
	}
	return p.server.Advance(ctx, by)
}
