package record

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/postino/postino/shared/webhook"
)

// walk lists a tenant's deliveries along its events: what was planned for
// each is what may be stored.
type walk struct {
	store  *Store
	tenant string
	events *eventsAhead
	whole  bool // with the deliveries that no plan names
	from   stop // where the page before ended; zero once we are beyond
	desc   bool

	event webhook.StoredEvent
	at    stop     // of the last delivery given out
	ids   []string // of the rest of the plan's page
	pages int      // of the event's plan, the last one read included: 0 to event.Plan.Pages
}

// stop is a place on the walk: an event, a page of its plan, and a delivery,
// "" before the first.
type stop struct {
	event    string // its position
	page     int
	delivery string
}

// maxPages is more than any plan has: a position that names another page is
// made up.
const maxPages = 1 << 20

func (s stop) String() string { return fmt.Sprintf("%s#%d#%s", s.event, s.page, s.delivery) }

func parseStop(s string) (stop, bool) {
	parts := strings.Split(s, separator)
	if len(parts) != 3 {
		return stop{}, false
	}
	page, err := strconv.Atoi(parts[1])
	at := stop{parts[0], page, parts[2]}
	ok := err == nil && page >= 0 && page < maxPages && (at.delivery == "" || isDeliveryID(at.delivery))
	return at, ok && isEventPosition(at.event)
}

func isStop(text string) bool { _, ok := parseStop(text); return ok }

// walkAlong begins behind the place at which the page before ended, "" for the first.
// With a subject it is a walk along the events that have it, with the deliveries that no
// plan names, too.
func (s *Store) walkAlong(tenant, subject, end string, page webhook.Page) *walk {
	from, _ := parseStop(end)
	of, fetch := s.eventsBetween(tenant, subject, page), page.Limit
	of.low = max(of.low, eventPosition(0, ""))
	switch {
	case from.event == "":
	case page.Desc:
		of.high = min(of.high, from.event)
	default:
		of.low = max(of.low, from.event) // the event itself may have more
	}
	if subject != "" {
		fetch = max(fetch, fewest) // as many as are looked at
	}
	return &walk{store: s, tenant: tenant, events: s.ahead(of, subject, page.Desc, fetch), whole: subject != "", from: from, desc: page.Desc}
}

func (w *walk) more() bool {
	return len(w.ids) > 0 || w.pages < w.event.Plan.Pages || w.events.more()
}

// next gives the next planned delivery, or only the place reached if an event
// or a page of its plan has none.
func (w *walk) next(ctx context.Context) (candidate, bool, error) {
	if len(w.ids) == 0 {
		if ok, err := w.nextIDs(ctx); !ok || err != nil {
			return candidate{}, false, err
		}
	}
	if len(w.ids) == 0 {
		return candidate{end: w.at.String()}, true, nil
	}
	w.at.delivery, w.ids = w.ids[0], w.ids[1:]
	return candidate{end: w.at.String(), id: w.at.delivery}, true, nil
}

// nextIDs goes on to the plan's next page, or to the next event.
func (w *walk) nextIDs(ctx context.Context) (bool, error) {
	if w.pages < w.event.Plan.Pages {
		w.at.page++
		return true, w.readPage(ctx)
	}
	position, it, more, err := w.events.next(ctx)
	if err != nil || !more {
		return false, err
	}
	if w.event, _, err = readEvent(w.tenant, it); err != nil {
		return false, err
	}
	resumed := w.from
	w.from, w.pages, w.at = stop{}, 0, stop{event: position}
	if resumed.event == w.at.event {
		w.at.page = resumed.page
	} else {
		resumed = stop{}
	}
	if w.event.Plan.Pages == 0 {
		err = w.setIDs(ctx, w.event.Plan.Entries)
	} else {
		err = w.readPage(ctx)
	}
	if err != nil {
		return false, err
	}
	w.skipThrough(resumed.delivery)
	return true, nil
}

// readPage reads the plan's page w.at.page. One that is not there has expired,
// and what it planned with it.
func (w *walk) readPage(ctx context.Context) error {
	w.at.delivery, w.pages = "", w.at.page+1
	entries, err := w.store.PlanPage(ctx, w.tenant, w.event.Key(), w.event.Plan.Key, w.at.page)
	if errors.Is(err, webhook.ErrNotFound) {
		err = nil
	}
	if err != nil {
		return err
	}
	return w.setIDs(ctx, entries)
}

// setIDs orders what a page of a plan owes as the list is ordered. What no plan
// names comes with the first page.
func (w *walk) setIDs(ctx context.Context, entries []webhook.PlanEntry) error {
	w.ids = make([]string, len(entries))
	for i, e := range entries {
		w.ids[i] = w.event.DeliveryID(e)
	}
	if w.whole && w.at.page == 0 {
		further, err := w.store.occasionIDs(ctx, w.tenant, w.event.Key())
		if err != nil {
			return err
		}
		w.ids = append(w.ids, further...)
	}
	slices.Sort(w.ids)
	if w.desc {
		slices.Reverse(w.ids)
	}
	return nil
}

// skipThrough drops what a page before has given out.
func (w *walk) skipThrough(id string) {
	if id == "" {
		return
	}
	w.at.delivery = id
	w.ids = slices.DeleteFunc(w.ids, func(other string) bool { return other == id || other < id != w.desc })
}
