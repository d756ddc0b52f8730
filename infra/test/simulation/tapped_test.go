package simulation_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/postino/postino/infra/test/simulation"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// tapped is the store as one container sees it: every call that reads what may
// change, or writes, is a crossing.
type tapped struct {
	*simulation.Store
	c *container
}

// fanoutStore is the store of fan-out, which reads subscriptions while others
// wait for a lock, and there no call can wait for its turn.
type fanoutStore struct{ *tapped }

func (s fanoutStore) Heads(ctx context.Context, refs []webhook.SubscriptionRef) ([]webhook.Head, error) {
	heads, err := s.Store.Heads(ctx, refs)
	for i, h := range heads {
		if s.c.w.plant == changesWait && s.c.w.plots[h.ID] != nil {
			heads[i].Version = h.Born
		}
	}
	return heads, err
}

// reading makes a call that returns a value.
func reading[T any](c *container, what string, call func() (T, error)) (v T, err error) {
	err = c.cross(what, func() error { v, err = call(); return err })
	return v, err
}

func (s *tapped) EnsureTenant(ctx context.Context, tenant string) (bool, error) {
	return reading(s.c, "EnsureTenant", func() (bool, error) { return s.Store.EnsureTenant(ctx, tenant) })
}

func (s *tapped) FindTenant(ctx context.Context, tenant string) error {
	return s.c.cross("FindTenant", func() error { return s.Store.FindTenant(ctx, tenant) })
}

func (s *tapped) Heads(ctx context.Context, refs []webhook.SubscriptionRef) ([]webhook.Head, error) {
	return reading(s.c, "Heads", func() ([]webhook.Head, error) { return s.Store.Heads(ctx, refs) })
}

func (s *tapped) SaveSubscription(ctx context.Context, sub webhook.Subscription, expect int64) (webhook.Subscription, error) {
	return reading(s.c, "SaveSubscription", func() (webhook.Subscription, error) {
		saved, err := s.Store.SaveSubscription(ctx, sub, expect)
		if p := s.c.w.plots[sub.ID]; err == nil && p != nil && p.patched.IsZero() && sub.Types[0] == "none" {
			p.patched = time.Now()
		}
		return saved, err
	})
}

func (s *tapped) DeleteSubscription(ctx context.Context, ref webhook.SubscriptionRef, expect int64) error {
	return s.c.cross("DeleteSubscription", func() error {
		err := s.Store.DeleteSubscription(ctx, ref, expect)
		if err == nil {
			s.c.w.deleted[ref.ID] = s.c.w.tick()
		}
		return err
	})
}

func (s *tapped) CreateEvent(ctx context.Context, e webhook.StoredEvent, profiles ...webhook.Profile) (stored webhook.StoredEvent, created bool, err error) {
	err = s.c.cross("CreateEvent "+e.ID, func() error {
		e = s.c.w.plant.event(e)
		stored, created, err = s.Store.CreateEvent(ctx, e, profiles...)
		if created {
			s.c.w.created[e.ID] = s.c.w.tick()
			s.c.w.contents[e.ID] = string(e.Data)
		}
		return err
	})
	if s.c.w.plant == dedupeIsDone && !created {
		stored.Nonce = "another publication's"
	}
	return stored, created, err
}

func (s *tapped) CreateReplay(ctx context.Context, r webhook.Replay) (stored webhook.Replay, created bool, err error) {
	err = s.c.cross("CreateReplay "+r.ID, func() error { stored, created, err = s.Store.CreateReplay(ctx, r); return err })
	return stored, created, err
}

func (s *tapped) PutPlanPage(ctx context.Context, tenant, eventKey, nonce string, page int, entries []webhook.PlanEntry) error {
	return s.c.cross(fmt.Sprint("PutPlanPage ", eventKey, page), func() error {
		return s.Store.PutPlanPage(ctx, tenant, eventKey, nonce, page, entries)
	})
}

func (s *tapped) PlanPage(ctx context.Context, tenant, eventKey, nonce string, page int) ([]webhook.PlanEntry, error) {
	return reading(s.c, "PlanPage", func() ([]webhook.PlanEntry, error) {
		return s.Store.PlanPage(ctx, tenant, eventKey, nonce, page)
	})
}

func (s *tapped) Event(ctx context.Context, tenant, source, id string) (webhook.StoredEvent, error) {
	return reading(s.c, "Event "+id, func() (webhook.StoredEvent, error) { return s.Store.Event(ctx, tenant, source, id) })
}

