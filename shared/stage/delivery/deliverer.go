package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/postino/postino/shared/callback/breaker"
	"github.com/postino/postino/shared/callback/courier"
	"github.com/postino/postino/shared/callback/pace"
	"github.com/postino/postino/shared/callback/peer"
	"github.com/postino/postino/shared/callback/sendable"
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// Jobs works jobs; see package job.
type Jobs interface {
	// Work does the slice of a job, if it is the next. An audit asks for it in
	// case that nobody else does.
	Work(ctx context.Context, asked message.JobSlice, audit bool) error
}

// Deliverer makes attempts. Its fields are set once; it is safe for
// concurrent use. What it knows how to do is in parts of it, one an idea.
type Deliverer struct {
	Store     Store
	Far       bool   // the store is elsewhere: what is read of it is waited for together
	Retries   Sender // later attempts, by time
	Resend    Sender // slices of waiting lines
	Exhausted Sender // pointers to what ended badly, for redrive
	Events    Sender // operational events; nil publishes none
	Client    peer.Doer
	Private   courier.Private                // nil for none: then no subscription may bring certificates
	Class     func(error) webhook.ErrorClass // how the client's error counts
	Secrets   courier.Opener
	Jobs      Jobs                               // works the jobs whose messages come over resend
	Breaker   breaker.Rule                       // zero means breaker.Default
	Now       func() time.Time                   // our clock; time.Now unless a test moves it
	Count     func(name string, n int)           // counts what happens; nil for none
	Observe   func(name string, d time.Duration) // measures it; nil for none
	Stats     Statistics                         // counts it by tenant and subscription; nil for none
	Results   Results                            // counts what campaigns lead to; nil counts none
	Offered   func(webhook.SubscriptionRef)      // hears that something may be pulled; nil for nobody
	Version   string                             // of Postino, for the user agent
	Log       *slog.Logger

	once        sync.Once
	subscribers *courier.Subscribers
	courier     *courier.Courier
	announce    *announcer
	strains     *strains
	gathering   *gathering
	life        lifecycle.Executor
	attempts    attempts
	steps       steps
	lines       lines
	health      health
	holds       holds
	turns       turns
	pulls       pulls
	meter       meter
}

// Handle works a batch of messages from deliveries, retries or resend, all at
// once, and returns the ids of those that must come again.
func (d *Deliverer) Handle(ctx context.Context, batch []queue.Message) (failed []string) {
	if len(batch) == 0 {
		return nil
	}
	d.once.Do(d.start)
	all := make([]work, 0, len(batch))
	for i, m := range batch {
		all = read(all, i, m)
	}
	if err := d.learn(ctx, all); err != nil {
		d.Log.Error("read subscriptions and deliveries", "error", err)
		for _, m := range batch {
			failed = append(failed, m.ID)
		}
		d.Count("messages_failed", len(batch))
		return failed
	}
	for i := range all {
		w := &all[i]
		w.end = func() {}
		if f, is := w.task.(message.FirstAttempt); is && w.err == nil && w.stored.Rev == 0 {
			w.end = d.gathering.begin(f.Delivery())
		}
	}
	var wg sync.WaitGroup
	for i := range all[1:] {
		wg.Go(func() { all[i+1].err = d.do(ctx, &all[i+1]) })
	}
	all[0].err = d.do(ctx, &all[0]) // often the only one, and the stack here has grown before
	wg.Wait()
	for i := range all {
		w := &all[i]
		if w.err == nil {
			continue
		}
		m := batch[w.message]
		if overtaken(w.err) {
			d.Log.Debug("another worker is at it", "group", m.Group, "received", m.Received, "cause", w.err)
		} else {
			d.Log.Error("deliver", "group", m.Group, "received", m.Received, "error", w.err)
			d.Count("messages_failed", 1)
		}
		if n := len(failed); n == 0 || failed[n-1] != m.ID {
			failed = append(failed, m.ID)
		}
	}
	return failed
}

