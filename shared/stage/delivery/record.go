package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// recordTime bounds the writing down of an attempt, which goes on when the
// batch itself is being stopped: the POST was made.
const recordTime = 10 * time.Second

// attempt posts, records, and arranges what follows.
func (d *Deliverer) attempt(ctx context.Context, del webhook.Delivery, sub *subscriber, target webhook.Target, content webhook.Content, from origin) error {
	values, err := d.requests.open(ctx, sub, target, content)
	if err != nil {
		return d.skip(ctx, del, err)
	}
	c := call{delivery: del.ID, event: del.EventID, number: del.Attempts + 1, target: target, content: content, secrets: values}
	del, r, err := d.try(ctx, del, sub, c, from)
	if errors.Is(err, errEnded) {
		return nil
	}
	if err != nil {
		return err
	}
	d.strains.of(del.Tenant).note(r.Outcome == retry.Retry || r.floods)
	spent := from.For != lifecycle.Probe && d.assess(ctx, sub, r, from)
	saved, effects, err := d.keep(ctx, del, sub, r, from, content)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	if spent {
		if err := d.disable(ctx, saved, sub, reasonFailing); err != nil {
			return err
		}
	}
	if r.Parks && from.For != lifecycle.ByHand {
		if err := d.disable(ctx, saved, sub, "410 Gone"); err != nil {
			return err
		}
	}
	if saved.Rev > del.Rev+1 && from.InSchedule() { // another copy of the message was faster, and may have been stopped since
		return d.resume(ctx, saved, from)
	}
	if err := d.life.CarryOut(ctx, saved, effects); err != nil {
		return err
	}
	if from.For == lifecycle.Probe {
		return d.probed(ctx, saved, sub, r, from)
	}
	return nil
}

// errEnded reports that somebody ended the delivery between two attempts.
var errEnded = errors.New("ended meanwhile")

// try posts. If the answer is 401 to an access token that was not new, that
// attempt is kept beside the schedule, and another one is made with a new token.
// Who dies in between leaves the schedule where it was: the message comes again.
func (d *Deliverer) try(ctx context.Context, del webhook.Delivery, sub *subscriber, c call, from origin) (webhook.Delivery, result, error) {
	r, err := d.requests.post(ctx, sub, c)
	if err == nil && r.stale {
		renewed := from
		renewed.Renewed = true
		if del, _, err = d.keep(ctx, del, sub, r, renewed, c.content); err != nil {
			return del, r, err
		}
		if del.Status != webhook.Pending && from.For != lifecycle.ByHand {
			return del, r, errEnded
		}
		c.number = del.Attempts + 1
		r, err = d.requests.post(ctx, sub, c)
	}
	if err != nil {
		return del, r, fmt.Errorf("post %s: %w", del.ID, err)
	}
	return del, r, nil
}

// keep records and reports an attempt, and returns what follows from it.
func (d *Deliverer) keep(ctx context.Context, del webhook.Delivery, sub *subscriber, r result, from origin, content webhook.Content) (webhook.Delivery, lifecycle.Effects, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	r.Attempt.Manual = from.For == lifecycle.ByHand
	saved, effects, err := d.record(ctx, del, r, from, content, sub.schedule)
	if err != nil {
		return saved, 0, fmt.Errorf("record attempt of %s: %w", del.ID, err)
	}
	d.measure(saved, r)
	d.report(saved, sub, r)
	return saved, effects, nil
}

// record writes the attempt into the delivery, as it is by then.
func (d *Deliverer) record(ctx context.Context, del webhook.Delivery, r result, from origin, content webhook.Content, schedule retry.Schedule) (webhook.Delivery, lifecycle.Effects, error) {
	var saved webhook.Delivery
	var effects lifecycle.Effects
	err := insist(ctx, func() (err error) {
		saved, effects, err = d.life.Change(ctx, del, func(del webhook.Delivery) (t lifecycle.Transition, takes bool, err error) {
			if lifecycle.StandsAlone(del) {
				if del, err = d.life.Save(ctx, lifecycle.KeepFirst(del)); err != nil && !errors.Is(err, webhook.ErrConflict) {
					return t, false, err
				}
			}
			return lifecycle.Record(del, r.Attempted, content, from.Made, schedule, d.Now()), true, nil
		})
		return err
	})
	return saved, effects, err
}

// The pauses in which a busy store is asked again for the record of what was
// posted.
const (
	insistFirst = 100 * time.Millisecond
	insistMost  = 2 * time.Second
)

