package simulation_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/operational"
	"github.com/postino/postino/shared/stage/manage"
	"github.com/postino/postino/shared/webhook"
)

// shown is a delivery as lists and gets show it.
type shown struct {
	ID           string         `json:"id"`
	Event        string         `json:"event"`
	Subscription string         `json:"subscription"`
	Replay       string         `json:"replay"`
	Status       webhook.Status `json:"status"`
	Waiting      string         `json:"waiting"`
	Reason       string         `json:"reason"`
	Next         time.Time      `json:"next_attempt_at"`
	Created      time.Time      `json:"created_at"`
	Ended        time.Time      `json:"ended_at"`
	Attempts     int            `json:"attempt_count"`
}

func showing(d webhook.Delivery) shown {
	ms := func(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
	return shown{
		ID: d.ID, Event: d.EventID, Subscription: d.Subscription, Replay: d.Occasion, Status: d.Status, Waiting: string(d.Waiting), Reason: string(d.Reason),
		Next: ms(d.NextAt), Created: ms(d.CreatedAt), Ended: ms(d.EndedAt), Attempts: d.Attempts,
	}
}

// look reads from the API at one instant: nothing else happens meanwhile, and
// no die is thrown.
func (w *world) look(path string, into any) bool {
	if w.reader == nil {
		w.reader = &manage.Handler{Store: shelf{w.store, w.plant}, Secrets: w.sealer, Destinations: anywhere{}, Auth: httpapi.NewAdminKey(key), Log: noLog}
	}
	r := httptest.NewRequest("GET", "/v1/tenants/"+tenant+path, nil)
	r.Header.Set("Authorization", "Bearer "+key)
	answer := httptest.NewRecorder()
	w.reader.ServeHTTP(answer, r)
	if answer.Code != http.StatusOK {
		w.wrong("GET %s: %d %s", path, answer.Code, answer.Body)
		return false
	}
	if err := json.Unmarshal(answer.Body.Bytes(), into); err != nil {
		w.wrong("GET %s: %v", path, err)
		return false
	}
	return true
}

// page reads a whole list, a few at a time.
func (w *world) page(query url.Values) (all []shown) {
	query.Set("limit", fmt.Sprint(1+w.looks%4+w.subs/5)) // a few, of many more
	for range 10_000 {
		var page struct {
			Data []shown
			Next string `json:"next_cursor"`
		}
		if !w.look("/deliveries?"+query.Encode(), &page) {
			return all
		}
		all = append(all, page.Data...)
		if page.Next == "" {
			return all
		}
		query.Set("cursor", page.Next)
	}
	w.wrong("the list %v has no end", query)
	return all
}

// mostLooked is of how many subscriptions lists are read at once: of all in
// nearly every world.
const mostLooked = 8

// checkLists sees that lists, one delivery under its id, what is stored and
// what subscribers saw are one, at any instant of a world.
func (w *world) checkLists() {
	w.looks++
	stored := w.store.Deliveries(tenant)
	byID := map[string]shown{}
	for _, d := range stored {
		byID[d.ID] = showing(d)
	}
	for i := range min(w.subs, mostLooked) + 1 {
		sub := ""
		if i > 0 {
			sub = subID((i*7 + w.looks) % w.subs)
		}
		for _, status := range append([]webhook.Status{"", webhook.Pending}, endings...) {
			w.checkList(sub, status, stored)
		}
	}
	for _, e := range w.store.Events(tenant) {
		if e.Source != operational.Source {
			w.checkListOfEvent(e, byID)
		}
	}
	for i, id := range w.ids {
		if i%(1+len(w.ids)/mostLooked/2) > 0 {
			continue
		}
		if _, is := byID[id]; is || w.isPlanned(id) {
			w.checkGet(id, byID)
		}
	}
}

// checkList compares a list with what is stored: all of it, once, the newest
// event's first, or last.
func (w *world) checkList(sub string, status webhook.Status, stored []webhook.Delivery) {
	query, desc := url.Values{}, w.looks%2 == 0
	if sub != "" {
		query.Set("subscription", sub)
	}
	if status != "" {
		query.Set("status", string(status))
	}
	if !desc {
		query.Set("order", "asc")
	}
	var want []shown
	for _, d := range stored {
		if (sub == "" || d.Subscription == sub) && (status == "" || d.Status == status) {
			want = append(want, showing(d))
		}
	}
	if n := len(want); n > 2 && w.looks%3 == 0 && want[0].Created.Before(want[n-1].Created) { // between its ends
		after, before := want[0].Created, want[n-1].Created
		query.Set("after", webhook.FormatTime(after))
		query.Set("before", webhook.FormatTime(before))
		want = slices.DeleteFunc(want, func(d shown) bool { return !d.Created.After(after) || !d.Created.Before(before) })
	}
	name := query.Encode()
	got := w.page(query)
	if !slices.IsSortedFunc(got, func(a, b shown) int {
		if desc {
			a, b = b, a
		}
		return a.Created.Compare(b.Created)
	}) {
		w.wrong("the list %s is not in the order of acceptance: %v", name, got)
	}
	w.sameSet("the list "+name, got, want)
}

// sameSet sees that two lists hold the same deliveries, each once.
func (w *world) sameSet(what string, got, want []shown) {
	byID := func(a, b shown) int { return strings.Compare(a.ID, b.ID) }
	slices.SortFunc(got, byID)
	slices.SortFunc(want, byID)
	if !slices.Equal(got, want) {
		w.wrong("%s holds %v, stored is %v", what, got, want)
	}
}

// checkListOfEvent sees that the list of an event holds what its plan and its
// replays lead to: what is stored, and what is still to come.
func (w *world) checkListOfEvent(e webhook.StoredEvent, stored map[string]shown) {
	var want []shown
	for _, entry := range w.entries(e) {
		planned := webhook.Delivery{
			Tenant: tenant, ID: e.DeliveryID(entry), EventID: e.ID,
			Subscription: entry.Subscription, Status: webhook.Pending, CreatedAt: e.AcceptedAt,
		}
		if d, is := stored[planned.ID]; is {
			want = append(want, d)
		} else if p := w.plots[entry.Subscription]; p != nil {
			want = append(want, w.timers(e, p, planned)...)
		} else if !e.Expunged && w.versionKept(entry) {
			want = append(want, showing(planned))
		}
	}
	for _, d := range stored {
		if d.Event == e.ID && d.Replay != "" {
			want = append(want, d)
		}
	}
	want = slices.DeleteFunc(want, func(d shown) bool {
		if d.Waiting == "timer" {
			w.checkGet(d.ID, map[string]shown{d.ID: d})
		}
		return d.ID == ""
	})
	for _, status := range []webhook.Status{"", endings[w.looks%len(endings)]} {
		query, of := url.Values{"event": {e.ID}}, slices.Clone(want)
		if status != "" {
			query.Set("status", string(status))
			of = slices.DeleteFunc(of, func(d shown) bool { return d.Status != status })
		}
		got := slices.DeleteFunc(w.page(query), func(d shown) bool { // a trigger is yet to be asked
			_, is := stored[d.ID]
			return !is && w.plots[d.Subscription] != nil && d.Status == webhook.Pending && d.Waiting == ""
		})
		w.sameSet("the list of event "+e.ID+" "+string(status), got, of)
	}
}

// checkGet sees that a delivery that a subscriber saw is found by its id, with
// the attempts that are counted.
func (w *world) checkGet(id string, stored map[string]shown) {
	var got struct {
		shown
		Attempts []struct {
			Number int `json:"number"`
		} `json:"attempts"`
		Count int `json:"attempt_count"`
	}
	if !w.look("/deliveries/"+id, &got) {
		return
	}
	got.shown.Attempts = got.Count
	if want, is := stored[id]; is && got.shown != want {
		w.wrong("delivery %s is shown as %+v, stored is %+v", id, got.shown, want)
	}
	numbers := map[int]bool{}
	for _, a := range got.Attempts {
		numbers[a.Number] = true
	}
	if len(numbers) != got.Count || len(got.Attempts) != got.Count {
		w.wrong("delivery %s counts %d attempts and lists %v", id, got.Count, got.Attempts)
	}
}

// isPlanned reports whether a delivery that is not stored is one of an event's
// plan, and still to come.
func (w *world) isPlanned(id string) bool {
	for _, e := range w.store.Events(tenant) {
		for _, entry := range w.entries(e) {
			if e.DeliveryID(entry) == id {
				return !e.Expunged && w.versionKept(entry)
			}
		}
	}
	return false
}