func (d *Deliverer) start() {
	if d.Breaker.Window == 0 {
		d.Breaker = breaker.Default
	}
	if d.Count == nil {
		d.Count = func(string, int) {}
	}
	if d.Stats == nil {
		d.Stats = noStatistics{}
	}
	if d.Offered == nil {
		d.Offered = func(webhook.SubscriptionRef) {}
	}
	if d.Observe == nil {
		d.Observe = func(string, time.Duration) {}
	}
	d.subscribers = courier.NewSubscribers(d.Store, d.Secrets)
	d.courier = &courier.Courier{
		Store: d.Store, Secrets: d.Secrets, Client: d.Client, Private: d.Private, Class: d.Class, Version: d.Version, Now: d.Now,
	}
	d.announce = &announcer{d.Store, d.Events, d.Now}
	d.strains = newStrains()
	d.gathering = newGathering(d.Store)
	d.attempts = attempts{d, sendable.Maker{Store: d.Store, Prepare: d.prepared}}
	d.steps, d.holds, d.meter = steps{d}, holds{d}, meter{d}
	d.lines = lines{d, newAudits()}
	d.health = health{d, &breaker.Counter{Rule: d.Breaker}}
	d.turns = turns{d, &pace.Pacer{Store: d.Store}}
	d.pulls = pulls{d}
	d.life = d.steps.executor()
}

// Test sends one request that is stored nowhere; see [courier.Courier.Test].
func (d *Deliverer) Test(ctx context.Context, s webhook.Subscription, t webhook.Trial) (webhook.Attempt, error) {
	d.once.Do(d.start)
	return d.courier.Test(ctx, s, t)
}

// ask asks for a task over resend.
func (d *Deliverer) ask(ctx context.Context, task message.Task, delay time.Duration) error {
	return d.Resend.Send(ctx, []queue.Message{message.Queued(task, delay)})
}

// work is one thing that a message asks for.
type work struct {
	message int    // its place in the batch
	id      string // of the message: the same at each receipt
	task    message.Task
	head    webhook.Head     // of the task's subscription, as of this batch; zero if it has none
	stored  webhook.Delivery // that the task is about, as of this batch; Rev 0 if none is stored
	end     func()           // says that nobody need wait for its outcome any longer
	err     error
}

// read reads what a message asks for: first attempts may share one. Each
// records its own outcome, so when the message comes again because of one of
// them, what is stored of the others says that they are done.
func read(all []work, place int, m queue.Message) []work {
	asked, err := message.Decode(m.Body)
	if several, is := asked.(message.FirstAttempts); is {
		for _, body := range several {
			m.Body = body
			all = read(all, place, m)
		}
		return all
	}
	task, is := asked.(message.Task)
	if err == nil && !is {
		err = message.ErrMalformed
	}
	return append(all, work{message: place, id: m.ID, task: task, err: err})
}

// learn reads how the batch's subscriptions and deliveries stand: of a store that is
// far both at once, and otherwise without the goroutine that this takes.
func (d *Deliverer) learn(ctx context.Context, all []work) error {
	if !d.Far {
		if err := d.readHeads(ctx, all); err != nil {
			return err
		}
		return d.readStored(ctx, all)
	}
	var heads error
	var other sync.WaitGroup
	other.Go(func() { heads = d.readHeads(ctx, all) })
	stored := d.readStored(ctx, all)
	other.Wait()
	return cmp.Or(heads, stored)
}

// readHeads learns how the batch's subscriptions stand, in one consistent read.
func (d *Deliverer) readHeads(ctx context.Context, all []work) error {
	place := make(map[webhook.SubscriptionRef]int, 1)
	var refs []webhook.SubscriptionRef
	for i := range all {
		w := &all[i]
		if w.err != nil || w.task.Ref().ID == "" {
			continue
		}
		if _, ok := place[w.task.Ref()]; !ok {
			place[w.task.Ref()] = len(refs)
			refs = append(refs, w.task.Ref())
		}
	}
	if len(refs) == 0 {
		return nil
	}
	heads, err := d.Store.Heads(ctx, refs)
	if err != nil {
		return err
	}
	for i := range all {
		if all[i].err != nil {
			continue
		}
		if at, read := place[all[i].task.Ref()]; read {
			all[i].head = heads[at]
		}
	}
	return nil
}

