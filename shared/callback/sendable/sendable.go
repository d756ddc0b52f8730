// Package sendable makes the request of a stored delivery: the stored or
// rendered body, and the destination by the current subscription. For a
// delivery that has ended, it says whether there is still something to send.
package sendable

import (
	"context"
	"errors"
	"fmt"

	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/webhook"
)

// Store is where the parts of a delivery are kept.
type Store interface {
	// Event, Content: see delivery's Deliveries.
	Event(ctx context.Context, tenant, source, id string) (webhook.StoredEvent, error)
	Content(ctx context.Context, tenant, id string) (webhook.Content, error)
	// Secrets: see delivery's NamedSecrets.
	Secrets(ctx context.Context, tenant string, names []string) (map[string]webhook.NamedSecret, error)
}

// Prepared is one version of a subscription, made ready for rendering.
type Prepared struct {
	Subscription webhook.Subscription
	Request      *render.Request
	Secrets      []string // that its auth names
}

// Maker makes what deliveries send. Its fields are set once; it is safe for
// concurrent use.
type Maker struct {
	Store   Store
	Prepare func(ctx context.Context, ref webhook.VersionRef) (Prepared, error)
}

// Occasion is what templates see of a delivery.
func Occasion(d webhook.Delivery) render.Occasion {
	return render.Occasion{Delivery: d.ID, Count: d.Count}
}

// Content returns a delivery's body. One that was rendered before stays as it
// is: as stored, or rendered again from the event and the version it was
// decided with, if that gives the same bytes. One that was never rendered, as
// it was canceled before, is rendered by the subscription as it is now. The
// error is [webhook.ErrNotFound] if nothing is left of it, and a [*render.Skip]
// if event and subscription make none.
func (m *Maker) Content(ctx context.Context, d webhook.Delivery, current int64) (webhook.Content, error) {
	if d.Digest != "" {
		c, err := m.Store.Content(ctx, d.Tenant, d.ID)
		if !errors.Is(err, webhook.ErrNotFound) {
			return c, err
		}
		current = d.Version
	}
	e, err := m.Store.Event(ctx, d.Tenant, d.EventSource, d.EventID)
	if err != nil {
		return webhook.Content{}, err
	}
	if e.Expunged {
		return webhook.Content{}, webhook.ErrNotFound
	}
	p, err := m.Prepare(ctx, webhook.VersionRef{Tenant: d.Tenant, ID: d.Subscription, Version: current})
	if err != nil {
		return webhook.Content{}, err
	}
	_, c, err := p.Request.Render(render.NewEvent(e.Event), p.Subscription, Occasion(d))
	var skip *render.Skip
	switch {
	case d.Digest == "":
		return c, err
	case errors.As(err, &skip) || err == nil && c.Digest() != d.Digest:
		return c, webhook.ErrNotFound
	}
	return c, err
}

// Check returns why nothing can be sent of a delivery by the current version of
// its subscription, as a [*render.Skip]; nil if something can. It writes
// nothing.
func (m *Maker) Check(ctx context.Context, d webhook.Delivery, current int64) (*render.Skip, error) {
	p, names, err := m.try(ctx, d, current)
	var skip *render.Skip
	switch {
	case errors.As(err, &skip):
		return skip, nil
	case errors.Is(err, webhook.ErrNotFound):
		return &render.Skip{Reason: webhook.ReasonExpired, Detail: "the retention of its body and its event has ended"}, nil
	case err != nil:
		return nil, fmt.Errorf("make %s: %w", d.ID, err)
	case len(names) == 0:
		return nil, nil
	}
	found, err := m.Store.Secrets(ctx, d.Tenant, names)
	if err != nil {
		return nil, fmt.Errorf("read secrets of %s: %w", d.Tenant, err)
	}
	for _, name := range names {
		secret, is := found[name]
		if skip := render.Unusable(name, p.Subscription, secret, is); skip != nil {
			return skip, nil
		}
	}
	return nil, nil
}

// try makes a delivery's request, and returns the secrets that it names.
func (m *Maker) try(ctx context.Context, d webhook.Delivery, current int64) (p Prepared, secrets []string, err error) {
	if p, err = m.Prepare(ctx, webhook.VersionRef{Tenant: d.Tenant, ID: d.Subscription, Version: current}); err != nil {
		return p, nil, err
	}
	content, err := m.Content(ctx, d, current)
	if err != nil {
		return p, nil, err
	}
	e, err := m.Event(ctx, d)
	if err != nil {
		return p, nil, err
	}
	target, err := p.Request.Target(e, p.Subscription, Occasion(d))
	if err != nil {
		return p, nil, err
	}
	return p, append(render.Secrets(target, content), p.Secrets...), nil
}

// Event reads the delivery's event; of one that retention removed, what the
// delivery itself knows. Of one that was expunged nothing may be sent, not even
// what an attempt that was under way then has stored since: that is a
// [*render.Skip].
func (m *Maker) Event(ctx context.Context, d webhook.Delivery) (*render.Event, error) {
	e, err := m.Store.Event(ctx, d.Tenant, d.EventSource, d.EventID)
	if errors.Is(err, webhook.ErrNotFound) {
		e.Event = webhook.Event{Tenant: d.Tenant, ID: d.EventID, Source: d.EventSource, AcceptedAt: d.CreatedAt}
		err = nil
	}
	if err != nil {
		return nil, fmt.Errorf("read event of %s: %w", d.ID, err)
	}
	if e.Expunged {
		return nil, &render.Skip{Reason: webhook.ReasonExpired, Detail: "its event was expunged"}
	}
	return render.NewEvent(e.Event), nil
}
