package simulation_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postino/postino/shared/webhook"
)

func TestADeliveryWithNothingLeftToSendEnds(t *testing.T) {
	ended := 0
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(seed, noBug)
			w.faults = 0
			w.subscribe(1)
			w.at(0, w.publish(1, false))
			w.at(2*time.Second, func() { w.store.Expunge(tenant, webhook.DefaultSource(tenant), "a") })
			w.play()
			for _, id := range w.ids {
				d, err := w.store.Delivery(context.Background(), tenant, id)
				if err != nil || d.Status == webhook.Pending {
					t.Errorf("seed %d: delivery = %+v, %v, want ended", seed, d, err)
				}
				if d.Status == webhook.Canceled && d.Reason == webhook.ReasonExpired {
					ended++
				}
			}
		})
	}
	if ended == 0 {
		t.Error("no delivery lost its content while it waited: nothing is proven")
	}
}
