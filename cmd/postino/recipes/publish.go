package recipes

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

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
