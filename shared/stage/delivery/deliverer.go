package delivery

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/postino/postino/shared/callback/breaker"
	"github.com/postino/postino/shared/callback/pace"
	"github.com/postino/postino/shared/callback/peer"
	"github.com/postino/postino/shared/callback/sendable"
	"github.com/postino/postino/shared/language/weighed"
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// Doer makes the requests that [peer.Ask] is given.
type Doer = peer.Doer

// Private finds the client for connections with certificates of a subscriber's
// own; see [egress.Pool].
type Private interface {
	Client(tenant, name string, config func() *tls.Config) *http.Client
}

// Opener opens sealed secrets; see secret.Sealer.
type Opener interface {
	Open(sealed []byte, place ...string) ([]byte, error)
}

// Jobs works jobs; see package job.
type Jobs interface {
	// Work does the slice of a job, if it is the next. An audit asks for it in
	// case that nobody else does.
	Work(ctx context.Context, asked message.JobSlice, audit bool) error
}

// Deliverer makes attempts. Its fields are set once; it is safe for
// concurrent use.
type Deliverer struct {
	Store     Store
	Retries   Sender // later attempts, by time
	Resend    Sender // slices of waiting lines
	Exhausted Sender // pointers to what ended badly, for redrive
	Events    Sender // operational events; nil publishes none
	Client    Doer
	Private   Private                        // nil for none: then no subscription may bring certificates
	Class     func(error) webhook.ErrorClass // how the client's error counts
	Secrets   Opener
	Jobs      Jobs                               // works the jobs whose messages come over resend
	Breaker   breaker.Rule                       // zero means breaker.Default
	Now       func() time.Time                   // our clock; time.Now unless a test moves it
	Count     func(name string, n int)           // counts what happens; nil for none
	Observe   func(name string, d time.Duration) // measures it; nil for none
	Stats     Statistics                         // counts it by tenant and subscription; nil for none
	Version   string                             // of Postino, for the user agent
	Log       *slog.Logger

	once        sync.Once
	subscribers *subscribers
	requests    *requester
	announce    *announcer
	counter     *breaker.Counter
	pacer       *pace.Pacer
	life        lifecycle.Executor
	making      sendable.Maker
	strains     *strains
	gathering   *gathering
	audits      *weighed.Cache[webhook.SubscriptionRef, time.Time] // the audit that this process has arranged
}

