package manage_test

import (
	"encoding/json"
	"testing"

	"github.com/postino/postino/shared/webhook"
)

func TestTheTimelineSaysWhatTheCampaignDecidedWhenTheEventCame(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", "/campaigns/members", `{"state":"live","audience":{"profile":{"member":[true]}}}`)
	w.must(t, 201, "PUT", sub+"/s", `{"url":"https://a.example/","types":["a"],"campaign":"members"}`)
	e := webhook.StoredEvent{Event: webhook.Event{
		Tenant: "acme", ID: "e1", Source: "/tenants/acme", Type: "a", Subject: "ada", Time: w.clock, Data: json.RawMessage("{}"), AcceptedAt: w.clock, Nonce: "n",
	}}
	e.Plan.Total = 1
	e.Plan.Entries = []webhook.PlanEntry{{Subscription: "s", Version: w.head(t, "s").Version, CancelsOnly: true, Why: webhook.ReasonAudience}}
	if _, _, err := w.store.CreateEvent(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	var list struct {
		Data []struct {
			Outcomes []struct{ Subscription, Outcome, Reason string }
		}
	}
	w.must(t, 200, "GET", "/profiles/ada/timeline", "").into(t, &list)
	if len(list.Data) != 1 || len(list.Data[0].Outcomes) != 1 || list.Data[0].Outcomes[0].Reason != "audience" || list.Data[0].Outcomes[0].Outcome != "skipped" {
		t.Errorf("the timeline says %+v, want s once, skipped for audience", list.Data)
	}
}
