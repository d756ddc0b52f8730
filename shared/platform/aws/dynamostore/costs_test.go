package dynamostore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/postino/postino/shared/platform/aws/dynamostore"
	"github.com/postino/postino/shared/webhook"
)

// TestWhatEachOperationCosts holds the capacity units that the design counts
// on. A change here is a change of everybody's bill.
func TestWhatEachOperationCosts(t *testing.T) {
	store, m := metered(t)
	ctx := t.Context()
	e := booking("evt_01jd8rzq5k3v9m2x7c4b6n", 500)
	d, sub := failed(e), loyalty()
	sub.Types = []string{"flight.booked"}
	ref := webhook.SubscriptionRef{Tenant: sub.Tenant, ID: sub.ID}
	due := webhook.Due{At: accepted, Kind: webhook.DueRetry, Tenant: d.Tenant, Subscription: d.Subscription, ID: d.ID, Step: 7}
	parts := webhook.Parts{Attempt: succeeded(e).Last, Content: &webhook.Content{Method: "POST", Body: webhook.Text{Plain: string(e.Data)}}}
	page, apiKey := plan(1000), webhook.Key{Tenant: sub.Tenant, ID: "key_1", Hash: []byte("hash"), Role: webhook.KeyManage}
	ten, ids := inGroup("a", 10, 0)
	twoFail, _ := inGroup("b", 10, 2)
	offer := webhook.Offer{Tenant: d.Tenant, Subscription: d.Subscription, Delivery: d.ID, Lease: "token", LeasedAt: accepted, Until: accepted.Add(time.Minute)}
	m.take()
	for _, step := range []struct {
		what string
		call func() error
		want units
	}{
		{"EnsureTenant, new", func() error { _, err := store.EnsureTenant(ctx, sub.Tenant); return err }, units{"write table": 1}},
		{"EnsureTenant, known", func() error { _, err := store.EnsureTenant(ctx, sub.Tenant); return err }, units{}},
		{"FindTenant", func() error { return store.FindTenant(ctx, sub.Tenant) }, units{"read table": 1}},
		{"TenantVersion", func() error { _, err := store.TenantVersion(ctx, sub.Tenant); return err }, units{"read table": 1}},
		{"SaveSubscription, new", func() (err error) { sub, err = store.SaveSubscription(ctx, sub, 0); return err }, units{"read table": 1, "write table": 8}},
		{"SaveSubscription", func() (err error) { sub, err = store.SaveSubscription(ctx, sub, sub.Version); return err }, units{"read table": 1, "write table": 10}},
		{"Heads, 1", func() error { _, err := store.Heads(ctx, []webhook.SubscriptionRef{ref}); return err }, units{"read table": 1}},
		{"ListHeads", func() error { _, err := store.ListHeads(ctx, sub.Tenant, "", 100); return err }, units{"read table": 8}},
		{"PageHeads", func() error { _, _, err := store.PageHeads(ctx, sub.Tenant, webhook.Page{Limit: 50}); return err }, units{"read table": 8}},
		{"Versions, 1", func() error {
			_, err := store.Versions(ctx, []webhook.VersionRef{{Tenant: sub.Tenant, ID: sub.ID, Version: sub.Version}})
			return err
		}, units{"read table": 0.5}},
		{"Changes, 1", func() error { _, err := store.Changes(ctx, sub.Tenant, 1, 2); return err }, units{"read table": 1}},
		{"SaveHealth", func() error {
			return store.SaveHealth(ctx, webhook.VersionRef{Tenant: sub.Tenant, ID: sub.ID, Version: sub.Version}, webhook.Health{FailingSince: accepted})
		}, units{"write table": 1}},
		{"AddTally", func() error {
			_, err := store.AddTally(ctx, ref, accepted, webhook.Tally{Attempts: 1, Failed: 1})
			return err
		}, units{"write table": 1}},
		{"Reserve, after a silence", func() error {
			_, _, err := store.Reserve(ctx, ref, accepted, accepted, time.Minute)
			return err
		}, units{"write table": 1}},
		{"PutKey", func() error { return store.PutKey(ctx, apiKey) }, units{"write table": 1}},
		{"Key", func() error { _, err := store.Key(ctx, apiKey.Tenant, apiKey.ID); return err }, units{"read table": 1}},
		{"Key, again within seconds", func() error { _, err := store.Key(ctx, apiKey.Tenant, apiKey.ID); return err }, units{}},
		{"DeleteSubscription", func() error { return store.DeleteSubscription(ctx, ref, sub.Version) }, units{"read table": 1, "write table": 8}},
		{"CreateEvent, 3 planned", func() error { _, _, err := store.CreateEvent(ctx, e); return err }, units{"write table": 1, "write GSI1": 1}},
		{"CreateEvent, 3 planned, with a subject", func() error { _, _, err := store.CreateEvent(ctx, of(e, "ada")); return err }, units{"write table": 1, "write GSI1": 1, "write GSI2": 1}},
		{"Profiles, 1", func() error { _, err := store.Profiles(ctx, sub.Tenant, []string{"ada"}); return err }, units{"read table": 1}},
		{"CreateEvent that changes a computed attribute", func() error {
			e := of(booking("evt_counted", 500), "ada")
			_, _, err := store.CreateEvent(ctx, e, webhook.Profile{Tenant: sub.Tenant, Subject: "ada", Computed: []byte(`{"flights":{"g":"gen_1","v":5}}`), Revision: 1})
			return err
		}, units{"write table": 4}}, // and its index entries, which the emulator does not count in a transaction
		{"AttributeRules, 3", func() error { _, err := store.AttributeRules(ctx, sub.Tenant, 100); return err }, units{"read table": 1}},
		{"Campaigns, none", func() error { _, _, err := store.Campaigns(ctx, sub.Tenant, 100); return err }, units{"read table": 1}}, // when definitions change, not with an event
		{"TriggerState of an event of a campaign with a cap and a goal", func() error { _, err := store.TriggerState(ctx, refsOf(ofCampaign(0))); return err }, units{"read table": 3}},
		{"SaveTriggerState of an event of a campaign with a cap and a goal", func() error { return store.SaveTriggerState(ctx, ofCampaign(0)) }, units{"write table": 6}},
		{"TriggerState of an event that is a campaign's goal", func() error { _, err := store.TriggerState(ctx, refsOf(ofCampaign(0)[2:])); return err }, units{"read table": 1}},
		{"SaveTriggerState of an event that is a campaign's goal", func() error { return store.SaveTriggerState(ctx, ofCampaign(1)[2:]) }, units{"write table": 1}},
		{"CreateEvent, a repeat", func() error { _, _, err := store.CreateEvent(ctx, e); return err }, units{}},
		{"CreateEvent, 100 planned", func() error {
			e := booking("evt_wide", 500)
			e.Plan = webhook.Plan{Entries: plan(100), Total: 100}
			_, _, err := store.CreateEvent(ctx, e)
			return err
		}, units{"write table": 3, "write GSI1": 3}},
		{"PutPlanPage, 1000", func() error { return store.PutPlanPage(ctx, e.Tenant, e.Key(), e.Nonce, 0, page) }, units{"write table": 20}},
		{"PlanPage, 1000", func() error { _, err := store.PlanPage(ctx, e.Tenant, e.Key(), e.Nonce, 0); return err }, units{"read table": 2.5}},
		{"CreateReplay, 3 planned", func() error {
			_, _, err := store.CreateReplay(ctx, webhook.Replay{Tenant: e.Tenant, EventKey: e.Key(), ID: "rpl_1", Plan: e.Plan})
			return err
		}, units{"write table": 1}},
		{"Event", func() error { _, err := store.Event(ctx, e.Tenant, e.Source, e.ID); return err }, units{"read table": 1}},
		{"SaveDelivery, first failure", func() error { return store.SaveDelivery(ctx, d, parts) }, units{"write table": 3, "write GSI1": 1, "write GSI2": 1}},
		{"SaveDelivery, claim", func() error { d.Rev = 1; return store.SaveDelivery(ctx, d, webhook.Parts{}) }, units{"write table": 1}},
		{"Delivery", func() error { _, err := store.Delivery(ctx, d.Tenant, d.ID); return err }, units{"read table": 1}},
		{"DeliveriesByID, 1", func() error { _, err := store.DeliveriesByID(ctx, d.Tenant, []string{d.ID}); return err }, units{"read table": 1}},
		{"Content", func() error { _, err := store.Content(ctx, d.Tenant, d.ID); return err }, units{"read table": 1}},
		{"Attempts, 1", func() error { _, err := store.Attempts(ctx, d.Tenant, d.ID); return err }, units{"read table": 1}},
		{"SaveDelivery, success after failure", func() error {
			d = succeeded(e)
			d.Rev = 2
			return store.SaveDelivery(ctx, d, webhook.Parts{Attempt: d.Last})
		}, units{"write table": 2, "write GSI1": 1, "write GSI2": 1}},
		{"SaveDeliveries, ten of a group that succeed", func() error { return errors.Join(store.SaveDeliveries(ctx, ten)...) }, units{"write table": 1}},
		{"DeliveriesByID, ten of a group", func() error { _, err := store.DeliveriesByID(ctx, d.Tenant, ids); return err }, units{"read table": 1}},
		{"Delivery, of a group", func() error { _, err := store.Delivery(ctx, d.Tenant, ids[0]); return err }, units{"read table": 2}},
		{"SaveDeliveries, ten of a group of which two fail", func() error { return errors.Join(store.SaveDeliveries(ctx, twoFail)...) },
			units{"write table": 1 + 2*3, "write GSI1": 2, "write GSI2": 2}},
		{"SaveDelivery, one of a group that changes later", func() error {
			later := ten[0].Delivery
			later.Rev, later.Status = 1, webhook.Pending
			return store.SaveDelivery(ctx, later, webhook.Parts{})
		}, units{"read table": 1, "write table": 2, "write GSI1": 1, "write GSI2": 1}}, // and 1 for the write that is refused, on DynamoDB
		{"EnterLine", func() error { return store.EnterLine(ctx, ref, d.ID) }, units{"write table": 1}},
		{"Line", func() error { _, err := store.Line(ctx, ref, "", 100); return err }, units{"read table": 4}},
		{"LeaveLine, 1", func() error { return store.LeaveLine(ctx, ref, []string{d.ID}) }, units{"write table": 1}},
		{"PutOffer", func() error { return store.PutOffer(ctx, offer) }, units{"write table": 1}},
		{"Offers", func() error { _, err := store.Offers(ctx, ref, 100); return err }, units{"read table": 4}},
		{"LeaseOffer", func() error { _, err := store.LeaseOffer(ctx, offer); return err }, units{"write table": 1}},
		{"Offer", func() error { _, err := store.Offer(ctx, offer); return err }, units{"read table": 1}},
		{"ReleaseOffer", func() error { return store.ReleaseOffer(ctx, offer) }, units{"write table": 1}},
		{"DeleteOffers, 1", func() error { return store.DeleteOffers(ctx, []webhook.Offer{offer}) }, units{"write table": 1}},
		{"Lease", func() error {
			_, err := store.Lease(ctx, ref, "drain", "token", accepted, accepted.Add(time.Minute))
			return err
		}, units{"write table": 1}},
		{"PutDue", func() error { return store.PutDue(ctx, due) }, units{"write table": 1}},
		{"DueAt, all shards", func() error { return everyShard(ctx, store, accepted) }, units{"read table": 8}},
		{"DeleteDue, 1", func() error { return store.DeleteDue(ctx, []webhook.Due{due}) }, units{"write table": 1}},
		{"RaiseLowWater", func() error { return store.RaiseLowWater(ctx, accepted.Truncate(time.Minute).Add(-20*time.Minute)) }, units{"write table": 1}},
		{"LowWater", func() error { _, err := store.LowWater(ctx); return err }, units{"read table": 1}},
		{"CountDue, 20 minutes behind", func() error { _, err := store.CountDue(ctx, accepted, 1000); return err }, units{"read table": 1 + 21*8*0.5}},
	} {
		do(t, step.call())
		wantUnits(t, m, step.what, step.want)
	}
}

