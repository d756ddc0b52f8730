// Package job does work that is too large for one request, in slices: it sends
// failed deliveries again, removes deleted subscriptions and tenants, publishes to
// groups of people, erases subjects, and cancels what waits.
//
// Each slice decides first and then does. What it decided, at most
// [webhook.JobSlice] deliveries, is stored in the job together with the place
// in the list where they end. A worker that comes after a death finds the
// decision and carries it out; done twice it does nothing, because each
// delivery is named with the round in which it was found. Only when all of it
// is done do the counts move on, in one conditional write: so they are exact.
//
// The next slice is asked for by a message, before the end of this one is
// written. A slice has a number, and a message that is behind does nothing. A
// due pointer looks every few minutes whether a job was forgotten.
package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/postino/postino/shared/callback/sendable"
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// Worker works jobs. Its fields are set once; it is safe for concurrent use.
type Worker struct {
	Store   Store
	Resend  Sender            // messages that ask for slices
	Retries Sender            // attempts of deliveries that are sent again
	Events  Sender            // what sends publish
	Counter lifecycle.Counter // of what it cancels
	Secrets sendable.Opener   // opens what a subscription's auth names; nil does not look
	Now     func() time.Time  // our clock; nil means time.Now
	Log     *slog.Logger      // one line for each job that ends; nil means none
}

const (
	// sliceTime is how long a slice goes on looking for something to decide.
	sliceTime = 20 * time.Second
	// AuditAfter is when a job is looked at in case that it was forgotten.
	AuditAfter = 5 * time.Minute
)

// Work does the slice of a job, if it is the next. An audit
// asks for it in case that nobody else does, and arranges the next audit. An
// error means that the message has to come again.
func (w *Worker) Work(ctx context.Context, asked message.JobSlice, audit bool) error {
	j, err := w.Store.Job(ctx, asked.Tenant, asked.Job)
	if errors.Is(err, webhook.ErrNotFound) {
		return nil // retention removed it
	}
	if err != nil {
		return fmt.Errorf("read job %s: %w", asked.Job, err)
	}
	if j.Status != webhook.JobRunning {
		return w.yield(ctx, j)
	}
	if audit {
		if err := w.audit(ctx, j); err != nil {
			return err
		}
	}
	if asked.Slice < j.Slice {
		return nil // who ended that slice asked for the next one before
	}
	if err := w.slice(ctx, &j); err != nil {
		return fmt.Errorf("job %s: %w", j.ID, err)
	}
	return nil
}

func (w *Worker) audit(ctx context.Context, j webhook.Job) error {
	if err := w.Store.PutDue(ctx, message.AuditJob(message.NextSlice(j)).Due(w.now().Add(AuditAfter))); err != nil {
		return fmt.Errorf("arrange audit of job %s: %w", j.ID, err)
	}
	return nil
}

// found is what a look at the next page of a job's work came to. Neither over
// nor a pause: there is more to look at, or something decided to be done.
type found struct {
	over  bool          // nothing is left
	pause time.Duration // nothing can be done before this has passed
}

// kind is what one kind of job does.
type kind interface {
	// decide looks for the next of its work, and notes it in the job.
	decide(ctx context.Context, j *webhook.Job) (found, error)
	// carryOut does what was decided, and returns how long it is spread over.
	carryOut(ctx context.Context, j *webhook.Job) (time.Duration, error)
}

// kinds is the table of all kinds, each with a file of its own.
func (w *Worker) kinds() map[webhook.JobKind]kind {
	return map[webhook.JobKind]kind{
		webhook.JobRecover:            recovers{w},
		webhook.JobDeleteSubscription: removals{w},
		webhook.JobDeleteTenant:       tenants{w},
		webhook.JobSend:               sends{w},
		webhook.JobCount:              sends{w}, // that is a dry run
		webhook.JobErase:              erasures{w},
		webhook.JobCancel:             cancels{w},
	}
}

// slice looks for something to do, stores what it decided, and does that.
func (w *Worker) slice(ctx context.Context, j *webhook.Job) error {
	kind, known := w.kinds()[j.Kind]
	if !known {
		return fmt.Errorf("unknown kind %q", j.Kind)
	}
	if held, err := w.hold(ctx, *j); err != nil || !held {
		return err
	}
	for began := time.Now(); len(j.Decided) == 0; {
		f, err := kind.decide(ctx, j)
		switch {
		case err != nil:
			return err
		case f.over:
			return w.end(ctx, j)
		case len(j.Decided) > 0:
			if err := w.save(ctx, j); err != nil {
				return err
			}
		case f.pause > 0 || time.Since(began) > sliceTime:
			return w.next(ctx, j, f.pause)
		}
	}
	took, err := kind.carryOut(ctx, j)
	if err != nil {
		return err
	}
	return w.next(ctx, j, took)
}

// next asks for the next slice, and then writes that this one is over.
func (w *Worker) next(ctx context.Context, j *webhook.Job, pause time.Duration) error {
	j.Slice++
	if err := w.Resend.Send(ctx, []queue.Message{message.Queued(message.NextSlice(*j), pause)}); err != nil {
		return fmt.Errorf("ask for slice %d: %w", j.Slice, err)
	}
	return w.save(ctx, j)
}

// end writes that the job is over: done, unless its status says otherwise.
func (w *Worker) end(ctx context.Context, j *webhook.Job) error {
	if j.Status == webhook.JobRunning {
		j.Status = webhook.JobDone
	}
	j.EndedAt = w.now()
	forgetPeople(j)
	if err := w.save(ctx, j); err != nil {
		return err
	}
	if w.Log != nil {
		w.Log.Info("job ended", "tenant", j.Tenant, "job", j.ID, "kind", string(j.Kind), "subscription", j.Subscription,
			"status", string(j.Status), "matched", j.Counts.Matched, "sent", j.Counts.Sent, "canceled", j.Counts.Canceled, "removed", j.Counts.Removed)
	}
	return w.yield(ctx, *j)
}

// save writes the job and leaves j as it is stored. Another worker who was
// faster is an error: it has the message that this one came with, or a newer.
func (w *Worker) save(ctx context.Context, j *webhook.Job) error {
	j.UpdatedAt = w.now()
	if err := w.Store.SaveJob(ctx, *j); err != nil {
		return fmt.Errorf("save: %w", err)
	}
	j.Rev++
	return nil
}

// life stores what becomes of deliveries. Their messages, and their places in
// lines, are a slice's affair.
func (w *Worker) life() *lifecycle.Executor {
	return &lifecycle.Executor{Store: w.Store, Counter: w.Counter}
}

// now is our clock in the precision that is stored.
func (w *Worker) now() time.Time {
	clock := time.Now
	if w.Now != nil {
		clock = w.Now
	}
	return clock().UTC().Truncate(time.Millisecond)
}
