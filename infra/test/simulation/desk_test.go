package simulation_test

import (
	"context"
	"io"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/manage"
)

// desk is a process that answers API requests, one at a time: making its routes
// costs more than most of what is asked of it.
type desk struct {
	handler *manage.Handler
	store   *tapped
	random  io.Reader
}

// desk takes an idle desk, or sets up one, for a container's request.
func (w *world) desk(c *container) *desk {
	w.mu.Lock()
	defer w.mu.Unlock()
	var d *desk
	if n := len(w.desks); n > 0 {
		d, w.desks = w.desks[n-1], w.desks[:n-1]
	} else {
		d = &desk{store: &tapped{Store: w.store}}
		d.handler = &manage.Handler{
			Store: d.store, Resend: deskSender{d, "resend"}, Events: deskSender{d, "events"}, Secrets: w.sealer, Destinations: anywhere{},
			Auth: httpapi.NewAdminKey(key), Log: noLog, Random: d, Counter: w.counter(),
		}
	}
	d.store.c, d.random = c, c.random()
	return d
}

// leaves makes a desk idle, unless its process died.
func (w *world) leaves(d *desk) {
	if d != nil && !d.store.c.dead {
		w.desks = append(w.desks, d)
	}
}

// Read draws from what is random for the desk's container.
func (d *desk) Read(p []byte) (int, error) { return d.random.Read(p) }

// deskSender is a queue as whichever container is at the desk sees it.
type deskSender struct {
	d     *desk
	queue string
}

func (s deskSender) Send(ctx context.Context, messages []queue.Message) error {
	return s.d.store.c.to(s.queue).Send(ctx, messages)
}