// ofCampaign is what an event of a campaign writes that has a cap and a goal: its mark,
// and what is shared.
func ofCampaign(rev int64) []webhook.StateItem {
	all := []webhook.StateItem{part("M#1", rev), part("SHARED", rev), part("GOAL", rev)}
	for i := range all[1:] {
		all[i+1].Subscription, all[i+1].Epoch, all[i+1].Key = "", 0, webhook.Hash(20, "shared", all[i+1].Part)
	}
	return all
}

func refsOf(items []webhook.StateItem) (refs []webhook.StateRef) {
	for _, item := range items {
		refs = append(refs, item.StateRef)
	}
	return refs
}

// inGroup are deliveries of one group, some of which have failed.
func inGroup(name string, n, failing int) (saves []webhook.Save, ids []string) {
	for i := range n {
		e := booking(fmt.Sprintf("evt_01jd8rzq5k3v%04dx%sd7f3a9k", i*7919%9973, name), 100)
		e.AcceptedAt = time.Now().UTC().Truncate(time.Minute).Add(time.Duration(i) * time.Millisecond)
		e.Plan.Entries[0].Group = webhook.NewGroup(webhook.Event{ID: name})
		well, bad := succeeded(e), failed(e)
		well.ID, well.Step, well.EndedAt = e.DeliveryID(e.Plan.Entries[0]), 0, e.AcceptedAt.Add(70*time.Millisecond)
		well.Digest = webhook.Content{Body: webhook.Text{Plain: e.ID}}.Digest()
		last := *well.Last
		last.StartedAt = e.AcceptedAt.Add(40 * time.Millisecond)
		last.Response = &webhook.Response{Headers: map[string]string{"content-type": "application/json", "date": "Mon, 23 Nov 2026 15:00:00 GMT"}, Body: `{"ok":true}`}
		well.Last, bad.ID = &last, well.ID
		save := webhook.Save{Delivery: well}
		if i < failing {
			save = webhook.Save{Delivery: bad, With: webhook.Parts{Attempt: bad.Last, Content: &webhook.Content{Method: "POST", Body: webhook.Text{Plain: string(e.Data)}}}}
		}
		saves, ids = append(saves, save), append(ids, well.ID)
	}
	return saves, ids
}

