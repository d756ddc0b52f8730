package fanout

import (
	"context"
	"errors"
	"fmt"

	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/webhook"
)

// started finds what a start is to be judged as, given its mark; nil if what it
// was made of is gone.
func (f *timers) started(ctx context.Context, wake message.Fire, item webhook.StateItem, out *outgoing) (*triggering, error) {
	mark, found, err := trigger.ReadMark(item)
	if err != nil || !found {
		return nil, err
	}
	e, err := f.Store.Event(ctx, wake.Tenant, mark.Source, mark.ID)
	if errors.Is(err, webhook.ErrNotFound) || err == nil && e.Expunged {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read event %s: %w", mark.ID, err)
	}
	s, ended, err := f.startedBy(ctx, wake, mark)
	if err != nil || s == nil {
		return nil, err
	}
	s, c, err := f.campaigns.member(ctx, s, out)
	if err != nil {
		return nil, err
	}
	if s.trigger == nil && mark.Quiet { // it was its campaign's to wait, or the subscription has changed
		s = s.with(nil)
	}
	if s.trigger == nil {
		return nil, nil
	}
	t := &triggering{rendering: newRendering(e.Event, published(e.Event)), subscriber: s, ended: ended}
	d, err := t.decoded()
	if err != nil {
		return nil, err
	}
	if ended == "" && s.Version != mark.Version {
		if t.ended, err = s.matches(e.Type, d); err != nil {
			return nil, err
		}
	}
	if t.ended == "" && !mark.Decided {
		if t.ended, err = f.campaigns.stillMay(ctx, s, c, e.Event); err != nil {
			return nil, err
		}
	}
	return f.occurring(ctx, wake, mark, t, d, out)
}

// occurring completes the triggering with its occurrence. An event that lacks a
// key which the trigger has now is one of the version by which its delay began.
func (f *timers) occurring(ctx context.Context, wake message.Fire, mark trigger.Mark, t *triggering, d *pattern.Event, out *outgoing) (*triggering, error) {
	o, reason := t.trigger.Started(t.Subscription, t.event, d, wake.Key)
	if reason != "" && t.Version != mark.Version {
		then, err := f.version(ctx, wake, mark.Version)
		if err != nil || then == nil || then.trigger == nil {
			return nil, err
		}
		if then, _, err = f.campaigns.member(ctx, then, out); err != nil {
			return nil, err
		}
		t.subscriber, t.ended = then, reason
		o, reason = then.trigger.Started(then.Subscription, t.event, d, wake.Key)
	}
	if reason != "" || o.Key() != timerOf(wake) {
		return nil, nil
	}
	t.occurrence = o
	return t, nil
}

// matches returns why an event of that type is none for the subscriber; "" if
// it is one.
func (s *subscriber) matches(eventType string, d *pattern.Event) (webhook.Reason, error) {
	if !pattern.TypesMatch(s.Types, eventType) {
		return webhook.ReasonType, nil
	}
	if len(s.Filter) == 0 {
		return "", nil
	}
	filter, err := pattern.CompileOver(pattern.WithProfile, s.Filter, "filter")
	if err != nil {
		return "", fmt.Errorf("subscription %s of %s: %w", s.ID, s.Tenant, err)
	}
	if filter, _ = filter.OfEvent(); filter == nil {
		return "", nil
	}
	switch filter.Judge(d) {
	case pattern.No:
		return webhook.ReasonFilter, nil
	case pattern.Costly:
		return webhook.ReasonFilterCost, nil
	}
	return "", nil
}

// startedBy returns the version of the subscription by which a start is judged:
// as it is now; as it was when the delay began, if its trigger says so now; or
// by which it was judged already. It tells why nothing is sent any more: the
// subscription is gone, or its trigger has begun afresh.
func (f *timers) startedBy(ctx context.Context, wake message.Fire, mark trigger.Mark) (s *subscriber, ended webhook.Reason, err error) {
	heads, err := f.Store.Heads(ctx, []webhook.SubscriptionRef{{Tenant: wake.Tenant, ID: wake.Subscription}})
	if err != nil {
		return nil, "", fmt.Errorf("read subscription: %w", err)
	}
	head := heads[0]
	switch {
	case head.Version == 0 || head.Born > mark.Version:
		ended = webhook.ReasonDeleted
	case head.Epoch != wake.Epoch:
		ended = webhook.ReasonNotDue
	}
	if ended == "" && !mark.Decided {
		s, err := f.version(ctx, wake, head.Version)
		if err != nil || s != nil && (s.trigger == nil || !s.trigger.Stands()) {
			return s, "", err
		}
	}
	for _, v := range []int64{mark.Version, head.Version} { // retention may have removed the first
		if s, err := f.version(ctx, wake, v); err != nil || s != nil {
			return s, ended, err
		}
	}
	return nil, ended, nil
}

// version returns a version of the subscription that a wake-up is for; nil if
// retention has removed it.
func (f *timers) version(ctx context.Context, wake message.Fire, v int64) (*subscriber, error) {
	s, err := f.versions.get(ctx, webhook.VersionRef{Tenant: wake.Tenant, ID: wake.Subscription, Version: v})
	if err != nil {
		return nil, fmt.Errorf("read subscription: %w", err)
	}
	return s, nil
}
