package job

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/people"
	"github.com/postino/postino/shared/people/campaign"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/expunge"
	"github.com/postino/postino/shared/webhook"
)

// The stages of an erasure. It looks twice: what was under way when it began comes
// to its end in between.
const (
	eraseProfile = iota
	eraseStates  // of triggers whose key is the subject alone
	eraseEvents  // with the states of triggers whose key has more in it
	eraseGrace
	eraseProfileAgain
	eraseStatesAgain
	eraseEventsAgain
	eraseNothing
)

const (
	// eraseSlice is how many events an erasure looks at in one slice.
	eraseSlice = 50
	// erasePage is how many subscriptions it looks at in one slice.
	erasePage = 250
)

// erasures remove what is known of a subject.
type erasures struct{ *Worker }

// decide looks for the next of what is known of the job's subject.
func (w erasures) decide(ctx context.Context, j *webhook.Job) (found, error) {
	if j.Erased == nil {
		j.Erased = &webhook.Erased{}
	}
	switch j.Stage {
	case eraseProfile, eraseProfileAgain:
		return found{}, w.findProfile(ctx, j)
	case eraseStates, eraseStatesAgain:
		return found{}, w.findStates(ctx, j)
	case eraseEvents, eraseEventsAgain:
		return found{}, w.findEvents(ctx, j)
	case eraseGrace:
		j.Stage++
		return found{pause: Grace}, nil
	}
	return found{over: true}, nil
}

// forward moves a job on in the list that its stage reads, or to its next stage.
func forward(j *webhook.Job, next string) {
	if j.Position = next; next == "" {
		j.Stage++
	}
}

// findProfile notes the profile, if there is one.
func (w erasures) findProfile(ctx context.Context, j *webhook.Job) error {
	known, err := w.Store.Profiles(ctx, j.Tenant, []string{j.Subject})
	if err != nil {
		return fmt.Errorf("read a profile: %w", err)
	}
	for subject := range known {
		j.Decided = append(j.Decided, webhook.JobTarget{Subject: subject})
	}
	forward(j, "")
	return nil
}

// findStates notes what triggers keep for the subject.
func (w erasures) findStates(ctx context.Context, j *webhook.Job) error {
	heads, err := w.Store.ListHeads(ctx, j.Tenant, j.Position, erasePage)
	if err != nil {
		return fmt.Errorf("list subscriptions: %w", err)
	}
	of, err := w.owned(ctx, webhook.Event{Tenant: j.Tenant, Subject: j.Subject})
	if err != nil {
		return err
	}
	if j.Position == "" {
		if err := of.addShared(ctx, j); err != nil {
			return err
		}
	}
	for _, h := range heads {
		if err := of.add(ctx, j, webhook.VersionRef{Tenant: h.Tenant, ID: h.ID, Version: h.Version}); err != nil {
			return err
		}
	}
	next := ""
	if len(heads) > 0 {
		next = heads[len(heads)-1].ID
	}
	forward(j, next)
	return nil
}

// findEvents notes the next events of the subject, and what their triggers keep.
func (w erasures) findEvents(ctx context.Context, j *webhook.Job) error {
	page := webhook.Page{Limit: eraseSlice, Position: j.Position}
	events, next, err := w.Store.PageEvents(ctx, j.Tenant, webhook.EventFilter{Subject: j.Subject}, page)
	if err != nil {
		return fmt.Errorf("list events: %s", err) // not even a position is anybody's but ours
	}
	of, err := w.owned(ctx, webhook.Event{Tenant: j.Tenant})
	if err != nil {
		return err
	}
	for _, listed := range events {
		e, err := w.Store.Event(ctx, j.Tenant, listed.Source, listed.ID)
		if errors.Is(err, webhook.ErrNotFound) || err == nil && e.Expunged {
			continue // the list lags
		}
		if err != nil {
			return fmt.Errorf("read event %s: %w", listed.ID, err)
		}
		if err := of.find(ctx, j, e); err != nil {
			return err
		}
		j.Decided = append(j.Decided, webhook.JobTarget{Source: e.Source, Event: e.ID})
	}
	forward(j, next)
	return nil
}

// find notes the states of keys that the subject and more of an event make.
func (o *owned) find(ctx context.Context, j *webhook.Job, e webhook.StoredEvent) error {
	o.of = e.Event
	for page := 0; page == 0 || page < e.Plan.Pages; page++ {
		entries := e.Plan.Entries
		if e.Plan.Pages > 0 {
			var err error
			if entries, err = o.w.Store.PlanPage(ctx, e.Tenant, e.Key(), e.Plan.Key, page); err != nil && !errors.Is(err, webhook.ErrNotFound) {
				return fmt.Errorf("read plan: %w", err)
			}
		}
		for _, entry := range entries {
			if err := o.add(ctx, j, webhook.VersionRef{Tenant: e.Tenant, ID: entry.Subscription, Version: entry.Version}); err != nil {
				return err
			}
		}
	}
	return nil
}

