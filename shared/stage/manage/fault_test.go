package manage_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/store/storetest"
	"github.com/postino/postino/shared/webhook"
)

// Every write is tried with each of its calls to the store failing, once
// before it did anything and once after; then it is repeated as a caller
// would. What the repeat answers, and what then holds, must be what one
// undisturbed request leads to.
func TestWritesAreRepeatableWhateverFailed(t *testing.T) {
	for _, tt := range []struct {
		method, path, body string
		prepare            func(t *testing.T, w *world) string // returns what the path's %s stands for
		repeated           []int                               // good answers to the repeat
		holds              func(t *testing.T, w *world, id string) bool
	}{
		{"PUT", "//v1/tenants/acme", "", nothing, []int{201, 200}, func(*testing.T, *world, string) bool { return true }},
		{"POST", sub, `{"id":"s1","url":"https://a.example"}`, made, []int{201, 409}, isState(webhook.Active)},
		{"PUT", sub + "/s1", `{"url":"https://a.example","state":"paused"}`, made, []int{201, 200}, isState(webhook.Paused)},
		{"PUT", sub + "/s1", `{"url":"https://a.example"}`, paused, []int{200}, isDrained},
		{"PATCH", sub + "/s1", `{"state":"active"}`, paused, []int{200}, isDrained},
		{"POST", sub + "/s1/pause", "", subscribed, []int{200}, isState(webhook.Paused)},
		{"POST", sub + "/s1/resume", "", paused, []int{200}, isDrained},
		{"PUT", "/event-types/a", `{"sample":1}`, made, []int{201, 200}, isRegistered(true)},
		{"DELETE", "/event-types/a", "", registered, []int{204, 404}, isRegistered(false)},
		{"POST", "/keys", `{"role":"publish"}`, made, []int{201}, func(*testing.T, *world, string) bool { return true }},
		{"DELETE", sub + "/s1", "", subscribed, []int{204, 404}, isState("")},
		{"POST", "/deliveries/%s/retry", "", owing, []int{202}, func(t *testing.T, w *world, _ string) bool { return len(w.takeSent()) > 0 }},
		{"POST", "/deliveries/%s/cancel", "", owing, []int{200, 409}, func(t *testing.T, w *world, id string) bool {
			d, err := w.store.Delivery(t.Context(), "acme", id)
			return err == nil && d.Status == webhook.Canceled
		}},
		{"POST", "/events/%s/expunge", "", owingAnEvent, []int{200}, isExpunged},
	} {
		for call := 1; ; call++ {
			failed := 0
			for _, after := range []bool{false, true} {
				if failOnce(t, tt.method, tt.path, tt.body, tt.prepare, call, after, tt.repeated, tt.holds) {
					failed++
				}
			}
			if failed == 0 {
				if call == 1 {
					t.Errorf("%s %s calls no store", tt.method, tt.path)
				}
				break
			}
		}
	}
}

// failOnce fails the n-th call to the store and reports whether there was one.
func failOnce(t *testing.T, method, path, body string, prepare func(*testing.T, *world) string, n int, after bool, repeated []int, holds func(*testing.T, *world, string) bool) bool {
	t.Helper()
	w := open(t)
	id := prepare(t, w)
	if id != "" {
		path = fmt.Sprintf(path, id)
	}
	w.takeSent()
	calls := 0
	fail := func(string) error {
		if calls++; calls == n {
			return errors.New("injected")
		}
		return nil
	}
	pass := func(string) error { return nil }
	real := w.Store
	if w.Store = storetest.Faulty(w.store, fail, pass); after {
		w.Store = storetest.Faulty(w.store, pass, fail)
	}
	first := w.do(t, method, path, body)
	w.Store = real
	if calls < n {
		return false
	}
	if first.status < 500 && method+path != "POST/deliveries/"+id+"/cancel" { // which may be over before its last call
		t.Errorf("%s %s with call %d failing = %d %s", method, path, n, first.status, first.body)
	}
	again := w.do(t, method, path, body)
	ok := false
	for _, status := range repeated {
		ok = ok || again.status == status
	}
	if !ok || !holds(t, w, id) {
		t.Errorf("%s %s after call %d failed (after it: %t) = %d %s, or not done", method, path, n, after, again.status, again.body)
	}
	return true
}

// made makes the tenant, so that nobody is warned that it is new.
func made(t *testing.T, w *world) string {
	w.must(t, 201, "PUT", "//v1/tenants/acme", "")
	return ""
}

func nothing(*testing.T, *world) string { return "" }

func subscribed(t *testing.T, w *world) string {
	w.must(t, 201, "POST", sub, `{"id":"s1","url":"https://a.example"}`)
	return ""
}

func registered(t *testing.T, w *world) string {
	w.must(t, 201, "PUT", "/event-types/a", `{}`)
	return ""
}

func isRegistered(want bool) func(*testing.T, *world, string) bool {
	return func(t *testing.T, w *world, _ string) bool {
		found, err := w.store.EventTypes(t.Context(), "acme", []string{"a"})
		return err == nil && len(found) == 1 == want
	}
}

func paused(t *testing.T, w *world) string {
	w.must(t, 201, "POST", sub, `{"id":"s1","url":"https://a.example","state":"paused"}`)
	return ""
}

// owing stores a delivery and returns its id.
func owing(t *testing.T, w *world) string {
	subscribed(t, w)
	e := publish(t, w, "1", "a", w.clock, "s1")
	return owe(t, w, e, "s1", webhook.Pending, func(d *webhook.Delivery) { d.Version = w.head(t, "s1").Version }).ID
}

func owingAnEvent(t *testing.T, w *world) string {
	owing(t, w)
	return "1"
}

func isExpunged(t *testing.T, w *world, id string) bool {
	e, err := w.store.Event(t.Context(), "acme", "/tenants/acme", id)
	d, err2 := w.store.Delivery(t.Context(), "acme", webhook.DeliveryID("acme", e.Key(), e.AcceptedAt, "s1", ""))
	looksAgain := slices.ContainsFunc(w.takeSent(), func(a message.Task) bool { asked, is := a.(message.Expunge); return is && asked.Event == id })
	return err == nil && err2 == nil && e.Expunged && d.Status == webhook.Canceled && d.Reason == webhook.ReasonExpired && looksAgain
}

func isState(want webhook.State) func(*testing.T, *world, string) bool {
	return func(t *testing.T, w *world, _ string) bool { return w.head(t, "s1").State == want }
}

func isDrained(t *testing.T, w *world, _ string) bool {
	return w.head(t, "s1").State == webhook.Active && len(drains(w.takeSent())) > 0
}