// delivery is the id of the one that is worked on; "" if the task is about none,
// or about several.
func (w *work) delivery() string {
	switch t := w.task.(type) {
	case message.FirstAttempt:
		return t.ID
	case message.Attempt:
		return t.Delivery
	case message.AttemptByHand:
		return t.Delivery
	case message.NewRound:
		return t.Delivery
	}
	return ""
}

// readStored learns what is stored of the batch's deliveries, in one consistent
// read for each tenant.
func (d *Deliverer) readStored(ctx context.Context, all []work) error {
	ids := map[string][]string{}
	for i := range all {
		w := &all[i]
		if id := w.delivery(); id != "" && w.err == nil && !slices.Contains(ids[w.task.Ref().Tenant], id) {
			ids[w.task.Ref().Tenant] = append(ids[w.task.Ref().Tenant], id)
		}
	}
	for tenant, ids := range ids {
		stored, err := d.Store.DeliveriesByID(ctx, tenant, ids)
		if err != nil {
			return err
		}
		for i := range all {
			w := &all[i]
			if id := w.delivery(); id != "" && w.err == nil && w.task.Ref().Tenant == tenant {
				w.stored = stored[id]
			}
		}
	}
	return nil
}

// overtaken reports an outcome that is to be expected where several workers
// meet: somebody else changed the delivery or job first, or is making this
// attempt. The message comes again, and finds what became of it.
func overtaken(err error) bool {
	return errors.Is(err, webhook.ErrConflict) || errors.Is(err, errClaimed)
}

// overtakenTries bounds how often a message is worked anew at once because
// somebody else was faster. Nearly always the second look finds nothing to do.
const overtakenTries = 3

// do does what a message asks for.
func (d *Deliverer) do(ctx context.Context, w *work) (err error) {
	defer w.end()
	if w.err != nil {
		return w.err
	}
	defer d.strains.of(w.task.Ref().Tenant).begin(ctx)()
	for range overtakenTries {
		if err = d.doOnce(ctx, w); !errors.Is(err, webhook.ErrConflict) {
			return err
		}
		again := []work{*w}
		if err := d.readStored(ctx, again); err != nil {
			return fmt.Errorf("read delivery %s: %w", w.delivery(), err)
		}
		w.stored = again[0].stored
	}
	return err
}

func (d *Deliverer) doOnce(ctx context.Context, w *work) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	switch t := w.task.(type) {
	case message.FirstAttempt:
		return d.attempts.first(ctx, t, w.stored, w.head)
	case message.Attempt:
		return d.attempts.retry(ctx, t, w.stored, w.head)
	case message.AttemptByHand:
		return d.attempts.byHand(ctx, w.stored, w.head)
	case message.NewRound:
		return d.attempts.newRound(ctx, t, w.stored, w.head)
	case message.Drain:
		return d.lines.drain(ctx, t.Ref(), w.head, cmp.Or(t.Lease, w.id))
	case message.AuditLine:
		return errors.Join(d.lines.audit(ctx, t.Ref(), w.head, w.id), d.pulls.audit(ctx, t.Ref(), w.head))
	case message.Probe:
		return d.health.probe(ctx, t, w.head)
	case message.EndLeases:
		return d.pulls.endLeases(ctx, t.Ref(), w.head)
	case message.Expunge:
		return d.expunge(ctx, t)
	case message.JobSlice:
		return d.Jobs.Work(ctx, t, false)
	case message.AuditJob:
		return d.Jobs.Work(ctx, message.JobSlice(t), true)
	}
	return message.ErrMalformed
}
