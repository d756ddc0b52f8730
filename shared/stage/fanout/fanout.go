package fanout

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/store/crowd"
	"github.com/postino/postino/shared/webhook"
)

// Fanout turns published events into deliveries. Its fields are set once; it
// is safe for concurrent use.
type Fanout struct {
	Store      Store
	Events     Sender // for parts of packs, pages of plans, and timers
	Deliveries Sender
	Bundle     int                      // above 1: so many first attempts of one subscription share a message; see bundle
	Retention  webhook.Retention        // of what it stores; the zero value is the default
	Now        func() time.Time         // our clock; nil means time.Now
	Count      func(name string, n int) // counts events_stored, events_duplicate, events_replayed, deliveries_planned; nil for none
	Results    Results                  // of campaigns; nil counts none
	Ended      func(webhook.Delivery)   // counts a delivery that never began; nil for none
	Log        *slog.Logger

	once      sync.Once
	arrays    arrays
	pages     pages
	profiles  profiles
	replays   replays
	timers    timers
	triggers  triggers
	turns     turns
	campaigns campaigns
	results   results
	audience  *audiences
	versions  *versions
	crowds    *crowd.Crowds
	locks     locks
	inTurn    bool // one event of a batch after the other: see Calm
}

// Handle works a batch of messages from the events queue and returns the ids
// of those that must come again.
func (f *Fanout) Handle(ctx context.Context, batch []queue.Message) (failed []string) {
	if len(batch) == 0 {
		return nil
	}
	f.once.Do(f.start)
	v := f.audience.view()
	if v.whole = len(batch) > 1; f.Bundle > 1 {
		v.groups = newGroups(f.Bundle)
	}
	errs, outs := make([]error, len(batch)), make([]*outgoing, len(batch))
	turn := func(i int) {
		outs[i] = f.outgoing(v)
		if errs[i] = f.handle(ctx, v, batch[i], outs[i]); errs[i] == nil && f.Bundle < 2 {
			errs[i] = outs[i].flush(ctx)
		}
	}
	var wg sync.WaitGroup
	for i := range batch[1:] {
		if f.inTurn {
			turn(i + 1)
			continue
		}
		wg.Go(func() { turn(i + 1) })
	}
	turn(0) // often the only one, and the stack here has grown before
	wg.Wait()
	if f.Bundle > 1 {
		flushTogether(ctx, outs, errs)
	}
	for i, err := range errs {
		if err == nil {
			continue
		}
		if errors.Is(err, crowd.ErrContended) {
			if err = f.putOff(ctx, batch[i]); err == nil {
				continue
			}
		}
		f.Count("messages_failed", 1)
		f.Log.Error("fan out", "group", batch[i].Group, "received", batch[i].Received, "error", err)
		failed = append(failed, batch[i].ID)
	}
	return failed
}

// putOffFor is the most that a message is put off for whose key others change
// all the time: their turns are over then.
const putOffFor = 3 * time.Second

// putOff sends a message again, to come soon. If it failed instead, it would come
// after minutes, and contention would use up the receipts that are there for
// what crashes us. Doing work twice does no harm.
func (f *Fanout) putOff(ctx context.Context, m queue.Message) error {
	f.Log.Warn("put off: others change its key all the time", "group", m.Group, "received", m.Received)
	delay := time.Second + f.crowds.Random(putOffFor-time.Second)
	if err := f.Events.Send(ctx, []queue.Message{{Body: m.Body, Group: m.Group, Delay: delay}}); err != nil {
		return fmt.Errorf("put off: %w", err)
	}
	return nil
}

func (f *Fanout) start() {
	f.arrays, f.pages, f.profiles, f.replays = arrays{f}, pages{f}, profiles{f}, replays{f}
	f.timers, f.triggers, f.turns = timers{f}, triggers{f}, turns{f}
	f.campaigns = campaigns{f}
	f.results = results{f}
	f.audience = newAudiences(f.Store, f.Log)
	f.crowds, f.locks = crowd.New(f.Store), newLocks()
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
	asked, err := message.Decode(m.Body)
	if err != nil {
		return err
	}
	switch asked := asked.(type) {
	case message.Pack:
		return f.pack(ctx, v, m, asked, out)
	case message.PlanPage:
		return f.pages.page(ctx, asked, m.Received, out)
	case message.Fire:
		return f.timers.fire(ctx, asked, out)
	case message.Replay:
		return f.replays.replay(ctx, v, asked, out)
	}
	return message.ErrMalformed
}

// event decides for one event, unless that is done, carries out what was
// decided, and returns what is to be asked of triggers. In an array, those of a
// large plan are asked here, in order, and its pages leave them out.
func (f *Fanout) event(ctx context.Context, v *view, e webhook.Event, inArray bool, out *outgoing) (a *asking, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("event %s of %s: %w", e.ID, e.Tenant, err)
		}
	}()
	stored, created, err := f.decide(ctx, v, e, inArray || v.whole)
	if errors.Is(err, errDeleted) {
		return nil, nil // it went with its tenant
	}
	if err != nil {
		return nil, err
	}
	if stored.Nonce != e.Nonce {
		f.Count("events_duplicate", 1)
		if known := !stored.Expunged && (stored.Data != nil || e.Data == nil); known && !stored.SameContent(e) {
			f.Count("events_conflicting", 1)
		}
		return nil, nil // the publication that won carries its own plan out
	}
	stored.Order = e.Order
	if err := f.results.converts(ctx, e, out); err != nil {
		return nil, err
	}
	why := published(stored.Event)
	why.fresh = created
	if stored.Plan.Pages == 0 {
		return f.carryOut(ctx, stored, why, stored.Plan.Entries, out)
	}
	if err := f.pages.send(ctx, stored, stored.Plan, why, inArray, out); err != nil || !inArray {
		return nil, err
	}
	return f.pages.asking(ctx, stored, why, out)
}

