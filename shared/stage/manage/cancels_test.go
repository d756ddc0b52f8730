package manage_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/webhook"
)

const cancelable = `{"url":"https://a.example/","types":["cart.left"],"trigger":{"key":["subject","data.cart"],"delay":"1h","on_repeat":"keep",
	"cancel":[{"types":["order.paid"]},{"types":["cart.emptied"],"key":["subject","data.was"]},{"types":["left.again"],"filter":{"data":{"big":[true]}}}]}}`

// begins has the delay of an event of ada begin, and returns its delivery.
func (w *world) begins(t *testing.T, id, cart string) string {
	t.Helper()
	e := left(id, cart, w.now())
	w.fire(t, w.version(t, "s"), e)
	return webhook.DeliveryID(e.Tenant, e.Key(), e.AcceptedAt, "s", "")
}

func left(id, cart string, at time.Time) webhook.Event {
	return webhook.Event{
		Tenant: "acme", ID: id, Type: "cart.left", Subject: "ada", Source: "/tenants/acme", Nonce: id,
		Data: json.RawMessage(fmt.Sprintf(`{"cart":%q}`, cart)), Time: at, AcceptedAt: at,
	}
}

// ends has the delay of an event that began at a time be over now.
func (w *world) ends(t *testing.T, e webhook.Event) {
	t.Helper()
	s := w.version(t, "s")
	spec, err := trigger.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := trigger.DecodeEvent(e)
	if err != nil {
		t.Fatal(err)
	}
	o, _ := spec.Occurrence(s, e, decoded)
	items, err := w.store.TriggerState(t.Context(), o.Refs())
	if err != nil {
		t.Fatal(err)
	}
	_, changed, fires, err := o.Fire(items, w.now(), trigger.Always)
	if err != nil || !fires {
		t.Fatalf("the delay of %s fires: %t, %v", e.ID, fires, err)
	}
	if err := w.store.SaveTriggerState(t.Context(), changed); err != nil {
		t.Fatal(err)
	}
}

func TestAPreviewNamesWhatTheEventWouldCancel(t *testing.T) {
	w := openWithPortal(t)
	w.set(t, cancelable)
	first, began := w.begins(t, "e1", "c1"), webhook.FormatTime(w.now())
	w.begins(t, "e2", "c2")
	w.advance(time.Minute)
	third, later := w.begins(t, "e3", "c1"), webhook.FormatTime(w.now())
	waits := func(event, at, delivery string) any {
		due, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		return map[string]any{
			"subscription": "s", "key": `["ada","c1"]`, "event": event, "time": at, "due": webhook.FormatTime(due.Add(time.Hour)),
			"delivery": delivery, "waiting": "timer",
		}
	}
	both, none := []any{waits("e1", began, first), waits("e3", later, third)}, []any{}
	for _, tt := range []struct {
		event string
		want  any
	}{
		{`{"type":"order.paid","subject":"ada","data":{"cart":"c1"}}`, both},
		{`{"type":"order.paid","subject":"ada","data":{"cart":"c1"},"time":"` + began + `"}`, both[:1]},
		{`{"type":"order.paid","subject":"ada","data":{"cart":"c1"},"time":"2026-01-01T00:00:00Z"}`, none},
		{`{"type":"order.paid","subject":"bob","data":{"cart":"c1"}}`, none},
		{`{"type":"order.paid","subject":"ada","data":{}}`, none},
		{`{"type":"cart.emptied","subject":"ada","data":{"was":"c1"}}`, both},
		{`{"type":"left.again","subject":"ada","data":{"big":true,"cart":"c1"}}`, both},
		{`{"type":"left.again","subject":"ada","data":{"big":false,"cart":"c1"}}`, nil},
		{`{"type":"cart.left","subject":"ada","data":{"cart":"c1"}}`, nil},
	} {
		ask := `{"event":` + tt.event + `}`
		got := w.must(t, http.StatusOK, "POST", sub+"/s/preview", ask)
		if cancels := got.get(t, "cancels"); !reflect.DeepEqual(cancels, tt.want) {
			t.Errorf("%s cancels %v, want %v", tt.event, cancels, tt.want)
		}
		if got := w.asPortal("POST", sub+"/s/preview", ask); got.status != 200 || got.get(t, "cancels") != nil {
			t.Errorf("a portal key is told %d %s, want nothing of what waits", got.status, got.body)
		}
	}
	draft := w.must(t, http.StatusOK, "POST", "/preview", `{"event":{"type":"order.paid","subject":"ada","data":{"cart":"c1"}},"subscription":`+cancelable+`}`)
	if cancels := draft.get(t, "cancels"); !reflect.DeepEqual(cancels, none) || draft.get(t, "reason") != "type" {
		t.Errorf("a draft: %s, want a list of nothing", draft.body)
	}
	if state := w.must(t, 200, "GET", sub+`/s/state/%5B%22ada%22%2C%22c1%22%5D`, ""); len(state.get(t, "timer", "waiting").([]any)) != 2 {
		t.Errorf("after all previews %s, want both still waiting", state.body)
	}
}

