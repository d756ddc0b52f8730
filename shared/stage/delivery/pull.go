package delivery

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/callback/courier"
	"github.com/postino/postino/shared/callback/pace"
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// pulls offers the deliveries of a subscription that is pulled, hands them out
// under a lease, and records what those say who got them. An attempt begins when
// it is pulled. It ends with their word, or with the lease.
//
// An offer is only a place in a list. What the delivery itself says decides: an
// offer that it does not know of any more is removed by whoever comes upon it.
type pulls struct{ *Deliverer }

// leasers is how many offers are taken, or reported of, at once.
const leasers = 32

// wait has a delivery wait until it is pulled.
func (d *pulls) wait(ctx context.Context, del webhook.Delivery, content *webhook.Content) error {
	return d.steps.wait(ctx, lifecycle.Offered(del, d.Now()), content, func() { d.Count("deliveries_offered", 1) })
}

// offer puts a delivery that waits to be pulled where pulls find it.
func (d *pulls) offer(ctx context.Context, del webhook.Delivery) error {
	if err := d.lines.arrangeAudit(ctx, ref(del)); err != nil {
		return fmt.Errorf("arrange audit: %w", err)
	}
	return d.put(ctx, offerOf(del))
}

// byHand offers a delivery beside its schedule, unless it can be pulled anyway.
func (d *pulls) byHand(ctx context.Context, del webhook.Delivery) error {
	if del.Waiting == webhook.WaitPull {
		return d.steps.finish(ctx, del)
	}
	o := offerOf(del)
	o.Manual = true
	return d.put(ctx, o)
}

func (d *pulls) put(ctx context.Context, o webhook.Offer) error {
	if err := d.Store.PutOffer(ctx, o); err != nil {
		return fmt.Errorf("offer %s: %w", o.Delivery, err)
	}
	d.Offered(o.Ref())
	return nil
}

func offerOf(del webhook.Delivery) webhook.Offer {
	return webhook.Offer{Tenant: del.Tenant, Subscription: del.Subscription, Delivery: del.ID, Round: del.Round, Step: del.Step}
}

// Pull hands out what nobody has pulled yet, the oldest first; nothing while the
// subscription is closed, or has used up its rate limit. Nobody else gets what it
// returns.
func (d *Deliverer) Pull(ctx context.Context, sub webhook.SubscriptionRef, asked webhook.Pull) ([]webhook.Pulled, error) {
	d.once.Do(d.start)
	heads, err := d.Store.Heads(ctx, []webhook.SubscriptionRef{sub})
	if err != nil {
		return nil, fmt.Errorf("read subscription %s: %w", sub.ID, err)
	}
	if heads[0].Version == 0 || closed(heads[0]) != "" {
		return nil, nil
	}
	of, err := d.current(ctx, heads[0])
	if err != nil {
		return nil, err
	}
	free, err := d.pulls.free(ctx, of, asked.Max)
	if err != nil || len(free) == 0 {
		return nil, err
	}
	ends := message.Queued(message.EndLeases{Tenant: sub.Tenant, Subscription: sub.ID}, asked.Lease+time.Second)
	if err := d.Retries.Send(ctx, []queue.Message{ends}); err != nil { // before anything is leased: else a lease may never end
		return nil, fmt.Errorf("arrange the end of leases: %w", err)
	}
	return d.pulls.take(ctx, heads[0], of, free, asked.Lease)
}

// free returns the first offers that nobody has pulled, as many as the rate limit
// allows.
func (d *pulls) free(ctx context.Context, sub *courier.Subscriber, most int) ([]webhook.Offer, error) {
	offers, err := d.Store.Offers(ctx, sub.Ref(), webhook.MaxOffers)
	if err != nil {
		return nil, fmt.Errorf("read offers of %s: %w", sub.ID, err)
	}
	if sub.RateLimit != nil {
		most = min(most, sub.RateLimit.PerSecond)
	}
	var free []webhook.Offer
	for _, o := range offers {
		if o.Lease == "" && len(free) < most {
			free = append(free, o)
		}
	}
	if sub.RateLimit == nil || len(free) == 0 {
		return free, nil
	}
	now, length := d.Now(), time.Duration(len(free))*pace.Interval(sub.RateLimit.PerSecond)
	if _, taken, err := d.Store.Reserve(ctx, sub.Ref(), now, now, length); err != nil || !taken {
		return nil, err
	}
	return free, nil
}