// decide matches the event and stores it with its plan. If the event is
// stored already, that plan stands. What shares nothing with others has no group.
func (f *Fanout) decide(ctx context.Context, v *view, e webhook.Event, shares bool) (stored webhook.StoredEvent, created bool, err error) {
	m, err := v.match(ctx, e, e.AcceptedAt)
	if err != nil {
		return stored, false, fmt.Errorf("match: %w", err)
	}
	if shares {
		m.groups = v.groups
	}
	if m, err = f.remembering(ctx, e, m.only(e.Only)); err != nil {
		return stored, false, err
	}
	if stored, created, err = f.profiles.create(ctx, e, m); err != nil {
		return stored, false, fmt.Errorf("store: %w", err)
	}
	if created {
		f.Count("events_stored", 1)
	}
	return stored, created, nil
}

// asking is what is to be asked of triggers for one event.
type asking struct {
	*rendering
	entries []planned
}

// carryOut queues first attempts for those who take every match, and returns
// what is to be asked of the others' triggers; nil if nothing is.
func (f *Fanout) carryOut(ctx context.Context, e webhook.StoredEvent, why occasion, entries []webhook.PlanEntry, out *outgoing) (*asking, error) {
	if e.Expunged || len(entries) == 0 {
		return nil, nil
	}
	a := &asking{rendering: newRendering(e.Event, why)}
	err := f.versions.each(ctx, e.Tenant, entries, func(p planned) error {
		if err := ctx.Err(); err != nil {
			return err // the message comes again
		}
		f.results.countMatched(a.rendering, p)
		if p.CancelsOnly && p.Cancels == 0 {
			return nil // its campaign keeps it from the event
		}
		p, err := f.campaigns.joined(ctx, e.Tenant, p, out)
		if err != nil {
			return err
		}
		if p.asks() {
			a.entries = append(a.entries, p.light())
			return nil
		}
		why, err := f.deliver(ctx, a.rendering, p.inGroup(), 0, out)
		if err == nil {
			f.countDelivered(a.rendering, p.subscriber, why)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// asks reports whether the entry is more than a first attempt.
func (p planned) asks() bool { return p.Costly || p.CancelsOnly || p.Asks || p.trigger != nil }

// askAll asks the triggers of one event, all at once.
func (f *Fanout) askAll(ctx context.Context, a *asking, out *outgoing) error {
	if a == nil {
		return nil
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(triggersAtOnce)
	for _, p := range a.entries {
		g.Go(func() error { return f.ask(gctx, a.rendering, p, out) })
	}
	return g.Wait()
}

// ask carries out one entry that is not simply a first attempt.
func (f *Fanout) ask(ctx context.Context, r *rendering, p planned, out *outgoing) error {
	whole, release, err := f.versions.whole(ctx, r.event.Tenant, p)
	if err != nil || whole.subscriber == nil {
		return err
	}
	defer release()
	switch {
	case r.event.History != 0 && (p.Costly || p.trigger == nil) && r.replay == "":
		return nil // nothing is sent for it
	case p.Costly:
		return f.undecided(ctx, r, whole, out)
	case p.trigger == nil: // it only cancels, and what there was to cancel has gone
		return nil
	case r.replay != "":
		return f.replays.triggeredAgain(ctx, r, whole, out)
	}
	return f.triggers.triggered(ctx, r, whole, out)
}

// deliver queues the first attempt, or cancels a delivery that cannot be
// rendered and returns why.
func (f *Fanout) deliver(ctx context.Context, r *rendering, s *subscriber, count int, out *outgoing) (webhook.Reason, error) {
	if why, err := f.emit(ctx, r, s, count, out); err != nil || why != "" || !s.Calls() {
		return why, err
	}
	m, err := r.firstAttempt(s, count)
	var skip *render.Skip
	if errors.As(err, &skip) {
		return skip.Reason, f.cancel(ctx, r, s, count, skip, out)
	}
	if err != nil {
		return "", fmt.Errorf("render for %s: %w", s.ID, err)
	}
	f.Count("deliveries_planned", 1)
	return "", out.deliveries.Add(ctx, m)
}

// undecided carries out an entry of which matching could not tell whether the
// subscription gets the event: it cancels the timers that the event certainly
// cancels, and the delivery, for its owner to see.
func (f *Fanout) undecided(ctx context.Context, r *rendering, p planned, out *outgoing) error {
	if p.trigger != nil && r.replay == "" {
		if err := f.triggers.cancelTimers(ctx, r, p); err != nil {
			return err
		}
	}
	f.countDelivered(r, p.subscriber, webhook.ReasonFilterCost)
	return f.cancel(ctx, r, p.subscriber, 0, &render.Skip{Reason: webhook.ReasonFilterCost}, out)
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
