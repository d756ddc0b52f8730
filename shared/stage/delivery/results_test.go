package delivery_test

import (
	"maps"
	"testing"
	"time"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/webhook"
)

// wins counts what deliveries of campaigns came to.
type wins map[string]int64

func (w wins) Count(_, campaign, subscription, _, name string, n int64) {
	w[campaign+" "+subscription+" "+name] += n
}

func TestTheEndOfEachDeliveryOfACampaignIsCountedOnce(t *testing.T) {
	onEachStore(t, func(t *testing.T, y *yard) {
		counted := wins{}
		for _, d := range y.workers {
			d.Results = counted
		}
		of := func(s *webhook.Subscription) { s.Campaign = "spring" }
		well, late, bad, none := y.subscribe("well", of), y.subscribe("late", of), y.subscribe("bad", of), y.subscribe("none", nil)
		hour := y.clock.Add(30 * time.Minute)
		y.answers = func(path string) int {
			if path == "/bad" || path == "/late" && y.clock.Before(hour) {
				return 500
			}
			return 200
		}
		for i, s := range []webhook.Subscription{well, late, bad, none, well} {
			y.deliver(s, i)
		}
		again := y.clock.Add(time.Second)
		for _, it := range append(pending(nil), y.pending...) { // each message comes three times
			y.push(it.Body, y.clock)
			y.push(it.Body, again)
		}
		replay := message.FirstAttempt{
			Tenant: "acme", ID: webhook.DeliveryID("acme", webhook.EventKey("/tenants/acme", "e0"), y.clock, "well", "rpl_1"), Event: "e0", Source: "/tenants/acme",
			Created: y.clock, Subscription: "well", Version: well.Version, Occasion: "rpl_1",
			Target: webhook.Target{URL: webhook.Text{Plain: well.URL}}, Method: "POST", ContentType: "application/json", Body: `{"n":1}`,
		}
		y.push(replay.Encode(), y.clock)
		y.play(y.clock.Add(72 * time.Hour))
		want := wins{"spring well succeeded": 2, "spring late succeeded": 1, "spring bad exhausted": 1}
		if !maps.Equal(counted, want) {
			t.Errorf("counted %v, want %v", counted, want)
		}
		if d := y.delivery(replay.ID); d.Status != webhook.Succeeded {
			t.Errorf("the replay is %s, want it succeeded, though nobody counts it", d.Status)
		}
	})
}