// taking is one offer that is being handed out.
type taking struct {
	offer  webhook.Offer
	stored webhook.Delivery
	pulled *webhook.Pulled // nil if it is not handed out
	stale  bool            // the offer says nothing any more
}

// take leases offers and makes their requests, some at a time until the answer is
// as large as it may be.
func (d *pulls) take(ctx context.Context, head webhook.Head, sub *courier.Subscriber, free []webhook.Offer, lease time.Duration) (pulled []webhook.Pulled, err error) {
	ids := make([]string, len(free))
	for i, o := range free {
		ids[i] = o.Delivery
	}
	stored, err := d.Store.DeliveriesByID(ctx, sub.Tenant, ids)
	if err != nil {
		return nil, fmt.Errorf("read deliveries: %w", err)
	}
	var stale []webhook.Offer
	for size := 0; len(free) > 0 && size < webhook.MaxPulled/2; {
		some := make([]taking, min(leasers, len(free)))
		g, gctx := errgroup.WithContext(ctx)
		for i := range some {
			some[i] = taking{offer: free[i], stored: stored[free[i].Delivery]}
			g.Go(func() error { return d.takeOne(gctx, head, sub, &some[i], lease) })
		}
		if err = g.Wait(); err != nil {
			break // what was leased before is handed out; what this lost comes again when its lease ends
		}
		for _, t := range some {
			switch n := sizeOf(t.pulled); {
			case t.stale:
				stale = append(stale, t.offer)
			case t.pulled == nil:
			case size > 0 && size+n > webhook.MaxPulled:
				err = d.Store.ReleaseOffer(ctx, t.offer)
			default:
				pulled, size = append(pulled, *t.pulled), size+n
			}
		}
		free = free[len(some):]
	}
	if len(pulled) > 0 {
		err = nil
	}
	return pulled, errors.Join(err, d.Store.DeleteOffers(ctx, stale))
}

// sizeOf is about what a delivery takes in an answer. JSON may write a byte with
// two, or more in texts that nobody sends.
func sizeOf(p *webhook.Pulled) int {
	if p == nil {
		return 0
	}
	n := 1<<10 + len(p.Body)
	for i := range len(p.Body) {
		switch c := p.Body[i]; {
		case c == '"' || c == '\\':
			n++
		case c < ' ':
			n += 5
		}
	}
	for name, value := range p.Headers {
		n += len(name) + 2*len(value)
	}
	return n
}

