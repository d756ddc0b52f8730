package fanout

import (
	"context"

	"github.com/postino/postino/shared/queue/outbox"
)

// outgoing is what the handling of one message sends, before it is done.
type outgoing struct {
	view       *view // of the message's batch
	deliveries outbox.Outbox
	events     outbox.Outbox
}

func (f *Fanout) outgoing(v *view) *outgoing {
	return &outgoing{view: v, deliveries: outbox.Outbox{To: f.Deliveries, Bundle: f.Bundle}, events: outbox.Outbox{To: f.Events}}
}

func (o *outgoing) flush(ctx context.Context) error {
	if err := o.events.Flush(ctx); err != nil {
		return err
	}
	return o.deliveries.Flush(ctx)
}

// flushTogether sends what the messages of a batch have left, together. What
// was not sent is the failure of the messages that it was for.
func flushTogether(ctx context.Context, outs []*outgoing, errs []error) {
	for _, of := range []func(*outgoing) *outbox.Outbox{
		func(o *outgoing) *outbox.Outbox { return &o.events },
		func(o *outgoing) *outbox.Outbox { return &o.deliveries },
	} {
		boxes := make([]*outbox.Outbox, len(outs))
		for i, o := range outs {
			boxes[i] = of(o)
		}
		outbox.FlushTogether(ctx, boxes, errs)
	}
}
