package fanout_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/platform/local/localstore"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/fanout"
	"github.com/postino/postino/shared/webhook"
)

// BenchmarkPack handles packs of 50 events, each of a key of its own, on the
// local store. The metric is events per second.
func BenchmarkPack(b *testing.B) {
	for _, trigger := range []string{"", `{"once":true}`, `{"every":5}`, `{"once_per":"1d"}`, `{"delay":"1h","cancel":[{"types":["x"]}]}`} {
		b.Run("trigger="+trigger, func(b *testing.B) {
			db, err := engine.Open(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			store := localstore.In(db)
			sub := webhook.Subscription{Tenant: "acme", ID: "s", URL: "https://a.example", State: webhook.Active}
			if trigger != "" {
				sub.Trigger = json.RawMessage(trigger)
			}
			if _, err := store.SaveSubscription(b.Context(), sub, 0); err != nil {
				b.Fatal(err)
			}
			drop := sender(func(queue.Message) {})
			stage := &fanout.Fanout{Store: store, Events: drop, Deliveries: drop, Log: slog.New(slog.DiscardHandler)}
			n := 0
			for b.Loop() {
				var p message.Pack
				for range 50 {
					n++
					p.Events = append(p.Events, webhook.Event{
						Tenant: "acme", ID: fmt.Sprint("e", n), Source: "/s", Type: "a", Subject: fmt.Sprint("u", n),
						Time: epoch, Data: json.RawMessage(`{"a":1}`), AcceptedAt: epoch, Nonce: "n",
					})
				}
				if failed := stage.Handle(b.Context(), []queue.Message{{ID: "m", Group: "acme", Body: p.Encode(), Received: 1}}); len(failed) > 0 {
					b.Fatal("not handled")
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
