package manage_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// mostRows is what one page may read (localtable's own tests hold that the engine
// steps through no other rows): what a filter without an index looks at before the
// page is cut short, or an event's plan with its deliveries and those that are
// named beside it, and a little. An entry of an index and the item it names are
// two rows.
const mostRows = 1600

// pages reads a whole list, and returns how many entries it had, and the most
// rows that one of its pages read.
func (w *world) pages(t *testing.T, path string) (entries int, most int64) {
	t.Helper()
	cursor := ""
	for range 1000 {
		before := w.db.RowsRead()
		var page struct {
			Data       []any
			NextCursor *string `json:"next_cursor"`
		}
		w.must(t, 200, "GET", path+"&cursor="+cursor, "").into(t, &page)
		most = max(most, w.db.RowsRead()-before)
		entries += len(page.Data)
		if page.NextCursor == nil {
			return entries, most
		}
		cursor = *page.NextCursor
	}
	t.Fatalf("%s has no end", path)
	return entries, most
}

// crowd stores n events, each to one of two subscriptions that everything has,
// and deliveries, nearly all in one status. What is rare is the oldest.
func crowd(t *testing.T, w *world, n int, status webhook.Status) {
	t.Helper()
	for i := range n {
		sub, typ, st := "crowd", "common", status
		if i < 3 {
			sub, typ, st = "rare", "rare", webhook.Exhausted
		}
		e := publish(t, w, fmt.Sprint("e", i), typ, w.clock.Add(time.Duration(i-n)*time.Second), sub)
		owe(t, w, e, sub, st)
	}
}

func TestAPageReadsABoundedNumberOfRowsWhateverIsStored(t *testing.T) {
	const n = 2600
	for _, crowded := range []webhook.Status{webhook.Succeeded, webhook.Pending} {
		w := open(t)
		crowd(t, w, n, crowded)
		for _, order := range []string{"asc", "desc"} {
			for path, want := range map[string]int{
				"/events?limit=250":                                        n,
				"/events?limit=1&type=rare":                                3,
				"/events?limit=50&type=none":                               0,
				"/events?limit=50&type=ra*":                                3,
				"/deliveries?limit=250":                                    n,
				"/deliveries?limit=50&status=canceled":                     0,
				"/deliveries?limit=50&status=exhausted":                    3,
				"/deliveries?limit=250&status=succeeded":                   map[webhook.Status]int{webhook.Succeeded: n - 3}[crowded],
				"/deliveries?limit=250&status=pending":                     map[webhook.Status]int{webhook.Pending: n - 3}[crowded],
				"/deliveries?limit=50&subscription=rare":                   3,
				"/deliveries?limit=50&subscription=nobody":                 0,
				"/deliveries?limit=50&subscription=crowd&status=canceled":  0,
				"/deliveries?limit=50&subscription=rare&status=succeeded":  0,
				"/deliveries?limit=50&subscription=crowd&status=exhausted": 0,
				"/deliveries?limit=50&event=e1":                            1,
				"/deliveries?limit=50&event=none":                          0,
			} {
				got, most := w.pages(t, path+"&order="+order)
				if got != want || most > mostRows {
					t.Errorf("%s deliveries, GET %s, %s: %d entries, up to %d rows for a page; want %d and at most %d", crowded, path, order, got, most, want, mostRows)
				}
			}
		}
	}
}

func TestAnEventWithManyDeliveriesReadsABoundedNumberOfRows(t *testing.T) {
	w := open(t)
	subs := names(webhook.PlanPage + 200)
	e := publish(t, w, "wide", "a", w.clock, subs...)
	for i, sub := range subs {
		owe(t, w, e, sub, statusOf(i))
		if i < 700 {
			owe(t, w, e, sub, statusOf(i), func(d *webhook.Delivery) {
				d.Occasion, d.ID = "rpl_1", webhook.DeliveryID("acme", e.Key(), e.AcceptedAt, sub, "rpl_1")
			})
		}
	}
	before := w.db.RowsRead()
	got := w.must(t, 200, "GET", "/events/wide", "")
	if n := w.db.RowsRead() - before; n > mostRows {
		t.Errorf("one event reads %d rows, want at most %d", n, mostRows)
	}
	if counted := got.get(t, "counted"); counted != float64(webhook.PlanPage+250) {
		t.Errorf("counted %v deliveries, want those of a page of the plan and 250 that were sent again", counted)
	}
	for path, want := range map[string]int{
		"/deliveries?event=wide&limit=100":                    len(subs) + 700,
		"/deliveries?event=wide&limit=50&subscription=s0001":  2,
		"/deliveries?event=wide&limit=50&subscription=nobody": 0,
		"/deliveries?event=wide&limit=100&status=exhausted":   (len(subs) + 700) / 4,
	} {
		if entries, most := w.pages(t, path); entries != want || most > mostRows {
			t.Errorf("GET %s: %d entries, up to %d rows for a page; want %d and at most %d", path, entries, most, want, mostRows)
		}
	}
}