func (s *tapped) Delivery(ctx context.Context, tenant, id string) (webhook.Delivery, error) {
	return reading(s.c, "Delivery "+id, func() (webhook.Delivery, error) {
		d, err := s.Store.Delivery(ctx, tenant, id)
		return s.c.w.plant.read(d), err
	})
}

func (s *tapped) SaveDelivery(ctx context.Context, d webhook.Delivery, with webhook.Parts) error {
	var before webhook.Delivery
	var unknown error
	stored := false
	err := s.c.cross("SaveDelivery "+d.ID, func() error {
		before, unknown = s.Store.Delivery(ctx, d.Tenant, d.ID)
		d, with = s.c.w.plant.saved(d, with)
		err := s.Store.SaveDelivery(ctx, d, with)
		stored = err == nil
		return err
	})
	if stored {
		s.c.w.ledger.note(before, d, unknown != nil, err == nil)
		s.c.w.saves(s.c, before, d)
	}
	return err
}

// SaveDeliveries may end after each of them.
func (s *tapped) SaveDeliveries(ctx context.Context, saves []webhook.Save) []error {
	errs := make([]error, len(saves))
	for i, save := range saves {
		errs[i] = s.SaveDelivery(ctx, save.Delivery, save.With)
	}
	return errs
}

func (s *tapped) DeliveriesByID(ctx context.Context, tenant string, ids []string) (map[string]webhook.Delivery, error) {
	return reading(s.c, fmt.Sprint("DeliveriesByID ", ids), func() (map[string]webhook.Delivery, error) {
		found, err := s.Store.DeliveriesByID(ctx, tenant, ids)
		for id, d := range found {
			found[id] = s.c.w.plant.read(d)
		}
		return found, err
	})
}

func (s *tapped) Content(ctx context.Context, tenant, id string) (webhook.Content, error) {
	return reading(s.c, "Content "+id, func() (webhook.Content, error) { return s.Store.Content(ctx, tenant, id) })
}

func (s *tapped) EnterLine(ctx context.Context, sub webhook.SubscriptionRef, delivery string) error {
	return s.c.cross("EnterLine "+delivery, func() error { return s.Store.EnterLine(ctx, sub, delivery) })
}

func (s *tapped) LeaveLine(ctx context.Context, sub webhook.SubscriptionRef, deliveries []string) error {
	return s.c.cross("LeaveLine", func() error { return s.Store.LeaveLine(ctx, sub, deliveries) })
}

func (s *tapped) Line(ctx context.Context, sub webhook.SubscriptionRef, after string, limit int) ([]string, error) {
	return reading(s.c, "Line", func() ([]string, error) { return s.Store.Line(ctx, sub, after, limit) })
}

func (s *tapped) Lease(ctx context.Context, sub webhook.SubscriptionRef, work, token string, now, until time.Time) (bool, error) {
	return reading(s.c, "Lease", func() (bool, error) { return s.Store.Lease(ctx, sub, work, token, now, until) })
}

func (s *tapped) SaveHealth(ctx context.Context, ref webhook.VersionRef, h webhook.Health) error {
	return s.c.cross("SaveHealth "+ref.ID, func() error { return s.Store.SaveHealth(ctx, ref, h) })
}

func (s *tapped) AddTally(ctx context.Context, sub webhook.SubscriptionRef, window time.Time, t webhook.Tally) (webhook.Tally, error) {
	return reading(s.c, "AddTally "+sub.ID, func() (webhook.Tally, error) { return s.Store.AddTally(ctx, sub, window, t) })
}

func (s *tapped) Reserve(ctx context.Context, sub webhook.SubscriptionRef, now, latest time.Time, length time.Duration) (begin time.Time, taken bool, err error) {
	err = s.c.cross("Reserve "+sub.ID, func() error {
		begin, taken, err = s.Store.Reserve(ctx, sub, now, latest, length)
		return err
	})
	return begin, taken, err
}

func (s *tapped) PutDue(ctx context.Context, due webhook.Due) error {
	return s.c.cross("PutDue", func() error { return s.Store.PutDue(ctx, due) })
}

func (s *tapped) DeleteDue(ctx context.Context, dues []webhook.Due) error {
	err := s.c.cross(fmt.Sprint("DeleteDue ", dues[0].ID), func() error { return s.Store.DeleteDue(ctx, dues) })
	if err == nil {
		err = s.c.flush(ctx, "swept")
	}
	return err
}

