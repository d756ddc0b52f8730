package manage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"strconv"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/callback/bell"
	durations "github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// Puller hands out deliveries of subscriptions that are pulled; see delivery's
// Deliverer.
type Puller interface {
	Pull(ctx context.Context, sub webhook.SubscriptionRef, asked webhook.Pull) ([]webhook.Pulled, error)
	Report(ctx context.Context, sub webhook.SubscriptionRef, reports []webhook.Report) ([]webhook.Reported, error)
}

// pulls serves those who pull.
type pulls struct {
	*Handler
	versions *versions
}

func (h *pulls) routes() []httpapi.Route {
	return []httpapi.Route{
		{Method: post, Pattern: subscriptionPath + "/pull", Roles: manage, Handle: h.pull},
		{Method: post, Pattern: subscriptionPath + "/ack", Roles: manage, Handle: h.ack},
		{Method: post, Pattern: subscriptionPath + "/nack", Roles: manage, Handle: h.nack},
	}
}

// The defaults of a pull.
const (
	defaultPull  = 10
	defaultLease = 30 * time.Second
)

// pullEvery is how often a pull that waits looks again, beside when it hears of
// something: on AWS another process offers, which it cannot hear.
const pullEvery = time.Second

type pulledRequest struct {
	Method  string            `json:"method"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

type pulledView struct {
	ID      string        `json:"id"`
	Event   string        `json:"event"`
	Attempt int           `json:"attempt"`
	Lease   string        `json:"lease"`
	Expires httpapi.Time  `json:"lease_ends_at"`
	Request pulledRequest `json:"request"`
}

func (h *pulls) pull(r *httpapi.Request) (httpapi.Response, error) {
	body, err := r.OptionalJSON()
	if err != nil {
		return httpapi.Response{}, err
	}
	asked, wait, err := readPull(body)
	if err == nil {
		err = h.isPulled(r)
	}
	if err != nil {
		return httpapi.Response{}, err
	}
	got, err := h.await(r, asked, wait)
	if err != nil {
		return httpapi.Response{}, err
	}
	views := make([]pulledView, len(got))
	for i, p := range got {
		views[i] = pulledView{p.Delivery, p.Event, p.Attempt, p.Lease, httpapi.Time(p.Until), pulledRequest{p.Method, p.Headers, p.Body}}
	}
	r.Note(slog.String("subscription", r.PathValue("id")), slog.Int("pulled", len(got)))
	return httpapi.OK(map[string]any{"deliveries": views}), nil
}

// isPulled refuses a subscription that does not exist, or is not pulled.
func (h *pulls) isPulled(r *httpapi.Request) error {
	s, err := h.versions.current(r.Context(), ref(r))
	if err == nil && !s.Pull {
		err = httpapi.NotPulled.Problem("Postino posts the deliveries of this subscription to its url. Only the deliveries of a subscription with pull: true can be pulled.")
	}
	return err
}

// await pulls until there is something, for as long as the caller waits.
func (h *pulls) await(r *httpapi.Request, asked webhook.Pull, wait time.Duration) ([]webhook.Pulled, error) {
	sub := ref(r)
	bells := h.Bells
	if bells == nil {
		bells = &bell.Bells{}
	}
	rung, leave := bells.Wait(sub)
	defer func() { leave() }()
	got, err := h.Puller.Pull(r.Context(), sub, asked)
	if err != nil || len(got) > 0 || wait == 0 {
		return got, err
	}
	end, err := h.beginWait(r.Context(), r.Tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	over, tick := time.NewTimer(wait), time.NewTicker(pullEvery)
	defer over.Stop()
	defer tick.Stop()
	for {
		select {
		case <-r.Context().Done():
			return nil, nil
		case <-over.C:
			return nil, nil
		case <-tick.C:
		case <-rung:
		}
		if bells.Closed() {
			return nil, nil
		}
		leave()
		rung, leave = bells.Wait(sub)
		if got, err = h.Puller.Pull(r.Context(), sub, asked); err != nil || len(got) > 0 {
			return got, err
		}
	}
}

// A pull that waits keeps a function busy. So a tenant has a few places for them,
// which stand in the store as those for tests do.
const (
	pullPlaces = 16
	pullGone   = time.Minute // when a process that died gives its place back
)

// beginWait takes one of the tenant's places for pulls that wait until end is
// called, or refuses.
func (h *pulls) beginWait(ctx context.Context, tenant string) (end func(), err error) {
	now, token, first := h.trials.clock(), rand.Text(), mathrand.IntN(pullPlaces)
	of := webhook.SubscriptionRef{Tenant: tenant}
	for i := range pullPlaces {
		place := "pull-" + strconv.Itoa((first+i)%pullPlaces)
		free, err := h.Store.Lease(ctx, of, place, token, now, now.Add(pullGone))
		if err != nil {
			return nil, fmt.Errorf("lease a place for a pull: %w", err)
		}
		if free {
			return func() {
				ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), testFull)
				defer cancel()
				if _, err := h.Store.Lease(ctx, of, place, token, now, now); err != nil {
					h.log().Warn("end wait", "tenant", tenant, "cause", err)
				}
			}, nil
		}
	}
	return nil, httpapi.TenantPullsFull.Problem("This tenant has too many pulls that wait. Let at most 16 wait at once, or pull without wait.")
}

// readPull reads {["max","wait","lease"]}.
func readPull(body strictjson.Value) (asked webhook.Pull, wait time.Duration, err error) {
	var faults httpapi.Faults
	asked = webhook.Pull{Max: defaultPull, Lease: defaultLease}
	if body.Kind() != strictjson.Object {
		faults.Add("body", "want an object")
	}
	for name, v := range body.Members() {
		switch name {
		case "max":
			n, ok := v.Int()
			if !ok || n < 1 || n > webhook.MaxPull {
				faults.Add(name, "want 1 to %d", webhook.MaxPull)
			}
			asked.Max = int(n)
		case "wait":
			if text, _ := v.Text(); text != "0s" {
				wait = readSpan(name, v, time.Millisecond, webhook.MaxPullWait, &faults)
			}
		case "lease":
			asked.Lease = readSpan(name, v, webhook.MinLease, webhook.MaxLease, &faults)
		default:
			faults.Unknown("", name, []string{"lease", "max", "wait"})
		}
	}
	return asked, wait, faults.Err()
}

// readSpan reads a duration between two.
func readSpan(field string, v strictjson.Value, least, most time.Duration, faults *httpapi.Faults) time.Duration {
	text, _ := v.Text()
	d, err := durations.ParseDuration(text)
	if err != nil || d < least || d > most {
		faults.Add(field, `want "%s" to "%s"`, durations.FormatDuration(least), durations.FormatDuration(most))
	}
	return d
}

type reportedView struct {
	ID       string  `json:"id"`
	Recorded bool    `json:"recorded"`
	Status   *string `json:"status"`
}

func (h *pulls) ack(r *httpapi.Request) (httpapi.Response, error)  { return h.told(r, false) }
func (h *pulls) nack(r *httpapi.Request) (httpapi.Response, error) { return h.told(r, true) }

// told records how it went with deliveries that were pulled.
func (h *pulls) told(r *httpapi.Request, failed bool) (httpapi.Response, error) {
	body, err := r.JSON()
	if err != nil {
		return httpapi.Response{}, err
	}
	reports, given, err := readReports(body, failed)
	if err == nil {
		err = h.isPulled(r)
	}
	if err == nil && !given {
		err = noReports()
	}
	if err != nil {
		return httpapi.Response{}, err
	}
	done, err := h.Puller.Report(r.Context(), ref(r), reports)
	if errors.Is(err, webhook.ErrConflict) {
		return httpapi.Response{}, httpapi.ChangedMeanwhile.Problem("Other requests changed the same deliveries at the same time. Send the request again.").After(time.Second).Because(err)
	}
	if err != nil {
		return httpapi.Response{}, fmt.Errorf("report to %s: %w", r.PathValue("id"), err)
	}
	views, recorded := make([]reportedView, len(done)), 0
	for i, d := range done {
		views[i] = reportedView{d.Delivery, d.Recorded, orNull(string(d.Status))}
		if d.Recorded {
			recorded++
		}
	}
	r.Note(slog.String("subscription", r.PathValue("id")), slog.Int("recorded", recorded))
	return httpapi.OK(map[string]any{"deliveries": views}), nil
}
