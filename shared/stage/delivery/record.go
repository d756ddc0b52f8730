package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postino/postino/shared/callback/courier"
	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/webhook"
)

// recordTime bounds the writing down of an attempt, which goes on when the
// batch itself is being stopped: the POST was made.
const recordTime = 10 * time.Second

// make posts, records, and arranges what follows.
func (d *attempts) make(ctx context.Context, del webhook.Delivery, sub *courier.Subscriber, target webhook.Target, content webhook.Content, from origin) error {
	c := courier.Call{Delivery: del.ID, Event: del.EventID, Number: del.Attempts + 1, Target: target, Content: content}
	if err := d.courier.Open(ctx, sub, &c); err != nil {
		return d.steps.skip(ctx, del, err)
	}
	del, r, err := d.try(ctx, del, sub, c, from)
	if errors.Is(err, errEnded) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := d.emit(ctx, del, sub, r); err != nil {
		return err
	}
	d.strains.of(del.Tenant).note(r.Outcome == retry.Retry || r.Floods)
	spent := from.For != lifecycle.Probe && d.health.assess(ctx, sub, r, from)
	saved, effects, err := d.keep(ctx, del, sub, r, from, content)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	if r.Parks && from.For != lifecycle.ByHand {
		err = d.health.disable(ctx, saved, sub, "410 Gone")
	} else if spent {
		err = d.health.disable(ctx, saved, sub, reasonFailing)
	}
	if err != nil {
		return err
	}
	if saved.Rev > del.Rev+1 && from.InSchedule() { // another copy of the message was faster, and may have been stopped since
		return d.resume(ctx, saved, from)
	}
	if err := d.life.CarryOut(ctx, saved, effects); err != nil {
		return err
	}
	if from.For == lifecycle.Probe {
		return d.health.probed(ctx, saved, sub, r, from)
	}
	return nil
}

// errEnded reports that somebody ended the delivery between two attempts.
var errEnded = errors.New("ended meanwhile")

// try posts. If the answer is 401 to an access token that was not new, that
// attempt is kept beside the schedule, and another one is made with a new token.
// Who dies in between leaves the schedule where it was: the message comes again.
func (d *attempts) try(ctx context.Context, del webhook.Delivery, sub *courier.Subscriber, c courier.Call, from origin) (webhook.Delivery, courier.Answer, error) {
	r, err := d.courier.Post(ctx, sub, c)
	if err == nil && r.Stale {
		renewed := from
		renewed.Renewed = true
		if del, _, err = d.keep(ctx, del, sub, r, renewed, c.Content); err != nil {
			return del, r, err
		}
		if del.Status != webhook.Pending && from.For != lifecycle.ByHand {
			return del, r, errEnded
		}
		c.Number = del.Attempts + 1
		r, err = d.courier.Post(ctx, sub, c)
	}
	if err != nil {
		return del, r, fmt.Errorf("post %s: %w", del.ID, err)
	}
	return del, r, nil
}

// keep records and reports an attempt, and returns what follows from it.
func (d *attempts) keep(ctx context.Context, del webhook.Delivery, sub *courier.Subscriber, r courier.Answer, from origin, content webhook.Content) (webhook.Delivery, lifecycle.Effects, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	r.Attempt.Manual = from.For == lifecycle.ByHand
	saved, effects, err := d.record(ctx, del, r, from, content, sub.Schedule)
	if err != nil {
		return saved, 0, fmt.Errorf("record attempt of %s: %w", del.ID, err)
	}
	d.meter.measure(saved, r)
	d.meter.ended(saved, sub, effects)
	d.meter.report(saved, sub, r)
	return saved, effects, nil
}

// record writes the attempt into the delivery, as it is by then.
func (d *attempts) record(ctx context.Context, del webhook.Delivery, r courier.Answer, from origin, content webhook.Content, schedule retry.Schedule) (webhook.Delivery, lifecycle.Effects, error) {
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

// resume carries out what an earlier handling of the message (from) wrote and
// perhaps had no time to do: writing a step never means that it is done.
func (d *attempts) resume(ctx context.Context, del webhook.Delivery, from origin) error {
	if del.Round != from.Round || del.Step > from.Step+1 {
		return nil // later steps have been taken, so this one was finished
	}
	if del.Attempts > 0 { // one of them may have had the subscription disabled
		if err := d.announce.disabledBefore(ctx, ref(del)); err != nil {
			return err
		}
	}
	return d.steps.finish(ctx, del)
}
