package fanout

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/render"
	"github.com/postino/postino/shared/webhook"
)

// Fanout turns published events into deliveries. Its fields are set once; it
// is safe for concurrent use.
type Fanout struct {
	Store      Store
	Events     Sender // where packs are split and plans spread
	Deliveries Sender
	Pack       int                      // above 1: so many first attempts of one subscription share a message; see parcel
	Retention  webhook.Retention        // of what it stores; the zero value is the default
	Now        func() time.Time         // our clock; nil means time.Now
	Count      func(name string, n int) // counts events_stored, events_duplicate, events_replayed, deliveries_planned; nil for none
	Ended      func(webhook.Delivery)   // counts a delivery that never began; nil for none
	Log        *slog.Logger

	once     sync.Once
	audience *audiences
	versions *versions
	locks    locks
	jitter   func(time.Duration) time.Duration // a random part of it; nil means just that
}

// splitAfter is the number of receipts after which a pack that still fails is
// taken apart, so that one poison event takes no other with it.
const splitAfter = 3

// eventsAtOnce bounds the events of one pack that are stored concurrently.
const eventsAtOnce = 32

// Handle works a batch of messages from the events queue and returns the ids
// of those that must come again.
func (f *Fanout) Handle(ctx context.Context, batch []queue.Message) (failed []string) {
	if len(batch) == 0 {
		return nil
	}
	f.once.Do(f.start)
	v := f.audience.view()
	errs, outs := make([]error, len(batch)), make([]*outgoing, len(batch))
	turn := func(i int) {
		outs[i] = f.outgoing()
		if errs[i] = f.handle(ctx, v, batch[i], outs[i]); errs[i] == nil && f.Pack < 2 {
			errs[i] = outs[i].flush(ctx)
		}
	}
	var wg sync.WaitGroup
	for i := range batch[1:] {
		wg.Go(func() { turn(i + 1) })
	}
	turn(0) // often the only one, and the stack here has grown before
	wg.Wait()
	if f.Pack > 1 {
		f.flushTogether(ctx, outs, errs)
	}
	for i, err := range errs {
		if err == nil {
			continue
		}
		f.Log.Error("fan out", "group", batch[i].Group, "received", batch[i].Received, "error", err)
		failed = append(failed, batch[i].ID)
	}
	return failed
}

func (f *Fanout) start() {
	f.audience = newAudiences(f.Store, f.Log)
	f.locks = newLocks()
	f.versions = newVersions(f.Store, f.Retention.Once)
	if f.Count == nil {
		f.Count = func(string, int) {}
	}
}

func (f *Fanout) now() time.Time {
	if f.Now == nil {
		return time.Now()
	}
	return f.Now()
}

// handle does what a message asks for, and leaves in out what is to be sent
// before it is done.
func (f *Fanout) handle(ctx context.Context, v *view, m queue.Message, out *outgoing) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	switch message.KindOf(m.Body) {
	case message.KindPack:
		return f.pack(ctx, v, m, out)
	case message.KindLeaf:
		return f.leaf(ctx, m, out)
	case message.KindFire:
		return f.fire(ctx, m, out)
	case message.KindReplay:
		return f.replay(ctx, v, m)
	}
	return message.ErrMalformed
}