// takeOne leases an offer, and makes its request as it would be posted now.
func (d *pulls) takeOne(ctx context.Context, head webhook.Head, sub *courier.Subscriber, t *taking, lease time.Duration) error {
	del := t.stored
	if t.stale = !waits(del, t.offer); t.stale {
		return nil
	}
	if gone(head, del.Version) {
		t.stale = true
		return d.steps.cancel(ctx, del, webhook.ReasonDeleted, "")
	}
	if ended, err := d.holds.end(ctx, del, sub); err != nil || ended {
		t.stale = ended
		return err
	}
	now := d.Now()
	t.offer.Lease, t.offer.LeasedAt, t.offer.Until = leaseToken(t.offer), now, now.Add(lease)
	c, err := d.call(ctx, del, sub)
	if err == nil {
		err = d.courier.Open(ctx, sub, &c)
	}
	if err != nil {
		t.stale = true
		if err = d.steps.skip(ctx, del, err); err != nil {
			t.stale = false
		}
		return err
	}
	if got, err := d.Store.LeaseOffer(ctx, t.offer); err != nil || !got {
		return err
	}
	req, err := d.courier.Sign(ctx, sub, c)
	if err != nil {
		return err
	}
	p := webhook.Pulled{
		Delivery: del.ID, Event: del.EventID, Attempt: c.Number, Lease: t.offer.Lease, Until: t.offer.Until,
		Method: req.Method, Headers: make(map[string]string, len(req.Header)), Body: courier.Body(c),
	}
	for name, values := range req.Header {
		p.Headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	t.pulled = &p
	return nil
}

// call is the delivery's next request.
func (d *pulls) call(ctx context.Context, del webhook.Delivery, sub *courier.Subscriber) (c courier.Call, err error) {
	c = courier.Call{Delivery: del.ID, Event: del.EventID, Number: del.Attempts + 1}
	if c.Target, err = d.attempts.target(ctx, del, sub); err != nil {
		return c, err
	}
	c.Content, err = d.attempts.making.Content(ctx, del, sub.Version)
	if errors.Is(err, webhook.ErrNotFound) {
		err = expiredSkip()
	}
	return c, err
}

// waits reports whether an offer is still what its delivery waits for. One that
// was asked for by hand is beside the schedule.
func waits(del webhook.Delivery, o webhook.Offer) bool {
	switch {
	case del.Rev == 0:
		return false // retention removed it
	case o.Manual:
		return true
	}
	return del.Status == webhook.Pending && del.Waiting == webhook.WaitPull && del.Round == o.Round && del.Step == o.Step
}

// leaseToken names an offer and nobody else's lease of it.
func leaseToken(o webhook.Offer) string {
	return fmt.Sprintf("%d.%d.%t.%s", o.Round, o.Step, o.Manual, rand.Text())
}

// ofToken is the offer that a token names.
func ofToken(sub webhook.SubscriptionRef, delivery, token string) (o webhook.Offer, ok bool) {
	parts := strings.Split(token, ".")
	if _, _, err := webhook.ParseDeliveryID(delivery); err != nil || len(parts) != 4 {
		return o, false
	}
	round, err1 := strconv.Atoi(parts[0])
	step, err2 := strconv.Atoi(parts[1])
	manual, err3 := strconv.ParseBool(parts[2])
	o = webhook.Offer{Tenant: sub.Tenant, Subscription: sub.ID, Delivery: delivery, Round: round, Step: step, Manual: manual}
	return o, errors.Join(err1, err2, err3) == nil
}

// Report records what those say who pulled deliveries. What is said after a lease
// has ended, and its delivery is offered anew or has ended, is not recorded.
func (d *Deliverer) Report(ctx context.Context, sub webhook.SubscriptionRef, reports []webhook.Report) ([]webhook.Reported, error) {
	d.once.Do(d.start)
	heads, err := d.Store.Heads(ctx, []webhook.SubscriptionRef{sub})
	if err != nil {
		return nil, fmt.Errorf("read subscription %s: %w", sub.ID, err)
	}
	done := make([]webhook.Reported, len(reports))
	var wg sync.WaitGroup
	errs, places := make([]error, len(reports)), make(chan struct{}, leasers)
	for i, report := range reports {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			done[i], errs[i] = d.pulls.report(ctx, sub, heads[0], report)
		})
	}
	wg.Wait()
	return done, errors.Join(errs...)
}

func (d *pulls) report(ctx context.Context, sub webhook.SubscriptionRef, head webhook.Head, said webhook.Report) (webhook.Reported, error) {
	done := webhook.Reported{Delivery: said.Delivery}
	o, ok := ofToken(sub, said.Delivery, said.Lease)
	if !ok {
		return done, nil
	}
	del, err := d.Store.Delivery(ctx, sub.Tenant, said.Delivery)
	if errors.Is(err, webhook.ErrNotFound) {
		return done, nil
	}
	if err != nil {
		return done, fmt.Errorf("read delivery %s: %w", said.Delivery, err)
	}
	done.Status = del.Status
	leased, err := d.Store.Offer(ctx, o)
	if errors.Is(err, webhook.ErrNotFound) || err == nil && leased.Lease != said.Lease {
		return done, nil
	}
	if err != nil {
		return done, fmt.Errorf("read offer of %s: %w", said.Delivery, err)
	}
	if del, err = d.conclude(ctx, head, leased, del, said); err != nil {
		return done, err
	}
	done.Recorded, done.Status = true, del.Status
	return done, nil
}