// DueAt crosses only when it finds something: nearly all of a sweep's looks
// find nothing.
func (s *tapped) DueAt(ctx context.Context, minute time.Time, shard int, position string, limit int) (dues []webhook.Due, next string, err error) {
	if dues, next, err = s.Store.DueAt(ctx, minute, shard, position, limit); len(dues) == 0 || err != nil {
		return dues, next, err
	}
	err = s.c.cross(fmt.Sprint("DueAt ", minute.Unix(), shard), func() error {
		dues, next, err = s.Store.DueAt(ctx, minute, shard, position, limit)
		return err
	})
	return dues, next, err
}

func (s *tapped) LowWater(ctx context.Context) (time.Time, error) {
	return reading(s.c, "LowWater", func() (time.Time, error) { return s.Store.LowWater(ctx) })
}

func (s *tapped) RaiseLowWater(ctx context.Context, to time.Time) error {
	return s.c.cross("RaiseLowWater", func() error { return s.Store.RaiseLowWater(ctx, to) })
}

// sender is a queue as one container sees it.
type sender struct {
	c     *container
	queue string
}

// Send queues the messages; as SQS does, it may take some and refuse others,
// or take some and say that it did not.
func (s sender) Send(ctx context.Context, messages []queue.Message) error {
	if s.c.holdsBack(s.queue) {
		s.c.held = append(s.c.held, heldSend{s.queue, messages})
		return nil
	}
	return s.c.send(s.queue, messages)
}

// Do is the way to the subscriber.
func (c *container) Do(r *http.Request) (*http.Response, error) {
	id := r.Header.Get("Webhook-Id")
	c.w.posts(c, id)
	var answer func() (*http.Response, error)
	if err := c.cross("POST "+id, func() error { answer = c.w.receive(id, r); return nil }); err != nil {
		c.w.mu.Lock()
		defer c.w.mu.Unlock()
		if answer == nil {
			c.w.unseen[id]++ // an attempt that no subscriber saw
		} else {
			c.w.seen[id].answers[0]++ // the answer did not come back
		}
		return nil, err
	}
	return answer()
}

func (s *tapped) Job(ctx context.Context, tenant, id string) (webhook.Job, error) {
	return reading(s.c, "Job", func() (webhook.Job, error) { return s.Store.Job(ctx, tenant, id) })
}

func (s *tapped) SaveJob(ctx context.Context, j webhook.Job) error {
	return s.c.cross(fmt.Sprint("SaveJob ", j.Kind, j.Slice), func() error { return s.Store.SaveJob(ctx, s.c.w.plant.job(j)) })
}

func (s *tapped) PurgeSubscription(ctx context.Context, sub webhook.SubscriptionRef, through int64, limit int) (int, error) {
	return reading(s.c, "PurgeSubscription", func() (int, error) {
		removed, err := s.Store.PurgeSubscription(ctx, sub, through, limit)
		s.c.w.witness.removed[s.c.job] += int64(removed)
		return removed, err
	})
}

// nameOf tells calls apart that one process makes at once. What is of no
// subscription has a random key.
func nameOf(refs []webhook.StateRef) (name string) {
	for _, ref := range refs {
		if name += " " + ref.Part; ref.Subscription != "" {
			name += ref.Subscription + ref.Key
		}
	}
	return name
}

func (s *tapped) TriggerState(ctx context.Context, refs []webhook.StateRef) ([]webhook.StateItem, error) {
	return reading(s.c, "TriggerState"+nameOf(refs), func() ([]webhook.StateItem, error) {
		items, err := s.Store.TriggerState(ctx, refs)
		return s.c.w.plant.state(s.c, items), err
	})
}

func (s *tapped) SaveTriggerState(ctx context.Context, items []webhook.StateItem) error {
	refs := make([]webhook.StateRef, len(items))
	for i, item := range items {
		refs[i] = item.StateRef
	}
	return s.c.cross("SaveTriggerState"+nameOf(refs), func() error {
		if s.c.w.plant == keysAreFree && items[0].Part == "KEY" {
			return nil
		}
		err := s.Store.SaveTriggerState(ctx, items)
		if err == nil {
			s.c.w.decides(s.c, items)
		}
		return err
	})
}

func (s *tapped) ExpungeEvent(ctx context.Context, tenant, source, id string) error {
	return s.c.cross("ExpungeEvent "+id, func() error { return s.Store.ExpungeEvent(ctx, tenant, source, id) })
}