func statusOf(i int) webhook.Status {
	return []webhook.Status{webhook.Pending, webhook.Succeeded, webhook.Exhausted, webhook.Canceled}[i%4]
}

func TestOtherListsReadWhatTheyShow(t *testing.T) {
	w := open(t)
	for i := range 300 {
		w.must(t, 201, "PUT", fmt.Sprint("/secrets/a", i), `{"value":"x"}`)
		w.must(t, 201, "PUT", fmt.Sprint("/event-types/a", i), `{}`)
		w.must(t, 201, "POST", "/keys", `{"role":"publish"}`)
		w.must(t, 201, "PUT", fmt.Sprint("/subscriptions/a", i), `{"url":"https://a.example"}`)
	}
	for _, path := range []string{"/secrets", "/event-types", "/keys", "/subscriptions"} {
		got, most := w.pages(t, path+"?limit=20")
		if got != 300 || most > 100 {
			t.Errorf("GET %s: %d entries, up to %d rows for a page of 20", path, got, most)
		}
	}
}

func TestATimeRangeInTheWrongOrderIsRefused(t *testing.T) {
	w := open(t)
	for _, path := range []string{"/events", "/deliveries", "/deliveries?event=e1"} {
		sep := "?"
		if path == "/deliveries?event=e1" {
			sep = "&"
		}
		got := w.do(t, "GET", path+sep+"after=2026-03-02T00:00:00Z&before=2026-03-01T00:00:00Z", "")
		if got.status != 422 || got.fields(t)[0] != "before" {
			t.Errorf("GET %s = %d %s, want 422 that names before", path, got.status, got.body)
		}
	}
}

// TestACursorIsOfItsTenantRouteAndFilters gives each list's cursor to all the
// others.
func TestACursorIsOfItsTenantRouteAndFilters(t *testing.T) {
	w := open(t)
	for i := range 3 {
		e := publish(t, w, fmt.Sprint("e", i), "a", w.clock.Add(time.Duration(i)*time.Second), "s", "r")
		owe(t, w, e, "s", webhook.Pending)
		owe(t, w, e, "r", webhook.Pending)
		w.must(t, 201, "PUT", fmt.Sprint("/subscriptions/a", i), `{"url":"https://a.example"}`)
	}
	lists := []string{
		"/events?limit=1", "/events?limit=1&order=asc", "/events?limit=1&type=a", "/events?limit=1&after=2020-01-01T00:00:00Z",
		"/deliveries?limit=1", "/deliveries?limit=1&status=pending", "/deliveries?limit=1&subscription=s", "/deliveries?limit=1&event=e0",
		"/deliveries?limit=1&event=e1", "/deliveries?limit=1&order=asc", "/subscriptions?limit=1",
	}
	cursors := make([]string, len(lists))
	for i, list := range lists {
		next, ok := w.must(t, 200, "GET", list, "").get(t, "next_cursor").(string)
		if !ok {
			t.Fatalf("GET %s has no next page", list)
		}
		cursors[i] = next
	}
	for i, list := range lists {
		for k, cursor := range cursors {
			want := 400
			if i == k {
				want = 200
			}
			if got := w.do(t, "GET", list+"&cursor="+cursor, ""); got.status != want {
				t.Errorf("GET %s with the cursor of %s = %d, want %d", list, lists[k], got.status, want)
			}
		}
	}
}