// pack handles published events: store each with its plan, then carry the
// plans out together.
func (f *Fanout) pack(ctx context.Context, v *view, m queue.Message, out *outgoing) error {
	p, err := message.DecodePack(m.Body)
	if err != nil {
		return err
	}
	if len(p.Events) > 1 && m.Received > splitAfter {
		return f.split(ctx, m.Group, p)
	}
	if len(p.Events) == 1 { // most are, and need no goroutine
		return f.packed(ctx, v, p.Events[0], out)
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(eventsAtOnce)
	for _, e := range p.Events {
		g.Go(func() error { return f.packed(gctx, v, e, out) })
	}
	return g.Wait()
}

// packed handles one event of a pack.
func (f *Fanout) packed(ctx context.Context, v *view, e webhook.Event, out *outgoing) error {
	if err := f.event(ctx, v, e, out); err != nil {
		return fmt.Errorf("event %s of %s: %w", e.ID, e.Tenant, err)
	}
	return nil
}

func (f *Fanout) split(ctx context.Context, group string, p message.Pack) error {
	out := &outbox{to: f.Events}
	for i := range p.Events {
		if err := out.add(ctx, queue.Message{Group: group, Body: message.Pack{Events: p.Events[i : i+1]}.Encode()}); err != nil {
			return err
		}
	}
	return out.flush(ctx)
}

// event decides for one event, unless that is done, and carries out what was
// decided.
func (f *Fanout) event(ctx context.Context, v *view, e webhook.Event, out *outgoing) error {
	stored, err := f.decide(ctx, v, e)
	if errors.Is(err, errDeleted) {
		return nil // it went with its tenant
	}
	if err != nil {
		return err
	}
	if stored.Nonce != e.Nonce {
		f.Count("events_duplicate", 1)
		return nil // the publication that won carries its own plan out
	}
	stored.Order = e.Order
	if stored.Plan.Pages == 0 {
		return f.carryOut(ctx, stored, "", stored.Plan.Entries, out)
	}
	return f.spread(ctx, stored, stored.Plan, "")
}

// decide matches the event and stores it with its plan. If the event is
// stored already, that plan stands.
func (f *Fanout) decide(ctx context.Context, v *view, e webhook.Event) (webhook.StoredEvent, error) {
	entries, err := v.match(ctx, e)
	if err != nil {
		return webhook.StoredEvent{}, fmt.Errorf("match: %w", err)
	}
	plan := webhook.Plan{Entries: entries, Total: len(entries)}
	if len(entries) > webhook.PlanInline {
		// A repeat must not write over the pages of what was decided.
		if stored, err := f.Store.Event(ctx, e.Tenant, e.Source, e.ID); !errors.Is(err, webhook.ErrNotFound) {
			return stored, err
		}
		if plan, err = f.storePages(ctx, e, entries); err != nil {
			return webhook.StoredEvent{}, fmt.Errorf("store plan: %w", err)
		}
	}
	stored, created, err := f.Store.CreateEvent(ctx, webhook.StoredEvent{Event: e, Plan: plan})
	if err != nil {
		return stored, fmt.Errorf("store: %w", err)
	}
	if created {
		f.Count("events_stored", 1)
	}
	return stored, nil
}

// carryOut does for each entry what it says: queue a first attempt, or ask the
// trigger. Replay names the replay that planned the entries, "" the event's own
// plan.
func (f *Fanout) carryOut(ctx context.Context, e webhook.StoredEvent, replay string, entries []webhook.PlanEntry, out *outgoing) error {
	if e.Expunged || len(entries) == 0 {
		return nil
	}
	subs, err := f.versions.get(ctx, e.Tenant, entries)
	if err != nil {
		return fmt.Errorf("read subscriptions: %w", err)
	}
	r := newRendering(e.Event, replay)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(triggersAtOnce)
	for _, p := range subs {
		if err := ctx.Err(); err != nil {
			return errors.Join(err, g.Wait()) // the message comes again
		}
		switch {
		case p.Costly:
			g.Go(func() error { return f.undecided(gctx, r, p, out) })
		case p.trigger != nil && replay != "":
			g.Go(func() error { return f.triggeredAgain(gctx, r, p, out) })
		case p.trigger != nil:
			g.Go(func() error { return f.triggered(gctx, r, p, out) })
		case !p.Only:
			if err := f.deliver(ctx, r, p.subscriber, 0, out); err != nil {
				return errors.Join(err, g.Wait())
			}
		}
	}
	return g.Wait()
}

// deliver queues the first attempt, or cancels a delivery that cannot be
// rendered.
func (f *Fanout) deliver(ctx context.Context, r *rendering, s *subscriber, count int, out *outgoing) error {
	m, err := r.first(s, count)
	var skip *render.Skip
	if errors.As(err, &skip) {
		return f.cancel(ctx, r, s, count, skip.Reason, out)
	}
	if err != nil {
		return fmt.Errorf("render for %s: %w", s.ID, err)
	}
	f.Count("deliveries_planned", 1)
	return out.deliveries.add(ctx, m)
}

// undecided carries out an entry of which matching could not tell whether the
// subscription gets the event: it cancels the timers that the event certainly
// cancels, and the delivery, for its owner to see.
func (f *Fanout) undecided(ctx context.Context, r *rendering, p planned, out *outgoing) error {
	if p.trigger != nil && r.occasion == "" {
		if err := f.cancelTimers(ctx, r, p); err != nil {
			return err
		}
	}
	return f.cancel(ctx, r, p.subscriber, 0, webhook.ReasonFilterCost, out)
}

// backoff is what a caller waits before it asks a busy store again.
const backoff = 20 * time.Millisecond

// again calls f until it is not told ErrBusy, a few times.
func again(ctx context.Context, f func() error) error {
	var err error
	for i := range 4 {
		if err = f(); !errors.Is(err, webhook.ErrBusy) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(backoff << i):
		}
	}
	return err
}