// endLeases ends what was pulled and not told of in time.
func (d *pulls) endLeases(ctx context.Context, sub webhook.SubscriptionRef, head webhook.Head) error {
	offers, err := d.Store.Offers(ctx, sub, webhook.MaxOffers)
	if err != nil {
		return fmt.Errorf("read offers of %s: %w", sub.ID, err)
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(leasers)
	for _, o := range offers {
		if o.Lease == "" || o.Until.After(d.Now()) {
			continue
		}
		g.Go(func() error { return d.lapse(gctx, head, o) })
	}
	return g.Wait()
}

func (d *pulls) lapse(ctx context.Context, head webhook.Head, o webhook.Offer) error {
	del, err := d.Store.Delivery(ctx, o.Tenant, o.Delivery)
	if errors.Is(err, webhook.ErrNotFound) {
		return d.Store.DeleteOffers(ctx, []webhook.Offer{o})
	}
	if err != nil {
		return fmt.Errorf("read delivery %s: %w", o.Delivery, err)
	}
	if gone(head, del.Version) {
		return errors.Join(d.steps.cancel(ctx, del, webhook.ReasonDeleted, ""), d.Store.DeleteOffers(ctx, []webhook.Offer{o}))
	}
	_, err = d.conclude(ctx, head, o, del, webhook.Report{Error: webhook.ErrorTimeout, Detail: "its lease ended before anybody said how it went"})
	return err
}

// conclude records the attempt that an offer was, and removes the offer at last:
// who dies in between leaves it for the end of its lease, when what is stored says
// that it was recorded.
func (d *pulls) conclude(ctx context.Context, head webhook.Head, o webhook.Offer, del webhook.Delivery, said webhook.Report) (webhook.Delivery, error) {
	from := origin{lifecycle.Made{Round: o.Round, Step: o.Step}, head}
	if o.Manual {
		from.For = lifecycle.ByHand
	}
	var err error
	switch {
	case gone(head, del.Version):
		err = d.steps.cancel(ctx, del, webhook.ReasonDeleted, "")
	case concluded(del, o):
		err = d.attempts.resume(ctx, del, from)
	default:
		del, err = d.record(ctx, del, o, said, from)
	}
	if err != nil {
		return del, err
	}
	return del, d.Store.DeleteOffers(ctx, []webhook.Offer{o})
}

// concluded reports whether the attempt that an offer is has been recorded. Of one
// beside the schedule nothing tells.
func concluded(del webhook.Delivery, o webhook.Offer) bool {
	return !o.Manual && (del.Round != o.Round || del.Step != o.Step || del.Status == webhook.Succeeded || del.Status == webhook.Exhausted)
}

func (d *pulls) record(ctx context.Context, del webhook.Delivery, o webhook.Offer, said webhook.Report, from origin) (webhook.Delivery, error) {
	sub, err := d.current(ctx, from.head)
	if err != nil {
		return del, err
	}
	r, content, err := d.told(ctx, del, sub, o, said)
	if err != nil {
		return del, err
	}
	if err := d.attempts.emit(ctx, del, sub, r); err != nil {
		return del, err
	}
	saved, effects, err := d.keep(ctx, del, sub, r, o, from, content)
	if err != nil {
		return del, err
	}
	return saved, d.life.CarryOut(ctx, saved, effects)
}

// keep records the attempt, unless somebody else did so meanwhile: an ack, or one
// of several who end leases.
func (d *pulls) keep(ctx context.Context, del webhook.Delivery, sub *courier.Subscriber, r courier.Answer, o webhook.Offer, from origin, content webhook.Content) (webhook.Delivery, lifecycle.Effects, error) {
	r.Attempt.Manual = o.Manual
	var took bool
	saved, effects, err := d.life.Change(ctx, del, func(del webhook.Delivery) (t lifecycle.Transition, takes bool, err error) {
		if took = !concluded(del, o); !took {
			return t, false, nil
		}
		return lifecycle.Record(del, r.Attempted, content, from.Made, sub.Schedule, d.Now()), true, nil
	})
	if err != nil || !took {
		return saved, effects, err
	}
	d.meter.measure(saved, r)
	d.meter.ended(saved, sub, effects)
	d.meter.report(saved, sub, r)
	return saved, effects, nil
}
