package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/platform/aws/dynamostore"
	"github.com/postino/postino/shared/webhook"
)

// A retry that is further off than a queue can wait stands in the table. The
// test need not wait so long: it writes that the time has come.
func TestARetryInTwentyMinutesIsSentByASweep(t *testing.T) {
	t.Parallel()
	on := deploy(t, settings{})
	p := begin(t, on, answer{Status: http.StatusServiceUnavailable}, answer{Status: http.StatusNoContent})
	p.do("PATCH /v1/tenants/acme/subscriptions/s", http.StatusOK, `{"retry": {"schedule": ["20m"]}}`)
	p.publish(0, 1)
	p.await(func() string {
		return p.call(t.Context(), step{
			Call: "GET /v1/tenants/acme/deliveries?event=e0", Status: http.StatusOK,
			Want: parse([]byte(`{"data": [{"id": "$delivery", "waiting": "retry"}]}`)),
		})
	})
	store := dynamostore.New(on.dynamo, on.name)
	d, err := store.Delivery(t.Context(), "acme", p.names["delivery"])
	if err != nil {
		t.Fatal(err)
	}
	if in := time.Until(d.NextAt); in < 15*time.Minute {
		t.Fatalf("the next attempt is in %v, want about 20m", in)
	}
	d.NextAt = time.Now().UTC().Truncate(time.Millisecond)
	if err := store.SaveDelivery(t.Context(), d, webhook.Parts{}); err != nil {
		t.Fatal(err)
	}
	due := webhook.Due{At: d.NextAt, Kind: webhook.DueRetry, Tenant: "acme", Subscription: "s", ID: d.ID, Round: d.Round, Step: d.Step}
	if err := store.PutDue(t.Context(), due); err != nil {
		t.Fatal(err)
	}
	on.functions["Sweep"].kill() // which has swept this minute already, two minutes ago
	p.await(func() string { return p.succeeded(1) })
	if why := p.receive(t.Context(), step{Receive: "/hook", Count: 2, IDs: 1}); why != "" {
		t.Error(why)
	}
}

// Whatever a pointer stands for goes to its queue, and then the pointer goes.
func TestASweepSendsEveryKindOfPointerAndRemovesIt(t *testing.T) {
	t.Parallel()
	on := deploy(t, settings{})
	begin(t, on)
	store := dynamostore.New(on.dynamo, on.name)
	at := time.Now().UTC().Truncate(time.Millisecond)
	dues := []webhook.Due{message.Fire{Tenant: "acme", Subscription: "s", Epoch: 1, Key: "of", Mark: "nothing"}.Due(at)}
	for _, kind := range []webhook.DueKind{webhook.DueRetry, webhook.DueLine, webhook.DueJob} {
		dues = append(dues, webhook.Due{At: at, Kind: kind, Tenant: "acme", Subscription: "s", ID: "of-nothing"})
	}
	for _, due := range dues {
		if err := store.PutDue(t.Context(), due); err != nil {
			t.Fatal(err)
		}
	}
	on.functions["Sweep"].kill() // which has swept this minute already, two minutes ago
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		left := 0
		for shard := range webhook.DueShards {
			dues, _, err := store.DueAt(t.Context(), at.Truncate(time.Minute), shard, "", 10)
			if err != nil {
				t.Fatal(err)
			}
			left += len(dues)
		}
		if left == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d pointers are left after two minutes, want none", left)
		}
	}
}