// owned finds the states that belong to an event's subject.
type owned struct {
	w         erasures
	of        webhook.Event
	campaigns map[string]*campaign.Campaign
}

func (w erasures) owned(ctx context.Context, of webhook.Event) (*owned, error) {
	d := &people.Definitions{}
	if _, err := d.Join(ctx, w.Store, of.Tenant); err != nil { // what cannot be compiled has kept nothing
		return nil, err
	}
	return &owned{w, of, d.Campaigns()}, nil
}

// add notes what a subscription's trigger and its campaign keep for the subject, if
// they keep anything.
func (o *owned) add(ctx context.Context, j *webhook.Job, ref webhook.VersionRef) error {
	subs, err := o.w.Store.Versions(ctx, []webhook.VersionRef{ref})
	if errors.Is(err, webhook.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read subscription %s: %w", ref.ID, err)
	}
	spec, err := trigger.Compile(subs[0])
	c := o.campaigns[subs[0].Campaign]
	if err != nil || spec == nil && c == nil {
		return err
	}
	decoded, err := trigger.DecodeEvent(o.of)
	if err != nil {
		return err
	}
	keys := c.SubjectKeys(o.of, decoded)
	if spec != nil {
		keys = append(keys, spec.SubjectKeys(subs[0], decoded)...)
	}
	return o.note(ctx, j, keys)
}

// addShared notes what all campaigns keep for the subject.
func (o *owned) addShared(ctx context.Context, j *webhook.Job) error {
	decoded, err := trigger.DecodeEvent(o.of)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(o.campaigns)) {
		if err := o.note(ctx, j, o.campaigns[id].SubjectKeys(o.of, decoded)); err != nil {
			return err
		}
	}
	return nil
}

// note notes the keys of which anything is kept.
func (o *owned) note(ctx context.Context, j *webhook.Job, keys []webhook.StateRef) error {
	for _, key := range keys {
		if slices.ContainsFunc(j.Decided, func(t webhook.JobTarget) bool { return t.State != nil && *t.State == key }) {
			continue
		}
		items, err := o.w.Store.ListTriggerState(ctx, key, 1)
		if err != nil {
			return fmt.Errorf("read state: %w", err)
		}
		if len(items) > 0 {
			j.Decided = append(j.Decided, webhook.JobTarget{State: &key})
		}
	}
	return nil
}

// carryOut removes what was decided. Done twice it does nothing.
func (w erasures) carryOut(ctx context.Context, j *webhook.Job) (time.Duration, error) {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(writers)
	for _, t := range j.Decided {
		g.Go(func() error { return w.erase(gctx, j.Tenant, t) })
	}
	if err := g.Wait(); err != nil {
		return 0, fmt.Errorf("erase: %w", err)
	}
	for _, t := range j.Decided {
		switch {
		case t.State != nil:
			j.Erased.States++
		case t.Event != "":
			j.Erased.Events++
		default:
			j.Erased.Profiles++
		}
	}
	j.Decided = nil
	return 0, nil
}

func (w erasures) erase(ctx context.Context, tenant string, t webhook.JobTarget) error {
	switch {
	case t.State != nil:
		return trigger.Erase(ctx, w.Store, *t.State)
	case t.Event != "":
		return w.expunge(ctx, tenant, t)
	}
	err := w.Store.DeleteProfile(ctx, tenant, t.Subject)
	if errors.Is(err, webhook.ErrNotFound) {
		return nil
	}
	return err
}

// slicesAtOnce is how much of an event's deliveries is looked through at once; a
// message looks through the rest, and again through all when what was under way is
// recorded.
const slicesAtOnce = 2

func (w erasures) expunge(ctx context.Context, tenant string, t webhook.JobTarget) error {
	again := message.Expunge{Tenant: tenant, Source: t.Source, Event: t.Event}
	if err := w.Resend.Send(ctx, []queue.Message{message.Queued(again, expunge.Again)}); err != nil {
		return fmt.Errorf("ask for a second look: %w", err)
	}
	err := w.Store.ExpungeEvent(ctx, tenant, t.Source, t.Event)
	if errors.Is(err, webhook.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("event %s: %w", t.Event, err)
	}
	e, err := w.Store.Event(ctx, tenant, t.Source, t.Event)
	if err != nil {
		return fmt.Errorf("event %s: %w", t.Event, err)
	}
	position, x := "", expunge.Expunger{Store: w.Store, Counter: w.Counter}
	for range slicesAtOnce {
		if position, err = x.Slice(ctx, e, position, w.now()); err != nil || position == "" {
			return err
		}
	}
	return nil
}

// forgetPeople leaves no subject in a job that is over.
func forgetPeople(j *webhook.Job) {
	j.Subject, j.Decided = "", nil
	if j.Send == nil {
		return
	}
	j.Position = "" // names a profile
	send := *j.Send
	send.Named, send.Subjects = max(send.Named, len(send.Subjects)), nil
	j.Send = &send
}