func TestAPreviewNamesHeldDeliveriesThatTheEventWouldEnd(t *testing.T) {
	for name, change := range map[string]func(*webhook.Delivery){
		"paused":     func(d *webhook.Delivery) { d.Waiting, d.WaitingSince = webhook.WaitPaused, d.CreatedAt },
		"rate_limit": func(d *webhook.Delivery) { d.Waiting = webhook.WaitRateLimit },
		"attempted":  func(d *webhook.Delivery) { d.Waiting, d.Attempts, d.Step = webhook.WaitPaused, 1, 1 },
		"recovered":  func(d *webhook.Delivery) { d.Waiting, d.Round = webhook.WaitPaused, 1 },
		"ended":      func(d *webhook.Delivery) { d.Status, d.Reason = webhook.Canceled, "manual" },
	} {
		t.Run(name, func(t *testing.T) {
			w := openWithPortal(t)
			w.set(t, cancelable)
			id := w.begins(t, "e1", "c1")
			accepted := w.now()
			w.advance(2 * time.Hour)
			w.ends(t, left("e1", "c1", accepted))
			d := webhook.Delivery{Tenant: "acme", ID: id, EventID: "e1", EventSource: "/tenants/acme", Subscription: "s", Version: 1, Status: webhook.Pending, CreatedAt: accepted}
			change(&d)
			if err := w.store.SaveDelivery(t.Context(), d, webhook.Parts{}); err != nil {
				t.Fatal(err)
			}
			var want []any
			if name == "paused" || name == "rate_limit" {
				want = []any{id + " " + name}
			}
			got := w.must(t, http.StatusOK, "POST", sub+"/s/preview", `{"event":{"type":"order.paid","subject":"ada","data":{"cart":"c1"}}}`)
			var cancels []any
			for _, c := range got.get(t, "cancels").([]any) {
				cancels = append(cancels, fmt.Sprint(c.(map[string]any)["delivery"], " ", c.(map[string]any)["waiting"]))
			}
			if !reflect.DeepEqual(cancels, want) {
				t.Errorf("of a delivery that is %s: cancels %v, want %v", name, cancels, want)
			}
		})
	}
}

func TestAPreviewDoesNotNameWhatIsCanceledAlready(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", sub+"/s", cancelable)
	id, accepted := w.begins(t, "e1", "c1"), w.now()
	w.advance(2 * time.Hour)
	w.ends(t, left("e1", "c1", accepted))
	d := webhook.Delivery{Tenant: "acme", ID: id, EventID: "e1", EventSource: "/tenants/acme", Subscription: "s", Version: 1, Status: webhook.Pending, Waiting: webhook.WaitPaused, CreatedAt: accepted}
	if err := w.store.SaveDelivery(t.Context(), d, webhook.Parts{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{1, 0} {
		got := w.must(t, 200, "POST", sub+"/s/preview", `{"event":{"type":"order.paid","subject":"ada","data":{"cart":"c1"}}}`)
		if cancels := got.get(t, "cancels").([]any); len(cancels) != want {
			t.Errorf("cancels %v, want %d deliveries", cancels, want)
		}
		key := w.timerOf(t, left("e1", "c1", accepted))
		items, err := w.store.TriggerState(t.Context(), []webhook.StateRef{key})
		if err != nil {
			t.Fatal(err)
		}
		changed, err := trigger.CancelBy(items[0], webhook.Event{Tenant: "acme", ID: "paid", Time: w.now(), AcceptedAt: w.now()}, w.now())
		if err == nil && changed != nil {
			err = w.store.SaveTriggerState(t.Context(), []webhook.StateItem{*changed})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) timerOf(t *testing.T, e webhook.Event) webhook.StateRef {
	t.Helper()
	s := w.version(t, "s")
	spec, err := trigger.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := trigger.DecodeEvent(e)
	if err != nil {
		t.Fatal(err)
	}
	o, _ := spec.Occurrence(s, e, decoded)
	timer, _ := o.Timer()
	return timer
}

// What waits for a key is bounded, so what an event cancels makes room for what
// it starts.
func TestAPreviewLooksAtWhatIsLeftOnceTheEventHasCanceled(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", sub+"/s", `{"url":"https://a.example/","trigger":{"key":["subject","data.cart"],"delay":"1h","on_repeat":"keep","cancel":[{"filter":{"data":{"again":[true]}}}]}}`)
	for i := range 64 {
		w.begins(t, fmt.Sprint("e", i), "c1")
		w.advance(time.Second)
	}
	for again, want := range map[bool]string{false: "duplicate", true: ""} {
		got := w.must(t, 200, "POST", sub+"/s/preview", fmt.Sprintf(`{"event":{"type":"a","subject":"ada","data":{"cart":"c1","again":%t}}}`, again))
		if reason, _ := got.get(t, "reason").(string); reason != want {
			t.Errorf("an event that cancels the others: %t: reason %q, want %q", again, reason, want)
		}
	}
}