// Handle works a batch of messages from deliveries, retries or resend, all at
// once, and returns the ids of those that must come again.
func (d *Deliverer) Handle(ctx context.Context, batch []queue.Message) (failed []string) {
	if len(batch) == 0 {
		return nil
	}
	d.once.Do(d.start)
	var all []work
	for i, m := range batch {
		all = append(all, read(i, m)...)
	}
	err := d.readHeads(ctx, all)
	if err == nil {
		err = d.readStored(ctx, all)
	}
	if err != nil {
		d.Log.Error("read subscriptions and deliveries", "error", err)
		for _, m := range batch {
			failed = append(failed, m.ID)
		}
		d.Count("messages_failed", len(batch))
		return failed
	}
	for i, w := range all {
		all[i].end = func() {}
		if f, is := w.task.(message.FirstAttempt); is && w.err == nil && w.stored.Rev == 0 {
			all[i].end = d.gathering.begin(f.Delivery())
		}
	}
	var wg sync.WaitGroup
	for i := range all[1:] {
		wg.Go(func() { all[i+1].err = d.do(ctx, all[i+1]) })
	}
	all[0].err = d.do(ctx, all[0]) // often the only one, and the stack here has grown before
	wg.Wait()
	for _, w := range all {
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
	d.subscribers = newSubscribers(d.Store, d.Secrets)
	if d.Breaker.Window == 0 {
		d.Breaker = breaker.Default
	}
	d.counter = &breaker.Counter{Rule: d.Breaker}
	d.pacer = &pace.Pacer{Store: d.Store}
	d.audits = newAudits()
	d.strains = newStrains()
	if d.Count == nil {
		d.Count = func(string, int) {}
	}
	if d.Stats == nil {
		d.Stats = noStatistics{}
	}
	if d.Observe == nil {
		d.Observe = func(string, time.Duration) {}
	}
	d.requests = &requester{
		store: d.Store, secrets: d.Secrets, plain: d.Client, private: d.Private, class: d.Class, version: d.Version, now: d.Now,
	}
	d.announce = &announcer{d.Store, d.Events, d.Now}
	d.gathering = newGathering(d.Store)
	d.life = d.executor()
	d.making = sendable.Maker{Store: d.Store, Prepare: d.prepared}
}

// work is one thing that a message asks for.
type work struct {
	message int    // its place in the batch
	id      string // of the message: the same at each receipt
	task    message.Task
	head    webhook.Head     // of the task's subscription, as of this batch; zero if it has none
	stored  webhook.Delivery // of a first attempt, as of this batch; Rev 0 if none is stored
	end     func()           // says that nobody need wait for its outcome any longer
	err     error
}

// read reads what a message asks for: first attempts may share one. Each
// records its own outcome, so when the message comes again because of one of
// them, what is stored of the others says that they are done.
func read(place int, m queue.Message) (all []work) {
	asked, err := message.Decode(m.Body)
	if several, is := asked.(message.FirstAttempts); is {
		for _, body := range several {
			m.Body = body
			all = append(all, read(place, m)...)
		}
		return all
	}
	task, is := asked.(message.Task)
	if err == nil && !is {
		err = message.ErrMalformed
	}
	return []work{{message: place, id: m.ID, task: task, err: err}}
}

// readHeads learns how the batch's subscriptions stand, in one consistent read.
func (d *Deliverer) readHeads(ctx context.Context, all []work) error {
	place := map[webhook.SubscriptionRef]int{}
	var refs []webhook.SubscriptionRef
	for _, w := range all {
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
	for i, w := range all {
		if w.err != nil {
			continue
		}
		if at, read := place[w.task.Ref()]; read {
			all[i].head = heads[at]
		}
	}
	return nil
}

// readStored learns what is stored of the deliveries that are to be attempted
// for the first time, in one consistent read for each tenant.
func (d *Deliverer) readStored(ctx context.Context, all []work) error {
	ids := map[string][]string{}
	for _, w := range all {
		if f, is := w.task.(message.FirstAttempt); is && w.err == nil {
			ids[f.Tenant] = append(ids[f.Tenant], f.ID)
		}
	}
	for tenant, ids := range ids {
		stored, err := d.Store.DeliveriesByID(ctx, tenant, ids)
		if err != nil {
			return err
		}
		for i, w := range all {
			if f, is := w.task.(message.FirstAttempt); is && w.err == nil && f.Tenant == tenant {
				all[i].stored = stored[f.ID]
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
func (d *Deliverer) do(ctx context.Context, w work) (err error) {
	defer w.end()
	if w.err != nil {
		return w.err
	}
	defer d.strains.of(w.task.Ref().Tenant).begin(ctx)()
	for range overtakenTries {
		if err = d.doOnce(ctx, w); !errors.Is(err, webhook.ErrConflict) {
			return err
		}
		if f, is := w.task.(message.FirstAttempt); is {
			stored, err := d.Store.Delivery(ctx, f.Tenant, f.ID)
			if err != nil && !errors.Is(err, webhook.ErrNotFound) {
				return fmt.Errorf("read delivery %s: %w", f.ID, err)
			}
			w.stored = stored
		}
	}
	return err
}

func (d *Deliverer) doOnce(ctx context.Context, w work) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	switch t := w.task.(type) {
	case message.FirstAttempt:
		return d.firstAttempt(ctx, t, w.stored, w.head)
	case message.Attempt:
		return d.retry(ctx, t, w.head)
	case message.AttemptByHand:
		return d.byHand(ctx, t, w.head)
	case message.NewRound:
		return d.newRound(ctx, t, w.head)
	case message.Drain:
		return d.drain(ctx, t.Ref(), w.head, cmp.Or(t.Lease, w.id))
	case message.AuditLine:
		return d.auditLine(ctx, t.Ref(), w.head, w.id)
	case message.Probe:
		return d.probe(ctx, t, w.head)
	case message.Expunge:
		return d.expunge(ctx, t)
	case message.JobSlice:
		return d.Jobs.Work(ctx, t, false)
	case message.AuditJob:
		return d.Jobs.Work(ctx, message.JobSlice(t), true)
	}
	return message.ErrMalformed
}
