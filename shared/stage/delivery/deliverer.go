package delivery

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/postino/postino/shared/callback/breaker"
	"github.com/postino/postino/shared/callback/oauth"
	"github.com/postino/postino/shared/callback/pace"
	"github.com/postino/postino/shared/callback/peer"
	"github.com/postino/postino/shared/callback/sendable"
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
	// Work does the slice of a job with that number, if it is the next. An
	// audit asks for it in case that nobody else does.
	Work(ctx context.Context, tenant, id string, slice int, audit bool) error
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
	tokens      oauth.Tokens
	counter     *breaker.Counter
	pacer       *pace.Pacer
	life        lifecycle.Executor
	making      sendable.Maker
	audits      *lru.Cache[webhook.SubscriptionRef, time.Time] // the audit that this process has arranged
}

// Handle works a batch of messages from deliveries, retries or resend, all at
// once, and returns the ids of those that must come again.
func (d *Deliverer) Handle(ctx context.Context, batch []queue.Message) (failed []string) {
	if len(batch) == 0 {
		return nil
	}
	d.once.Do(d.start)
	var jobs []job
	for i, m := range batch {
		jobs = append(jobs, decodeAll(i, m)...)
	}
	if err := d.readHeads(ctx, jobs); err != nil {
		d.Log.Error("read subscriptions", "error", err)
		for _, m := range batch {
			failed = append(failed, m.ID)
		}
		d.Count("messages_failed", len(batch))
		return failed
	}
	var wg sync.WaitGroup
	for i := range jobs[1:] {
		wg.Go(func() { jobs[i+1].err = d.work(ctx, &jobs[i+1]) })
	}
	jobs[0].err = d.work(ctx, &jobs[0]) // often the only one, and the stack here has grown before
	wg.Wait()
	for _, j := range jobs {
		if j.err == nil {
			continue
		}
		m := batch[j.message]
		if overtaken(j.err) {
			d.Log.Debug("another worker is at it", "group", m.Group, "received", m.Received, "cause", j.err)
		} else {
			d.Log.Error("deliver", "group", m.Group, "received", m.Received, "error", j.err)
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
	if d.Count == nil {
		d.Count = func(string, int) {}
	}
	if d.Stats == nil {
		d.Stats = noStatistics{}
	}
	if d.Observe == nil {
		d.Observe = func(string, time.Duration) {}
	}
	d.life = d.executor()
	d.making = sendable.Maker{Store: d.Store, Prepare: d.prepared}
}

// job is one thing that a message asks for.
type job struct {
	message int // its place in the batch

	first message.First // if kind is KindFirst
	again message.Again // otherwise
	kind  message.Kind
	id    string // of the message: the same at each receipt
	sub   webhook.SubscriptionRef
	head  webhook.Head // of sub, as of this batch; known only when sub is
	err   error
}

// decodeAll reads what a message asks for: first attempts may share one. Each
// records its own outcome, so when the message comes again because of one of
// them, what is stored of the others says that they are done.
func decodeAll(place int, m queue.Message) []job {
	parts := [][]byte{m.Body}
	if message.KindOf(m.Body) == message.KindFirsts {
		var err error
		if parts, err = message.CutFirsts(m.Body); err != nil {
			return []job{{message: place, err: err}}
		}
	}
	jobs := make([]job, len(parts))
	for i, part := range parts {
		m.Body = part
		jobs[i] = decode(m)
		jobs[i].message = place
	}
	return jobs
}

func decode(m queue.Message) (j job) {
	j.kind, j.id = message.KindOf(m.Body), m.ID
	switch j.kind {
	case message.KindFirst:
		j.first, j.err = message.DecodeFirst(m.Body)
		j.sub = webhook.SubscriptionRef{Tenant: j.first.Tenant, ID: j.first.Subscription}
	case message.KindRetry:
		j.again, j.err = message.DecodeAgain(m.Body)
		j.sub = webhook.SubscriptionRef{Tenant: j.again.Tenant, ID: j.again.Subscription}
	default:
		j.err = message.ErrMalformed
	}
	return j
}

// readHeads learns how the batch's subscriptions stand, in one consistent read.
func (d *Deliverer) readHeads(ctx context.Context, jobs []job) error {
	place := map[webhook.SubscriptionRef]int{}
	var refs []webhook.SubscriptionRef
	for _, j := range jobs {
		if _, ok := place[j.sub]; !ok && j.err == nil && j.sub.ID != "" {
			place[j.sub] = len(refs)
			refs = append(refs, j.sub)
		}
	}
	if len(refs) == 0 {
		return nil
	}
	heads, err := d.Store.Heads(ctx, refs)
	if err != nil {
		return err
	}
	for i := range jobs {
		if jobs[i].err == nil && jobs[i].sub.ID != "" {
			jobs[i].head = heads[place[jobs[i].sub]]
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

// work does what a message asks for.
func (d *Deliverer) work(ctx context.Context, j *job) (err error) {
	if j.err != nil {
		return j.err
	}
	for range overtakenTries {
		if err = d.workOnce(ctx, j); !errors.Is(err, webhook.ErrConflict) {
			return err
		}
	}
	return err
}

func (d *Deliverer) workOnce(ctx context.Context, j *job) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	if j.kind == message.KindFirst {
		return d.firstAttempt(ctx, j)
	}
	switch j.again.Kind {
	case message.AgainRetry:
		return d.retry(ctx, j)
	case message.AgainRound:
		return d.newRound(ctx, j)
	case message.AgainManual:
		return d.manual(ctx, j)
	case message.AgainDrain, message.AgainAudit:
		return d.drain(ctx, j)
	case message.AgainExpunge:
		return d.expunge(ctx, j)
	case message.AgainJob, message.AgainJobAudit:
		return d.Jobs.Work(ctx, j.again.Tenant, j.again.Job, j.again.Step, j.again.Kind == message.AgainJobAudit)
	case message.AgainProbe:
		return d.probe(ctx, j)
	}
	return message.ErrMalformed
}