// plan returns n entries.
func plan(n int) []webhook.PlanEntry {
	entries := make([]webhook.PlanEntry, n)
	for i := range entries {
		entries[i] = webhook.PlanEntry{Subscription: "sub_" + webhook.Hash(16, fmt.Sprint(i)), Version: int64(100_000 + i)}
	}
	return entries
}

func everyShard(ctx context.Context, store *dynamostore.Store, minute time.Time) error {
	for shard := range webhook.DueShards {
		if _, _, err := store.DueAt(ctx, minute, shard, "", 100); err != nil {
			return err
		}
	}
	return nil
}

func TestListsReadLittleMoreThanTheyShow(t *testing.T) {
	store, m := metered(t)
	ctx := t.Context()
	for i := range 200 {
		e := booking(fmt.Sprint("e", i), 3000)
		e.AcceptedAt = accepted.Add(time.Duration(i) * time.Millisecond)
		if i%5 == 0 {
			e.Subject = "ada"
		}
		_, _, err := store.CreateEvent(ctx, e)
		do(t, err)
		d := succeeded(e)
		if i%4 == 0 {
			d = failed(e)
		}
		do(t, store.SaveDelivery(ctx, d, webhook.Parts{}))
	}
	sub := booking("", 0).Plan.Entries[0].Subscription
	m.take()
	for _, tt := range []struct {
		filter webhook.DeliveryFilter
		most   float64 // units for a page of 20, with those that look for what was planned and is not there
	}{
		{webhook.DeliveryFilter{}, 46},
		{webhook.DeliveryFilter{Status: webhook.Succeeded}, 60},
		{webhook.DeliveryFilter{Status: webhook.Pending}, 25},
		{webhook.DeliveryFilter{Subscription: sub}, 8},
		{webhook.DeliveryFilter{Subscription: sub, Status: webhook.Succeeded}, 30},
		{webhook.DeliveryFilter{Subscription: sub, Status: webhook.Pending}, 25},
		{webhook.DeliveryFilter{Subject: "ada"}, 68},
	} {
		got, _, err := store.PageDeliveries(ctx, "acme-airlines", tt.filter, webhook.Page{Limit: 20, Desc: true})
		do(t, err)
		wantAtMost(t, m, fmt.Sprintf("PageDeliveries %+v", tt.filter), len(got), tt.most)
	}
	events, _, err := store.PageEvents(ctx, "acme-airlines", webhook.EventFilter{}, webhook.Page{Limit: 20, Desc: true})
	do(t, err)
	wantAtMost(t, m, "PageEvents", len(events), 8)
	events, _, err = store.PageEvents(ctx, "acme-airlines", webhook.EventFilter{Subject: "ada"}, webhook.Page{Limit: 20, Desc: true})
	do(t, err)
	wantAtMost(t, m, "PageEvents of a subject", len(events), 25)
}

func wantAtMost(t *testing.T, m *meter, what string, got int, most float64) {
	t.Helper()
	spent, calls := m.take()
	t.Logf("%-80s %v in %d calls", what, spent, calls)
	total := 0.0
	for _, n := range spent {
		total += n
	}
	if got != 20 || total > most {
		t.Errorf("%s: %d of 20 entries for %v units, want at most %v", what, got, total, most)
	}
}
