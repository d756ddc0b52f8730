package simulation_test

import (
	"context"
	"encoding/json"

	"github.com/postino/postino/shared/webhook"
)

// replay has an event sent again, which may not be stored yet.
func (w *world) replay() {
	if len(w.eventOrder) == 0 {
		return
	}
	event, body := w.someEvent(), ""
	if w.rng.IntN(3) == 0 {
		body = `{"subscription":"` + subID(w.rng.IntN(w.subs)) + `"}`
	}
	w.call("POST", "/events/"+event+"/replay", body, func(status int, answer []byte) {
		var told replay
		switch err := json.Unmarshal(answer, &told); {
		case status == 202 && err == nil:
			_ = json.Unmarshal([]byte(body), &told)
			w.replays = append(w.replays, told)
		case status != 0 && status != 404 && status != 422 && !w.chaotic:
			w.wrong("replay: %d %s", status, answer)
		}
	})
}

// replay is one that was accepted.
type replay struct {
	Event        string `json:"id"`
	ID           string `json:"replay"`
	Subscription string `json:"subscription"` // "" for all
}

// checkReplay sees that an event that was sent again reached whom it matched,
// and nobody else.
func (w *world) checkReplay(e webhook.StoredEvent, r replay) {
	decided, err := w.store.Replay(context.Background(), tenant, e.Key(), r.ID)
	found := err == nil
	if found && decided.At.Before(e.AcceptedAt) {
		w.wrong("replay %s is of %v, before its event", r.ID, decided.At)
	}
	for i := range w.subs {
		id, gone := subID(i), w.deleted[subID(i)]
		if w.changed[id] || w.expunged[e.ID] || gone > 0 && r.Subscription != "" {
			continue // it was decided before the change or after
		}
		due := wants[i%len(wants)](e.Type) && (r.Subscription == "" || r.Subscription == id)
		_, err := w.store.Delivery(context.Background(), tenant, webhook.DeliveryID(tenant, e.Key(), decided.At, id, r.ID))
		switch {
		case due && (gone == 0 || err == nil):
			w.checkDelivery(e, webhook.PlanEntry{Subscription: id}, r.ID, decided.At)
		case !due && err == nil:
			w.wrong("replay %s of event %s went to %s", r.ID, e.ID, id)
		}
	}
}
