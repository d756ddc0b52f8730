package manage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/language/attribute"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// Bounds of a preview over many events.
const (
	maxBatch        = 1000     // events
	maxBatchMembers = 20       // subscriptions of a campaign
	maxBatchBytes   = 32 << 20 // of the events that are read whole
	batchPage       = 250      // events listed at once
	batchChunk      = 100      // events read and judged at once
	batchReaders    = 16
)

// batchAsked is a preview over the newest events.
type batchAsked struct {
	subscriptions []webhook.Subscription // one, or those of a campaign
	events        int                    // at most so many
	filter        webhook.EventFilter
}

// batch tells what the newest events would have led to.
func (h *previews) batch(r *httpapi.Request) (httpapi.Response, error) {
	asked, err := h.batchOf(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	play, err := h.rehearsal(r, asked.subscriptions)
	if err != nil {
		return httpapi.Response{}, fmt.Errorf("preview of many: %w", err)
	}
	events, err := h.newest(r, asked)
	if err != nil {
		return httpapi.Response{}, fmt.Errorf("preview of many: %w", err)
	}
	room := maxBatchBytes
	for chunk := range slices.Chunk(events, batchChunk) {
		if err := h.whole(r.Context(), chunk, play.asksFor); err != nil {
			return httpapi.Response{}, fmt.Errorf("preview of many: %w", err)
		}
		if err := play.chunk(r, chunk); err != nil {
			return httpapi.Response{}, fmt.Errorf("preview of many: %w", err)
		}
		for _, e := range chunk {
			room -= len(e.Data)
		}
		if room < 0 {
			break
		}
	}
	view, err := play.over(h.now())
	view.Complete = view.Events == len(events)
	return httpapi.OK(view), err
}

var batchFields = []string{"subscription", "campaign", "events", "type", "subject"}

// batchOf reads {"subscription" or "campaign", ["events","type","subject"]}: a
// subscription is one that is not saved, or the id of one.
func (h *previews) batchOf(r *httpapi.Request) (asked batchAsked, err error) {
	body, err := r.JSON()
	if err != nil {
		return asked, err
	}
	var faults httpapi.Faults
	if body.Kind() != strictjson.Object {
		faults.Add("body", "want an object")
		return asked, faults.Err()
	}
	given := map[string]strictjson.Value{}
	asked.events = maxBatch
	for name, v := range body.Members() {
		given[name] = v
		text, isText := v.Text()
		switch name {
		case "subscription", "campaign":
		case "events":
			n, ok := v.Int()
			if asked.events = int(n); !ok || n < 1 || n > maxBatch {
				faults.Add(name, "want a number from 1 to %d: so many of the newest events", maxBatch)
			}
		case "type":
			if asked.filter.Type = text; !isText || attribute.TypePattern(text) != "" {
				faults.Add(name, `want an event type, such as "order.paid" or "order.*"`)
			}
		case "subject":
			if asked.filter.Subject = text; !isText || attribute.Subject(text) != "" {
				faults.Add(name, "want a subject")
			}
		default:
			faults.Unknown("", name, batchFields)
		}
	}
	if (given["subscription"] == nil) == (given["campaign"] == nil) {
		faults.Add("subscription", "want either subscription, which is one that is not saved or the id of one, or campaign, which is the id of one")
	}
	if faults.Any() {
		return asked, faults.Err()
	}
	asked.subscriptions, err = h.ofBatch(r, given["subscription"], given["campaign"])
	return asked, err
}

// ofBatch are the subscriptions that a batch is about.
func (h *previews) ofBatch(r *httpapi.Request, sub, campaign strictjson.Value) ([]webhook.Subscription, error) {
	id, isText := sub.Text()
	switch {
	case campaign != nil:
		return h.membersOf(r, campaign)
	case !isText:
		s, err := h.draft(r, sub)
		return []webhook.Subscription{s}, err
	}
	s, err := h.versions.current(r.Context(), webhook.SubscriptionRef{Tenant: r.Tenant, ID: id})
	if errors.Is(err, errNoSubscription) {
		err = httpapi.Invalid(httpapi.FieldError{Field: "subscription", Detail: "there is no subscription of this id: GET /subscriptions lists them"})
	}
	return []webhook.Subscription{s}, err
}

// membersOf are the subscriptions of a campaign.
func (h *previews) membersOf(r *httpapi.Request, v strictjson.Value) (members []webhook.Subscription, err error) {
	id, isText := v.Text()
	refuse := func(detail string, args ...any) error {
		return httpapi.Invalid(httpapi.FieldError{Field: "campaign", Detail: fmt.Sprintf(detail, args...)})
	}
	if !isText || id == "" {
		return nil, refuse("want the id of a campaign")
	}
	var ids []string
	if _, err := h.wishes.segments.headWith(r, func(head webhook.Head) bool {
		if head.Campaign == id {
			ids = append(ids, head.ID)
		}
		return len(ids) > maxBatchMembers
	}); err != nil {
		return nil, err
	}
	switch {
	case len(ids) == 0:
		return nil, refuse("there is no campaign of this id, or no subscription names it")
	case len(ids) > maxBatchMembers:
		return nil, refuse("has more than %d subscriptions: name one of them in subscription", maxBatchMembers)
	}
	for _, id := range ids {
		s, err := h.versions.current(r.Context(), webhook.SubscriptionRef{Tenant: r.Tenant, ID: id})
		if errors.Is(err, errNoSubscription) {
			continue // deleted just now
		}
		if err != nil {
			return nil, err
		}
		members = append(members, s)
	}
	return members, nil
}

// newest lists the newest events, the oldest of them first, without their data.
func (h *previews) newest(r *httpapi.Request, asked batchAsked) (events []webhook.StoredEvent, err error) {
	page := webhook.Page{Desc: true}
	for listed := 0; listed < maxListed; listed += page.Limit {
		page.Limit = min(batchPage, asked.events-len(events))
		some, next, err := h.Store.PageEvents(r.Context(), r.Tenant, asked.filter, page)
		if err != nil {
			return nil, fmt.Errorf("list events: %w", err)
		}
		events = append(events, some...)
		if page.Position = next; next == "" || len(events) >= asked.events {
			break
		}
	}
	slices.Reverse(events)
	return events, nil
}

// maxListed is how many events are looked through for those of a type.
const maxListed = 10_000

// whole reads the events whose types somebody asks for.
func (h *previews) whole(ctx context.Context, events []webhook.StoredEvent, wanted func(eventType string) bool) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(batchReaders)
	for i, listed := range events {
		if !wanted(listed.Type) {
			continue
		}
		g.Go(func() error {
			e, err := h.Store.Event(ctx, listed.Tenant, listed.Source, listed.ID)
			if errors.Is(err, webhook.ErrNotFound) {
				return nil // it expired just now
			}
			if err == nil {
				events[i] = h.plans.retained.shown(e)
			}
			return err
		})
	}
	return g.Wait()
}

// grouped writes a number with a comma after each third digit.
func grouped(n int) string {
	text := fmt.Sprint(n)
	var parts []string
	for len(text) > 3 {
		parts = append([]string{text[len(text)-3:]}, parts...)
		text = text[:len(text)-3]
	}
	return strings.Join(append([]string{text}, parts...), ",")
}
