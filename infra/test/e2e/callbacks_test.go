package e2e

import (
	"context"
	"fmt"
)

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
