package manage

import (
	"context"
	"fmt"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/webhook"
)

// canceledView is one occasion that waits, and that the previewed event would
// cancel.
type canceledView struct {
	Subscription string          `json:"subscription"`
	Key          string          `json:"key"`
	Event        string          `json:"event"` // that began the delay
	Time         httpapi.Time    `json:"time"`  // of that event
	Due          httpapi.Time    `json:"due"`
	Delivery     string          `json:"delivery"`
	Waiting      webhook.Waiting `json:"waiting"` // timer, or what holds the delivery although its delay is over
}

// cancels lists what the event would cancel: delays that run, and deliveries
// that are held after theirs. Of a draft nothing waits.
func (h *previews) cancels(ctx context.Context, spec *trigger.Spec, a trigger.Asked) ([]canceledView, error) {
	list, s := []canceledView{}, a.Subscription
	if s.Version == 0 {
		return list, nil
	}
	keys, err := spec.Cancels(ctx, h.Store, a, h.now())
	if err != nil {
		return nil, err
	}
	stored, err := h.fired(ctx, s.Tenant, keys)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		for _, f := range k.Fired {
			if held := stored[f.Delivery]; held.Held() {
				list = append(list, viewCanceled(s, k, f, held.Waiting))
			}
		}
		for _, w := range k.Waiting {
			list = append(list, viewCanceled(s, k, w, webhook.WaitTimer))
		}
	}
	return list, nil
}

// fired reads the deliveries that came of what has fired.
func (h *previews) fired(ctx context.Context, tenant string, keys []trigger.Canceling) (map[string]webhook.Delivery, error) {
	var ids []string
	for _, k := range keys {
		for _, f := range k.Fired {
			ids = append(ids, f.Delivery)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	stored, err := h.Store.DeliveriesByID(ctx, tenant, ids)
	if err != nil {
		return nil, fmt.Errorf("read what has fired: %w", err)
	}
	return stored, nil
}

func viewCanceled(s webhook.Subscription, k trigger.Canceling, w trigger.Start, waiting webhook.Waiting) canceledView {
	return canceledView{s.ID, k.Key, w.Event, httpapi.Time(w.Time), httpapi.Time(w.Due), w.Delivery, waiting}
}