// insist repeats a write while the store is busy and the context has time: it was
// posted, and what is not recorded now is posted a second time when its message
// comes again.
func insist(ctx context.Context, write func() error) error {
	for wait := insistFirst; ; wait = min(2*wait, insistMost) {
		err := write()
		if !errors.Is(err, webhook.ErrBusy) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

func (d *Deliverer) cancel(ctx context.Context, del webhook.Delivery, reason webhook.Reason) error {
	return d.cancelFor(ctx, del, reason, "")
}

func (d *Deliverer) cancelFor(ctx context.Context, del webhook.Delivery, reason webhook.Reason, detail string) error {
	if del.Status != webhook.Pending {
		return d.announce.delivery(ctx, del) // a repeat may have been stopped before it
	}
	if del.Rev == 0 && reason == webhook.ReasonDeleted {
		state, err := d.Store.TenantState(ctx, del.Tenant)
		if err != nil || state.Removes(del.CreatedAt) {
			return err // it went with its tenant
		}
	}
	_, err := d.life.Apply(ctx, lifecycle.Cancel(del, reason, detail, d.Now()))
	return err
}

// skip cancels a delivery that the subscription as it is now cannot send
// anywhere. Any other error is returned.
func (d *Deliverer) skip(ctx context.Context, del webhook.Delivery, err error) error {
	var why *render.Skip
	if errors.As(err, &why) {
		return d.cancelFor(ctx, del, why.Reason, why.Kept())
	}
	return err
}

// resume carries out what an earlier handling of the message (from) wrote and
// perhaps had no time to do: writing a step never means that it is done.
func (d *Deliverer) resume(ctx context.Context, del webhook.Delivery, from origin) error {
	if del.Round != from.Round || del.Step > from.Step+1 {
		return nil // later steps have been taken, so this one was finished
	}
	if del.Attempts > 0 { // one of them may have had the subscription disabled
		if err := d.announce.disabledBefore(ctx, ref(del)); err != nil {
			return err
		}
	}
	return d.finish(ctx, del)
}

// finish does once more what the stored delivery calls for.
func (d *Deliverer) finish(ctx context.Context, del webhook.Delivery) error {
	return d.life.CarryOut(ctx, del, lifecycle.Follows(del))
}

// executor stores the transitions of deliveries and does what follows.
func (d *Deliverer) executor() lifecycle.Executor {
	return lifecycle.Executor{
		Store:    d.gathering,
		Counter:  lifecycle.Counter{Count: d.Count, Stats: d.Stats.Ended},
		Announce: d.announce.delivery,
		Redrive: func(ctx context.Context, del webhook.Delivery) error {
			newRound := message.NewRound{Tenant: del.Tenant, Subscription: del.Subscription, Delivery: del.ID, Round: del.Round}
			return d.Exhausted.Send(ctx, []queue.Message{message.Queued(newRound, 0)})
		},
		Leave: func(ctx context.Context, del webhook.Delivery) error {
			return d.Store.LeaveLine(ctx, ref(del), []string{del.ID})
		},
		Enter:  d.joinLine,
		Wake:   func(ctx context.Context, del webhook.Delivery) error { return d.wake(ctx, del, false) },
		Second: func(ctx context.Context, del webhook.Delivery) error { return d.wake(ctx, del, true) },
	}
}

// wake arranges the attempt at NextAt: by a delayed message, or, beyond what a
// queue can delay, by a due pointer that sweep turns into one.
func (d *Deliverer) wake(ctx context.Context, del webhook.Delivery, secondTurn bool) error {
	next := message.NextAttempt(del)
	delay := del.NextAt.Sub(d.Now())
	if delay > queue.MaxDelay {
		return d.Store.PutDue(ctx, next.Due(del.NextAt))
	}
	next.SecondTurn = secondTurn
	return d.Retries.Send(ctx, []queue.Message{message.Queued(next, delay)})
}

func ref(del webhook.Delivery) webhook.SubscriptionRef {
	return webhook.SubscriptionRef{Tenant: del.Tenant, ID: del.Subscription}
}

// report writes the attempt's one line.
func (d *Deliverer) report(del webhook.Delivery, sub *subscriber, r result) {
	if !d.Log.Enabled(context.Background(), slog.LevelInfo) {
		return // the line's values cost more than the rest of this
	}
	d.Log.Info("attempt", "tenant", del.Tenant, "subscription", sub.ID, "delivery", del.ID, "event", del.EventID,
		"number", del.Attempts, "manual", r.Attempt.Manual, "status_code", r.Attempt.StatusCode, "error", string(r.Attempt.Error),
		"duration_ms", r.Attempt.DurationMS, "status", string(del.Status), "next_at", del.NextAt)
}
