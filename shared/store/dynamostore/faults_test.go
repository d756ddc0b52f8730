package dynamostore_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postino/postino/shared/store/dynamostore"
	"github.com/postino/postino/shared/webhook"
)

// loyalty is a subscription that nobody has stored yet.
func loyalty() webhook.Subscription {
	return webhook.Subscription{Tenant: "acme-airlines", ID: "loyalty-points", Name: "loyalty", URL: "https://loyalty.example", State: webhook.Active}
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error = %v, want %v", what, err, want)
	}
}

// wantUnknown wants an error that does not claim that nothing was written.
func wantUnknown(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil || errors.Is(err, webhook.ErrBusy) {
		t.Errorf("%s whose answer got lost: error = %v, want one that is not ErrBusy", what, err)
	}
}

func TestALostAnswerIsMadeUpForByTheClientsOwnRepeat(t *testing.T) {
	store, net := behind(t)
	e := booking("e", 100)
	net.harm("PutItem", 1, unanswered)
	stored, created, err := store.CreateEvent(t.Context(), e)
	do(t, err)
	if diff := cmp.Diff(e, stored, cmpopts.EquateEmpty()); !created || diff != "" {
		t.Errorf("CreateEvent: created = %v (-want +got):\n%s", created, diff)
	}
	d := failed(e)
	for d.Rev = range int64(3) {
		net.harm("PutItem", 2, unanswered)
		do(t, store.SaveDelivery(t.Context(), d, webhook.Parts{}))
	}
	sub := loyalty()
	for want := int64(1); want <= 3; want++ {
		net.harm("TransactWriteItems", 2, unanswered)
		sub, err = store.SaveSubscription(t.Context(), sub, sub.Version)
		do(t, err)
		if sub.Version != want {
			t.Errorf("version after change %d = %d", want, sub.Version)
		}
	}
	net.harm("TransactWriteItems", 1, unanswered)
	do(t, store.DeleteSubscription(t.Context(), webhook.SubscriptionRef{Tenant: sub.Tenant, ID: sub.ID}, sub.Version))
	wantTenantVersion(t, store, 4)
}

func wantTenantVersion(t *testing.T, store *dynamostore.Store, want int64) {
	t.Helper()
	got, err := store.TenantVersion(t.Context(), "acme-airlines")
	do(t, err)
	if got != want {
		t.Errorf("tenant version = %d, want %d", got, want)
	}
}

func TestAnEventWhoseAnswersAllGotLostIsFoundByTheRepeat(t *testing.T) {
	store, net := behind(t)
	e := booking("e", 100)
	net.harm("PutItem", -1, unanswered)
	_, _, err := store.CreateEvent(t.Context(), e)
	wantUnknown(t, "CreateEvent", err)
	net.heal()
	stored, created, err := store.CreateEvent(t.Context(), e)
	do(t, err)
	if diff := cmp.Diff(e, stored, cmpopts.EquateEmpty()); created || diff != "" {
		t.Errorf("the repeat: created = %v (-want +got):\n%s", created, diff)
	}
}

func TestADeliveryWhoseAnswersAllGotLostRefusesTheRepeat(t *testing.T) {
	store, net := behind(t)
	d := failed(booking("e", 100))
	d.Claim.Token = "first"
	for d.Rev = range int64(2) {
		net.harm("PutItem", -1, unanswered)
		wantUnknown(t, "SaveDelivery", store.SaveDelivery(t.Context(), d, webhook.Parts{}))
		net.heal()
		again := d
		again.Claim.Token = "second"
		for _, repeat := range []webhook.Delivery{d, again} {
			wantError(t, "the repeat", store.SaveDelivery(t.Context(), repeat, webhook.Parts{}), webhook.ErrConflict)
		}
		got, err := store.Delivery(t.Context(), d.Tenant, d.ID)
		do(t, err)
		if got.Rev != d.Rev+1 || got.Claim.Token != "first" {
			t.Errorf("stored rev, claim = %d, %s, want %d, first", got.Rev, got.Claim.Token, d.Rev+1)
		}
	}
}

func TestAChangeWhoseAnswersAllGotLostIsMadeOnce(t *testing.T) {
	store, net := behind(t)
	sub := loyalty()
	for _, refusal := range []error{webhook.ErrExists, webhook.ErrConflict} {
		net.harm("TransactWriteItems", -1, unanswered)
		_, err := store.SaveSubscription(t.Context(), sub, sub.Version)
		wantUnknown(t, "SaveSubscription", err)
		net.heal()
		_, err = store.SaveSubscription(t.Context(), sub, sub.Version)
		wantError(t, "the repeat", err, refusal)
		sub.Version++
		wantTenantVersion(t, store, sub.Version)
	}
	ref := webhook.SubscriptionRef{Tenant: sub.Tenant, ID: sub.ID}
	net.harm("TransactWriteItems", -1, unanswered)
	wantUnknown(t, "DeleteSubscription", store.DeleteSubscription(t.Context(), ref, sub.Version))
	net.heal()
	wantError(t, "the repeat", store.DeleteSubscription(t.Context(), ref, sub.Version), webhook.ErrNotFound)
	wantTenantVersion(t, store, sub.Version+1)
	changes, err := store.Changes(t.Context(), sub.Tenant, 0, sub.Version+1)
	do(t, err)
	if len(changes) != 3 {
		t.Errorf("%d changes are logged, want 3", len(changes))
	}
}

func TestADeliveryIsNotStoredWithoutItsParts(t *testing.T) {
	store, net := behind(t)
	d := failed(booking("e", 100))
	parts := webhook.Parts{Attempt: d.Last, Content: &webhook.Content{Method: "POST", Body: webhook.Text{Plain: "{}"}}}
	for _, harm := range []func(*network, *http.Request) (*http.Response, error){throttled, unsent, undone} {
		net.harm("BatchWriteItem", -1, harm)
		if err := store.SaveDelivery(t.Context(), d, parts); err == nil {
			t.Error("SaveDelivery without its parts: no error")
		}
		net.heal()
		_, err := store.Delivery(t.Context(), d.Tenant, d.ID)
		wantError(t, "delivery without its parts", err, webhook.ErrNotFound)
	}
	net.harm("BatchWriteItem", 3, undone)
	do(t, store.SaveDelivery(t.Context(), d, parts))
	attempts, err := store.Attempts(t.Context(), d.Tenant, d.ID)
	do(t, err)
	if _, err := store.Content(t.Context(), d.Tenant, d.ID); err != nil || len(attempts) != 1 {
		t.Errorf("content: %v, attempts: %v", err, attempts)
	}
}

func TestAnOvertakenChangeBeginsAnew(t *testing.T) {
	store, net := behind(t)
	conflict := refused("TransactionCanceledException",
		`,"CancellationReasons":[{"Code":"None"},{"Code":"None"},{"Code":"TransactionConflict"},{"Code":"None"}]`)
	net.harm("TransactWriteItems", 3, conflict)
	_, err := store.SaveSubscription(t.Context(), loyalty(), 0)
	do(t, err)
	wantTenantVersion(t, store, 1)
	net.harm("TransactWriteItems", -1, conflict)
	other := loyalty()
	other.ID = "other"
	_, err = store.SaveSubscription(t.Context(), other, 0)
	wantError(t, "a change that is overtaken for ever", err, webhook.ErrBusy)
	net.harm("TransactWriteItems", -1, refused("TransactionCanceledException",
		`,"CancellationReasons":[{"Code":"ThrottlingError"},{"Code":"None"},{"Code":"None"},{"Code":"None"}]`))
	_, err = store.SaveSubscription(t.Context(), other, 0)
	wantError(t, "a throttled change", err, webhook.ErrBusy)
}

func TestBatchesAreFinished(t *testing.T) {
	store, net := behind(t)
	sub := loyalty()
	saved, err := store.SaveSubscription(t.Context(), sub, 0)
	do(t, err)
	ref := webhook.SubscriptionRef{Tenant: sub.Tenant, ID: sub.ID}
	net.harm("BatchGetItem", 4, undone)
	heads, err := store.Heads(t.Context(), []webhook.SubscriptionRef{ref})
	do(t, err)
	if heads[0].Version != saved.Version {
		t.Errorf("Heads = %+v", heads)
	}
	d := failed(booking("e", 100))
	do(t, store.EnterLine(t.Context(), ref, d.ID))
	net.harm("BatchWriteItem", 4, undone)
	do(t, store.LeaveLine(t.Context(), ref, []string{d.ID}))
	waiting, err := store.Line(t.Context(), ref, "", 9)
	do(t, err)
	if len(waiting) > 0 {
		t.Errorf("Line after all left = %v", waiting)
	}
	net.harm("every", -1, undone)
	_, err = store.Heads(t.Context(), []webhook.SubscriptionRef{ref})
	wantError(t, "Heads of which nothing gets done", err, webhook.ErrBusy)
	wantError(t, "LeaveLine of which nothing gets done", store.LeaveLine(t.Context(), ref, []string{d.ID}), webhook.ErrBusy)
}

// operations are all calls of the store, by whether they write.
func operations(ctx context.Context, s *dynamostore.Store) (reads, writes map[string]func() error) {
	e, sub := booking("hush", 100), loyalty()
	d := failed(e)
	ref := webhook.SubscriptionRef{Tenant: sub.Tenant, ID: sub.ID}
	due := webhook.Due{At: accepted, Kind: webhook.DueRetry, Tenant: d.Tenant, ID: d.ID}
	page := webhook.Page{Limit: 9}
	reads = map[string]func() error{
		"TenantVersion": func() error { _, err := s.TenantVersion(ctx, d.Tenant); return err },
		"Changes":       func() error { _, err := s.Changes(ctx, d.Tenant, 0, 1); return err },
		"Heads":         func() error { _, err := s.Heads(ctx, []webhook.SubscriptionRef{ref}); return err },
		"ListHeads":     func() error { _, err := s.ListHeads(ctx, d.Tenant, "", 9); return err },
		"PageHeads":     func() error { _, _, err := s.PageHeads(ctx, d.Tenant, page); return err },
		"Versions": func() error {
			_, err := s.Versions(ctx, []webhook.VersionRef{{Tenant: d.Tenant, ID: sub.ID, Version: 1}})
			return err
		},
		"Event":          func() error { _, err := s.Event(ctx, d.Tenant, e.Source, e.ID); return err },
		"PlanPage":       func() error { _, err := s.PlanPage(ctx, d.Tenant, e.Key(), "hush", 0); return err },
		"PageEvents":     func() error { _, _, err := s.PageEvents(ctx, d.Tenant, "", page); return err },
		"Delivery":       func() error { _, err := s.Delivery(ctx, d.Tenant, d.ID); return err },
		"DeliveriesByID": func() error { _, err := s.DeliveriesByID(ctx, d.Tenant, []string{d.ID}); return err },
		"PageDeliveries": func() error {
			_, _, err := s.PageDeliveries(ctx, d.Tenant, webhook.DeliveryFilter{}, page)
			return err
		},
		"Content":  func() error { _, err := s.Content(ctx, d.Tenant, d.ID); return err },
		"Attempts": func() error { _, err := s.Attempts(ctx, d.Tenant, d.ID); return err },
		"Line":     func() error { _, err := s.Line(ctx, ref, "", 9); return err },
		"DueAt":    func() error { _, _, err := s.DueAt(ctx, accepted, 0, "", 9); return err },
		"CountDue": func() error { _, err := s.CountDue(ctx, accepted, 9); return err },
		"LowWater": func() error { _, err := s.LowWater(ctx); return err },
	}
	writes = map[string]func() error{
		"EnsureTenant":       func() error { return s.EnsureTenant(ctx, d.Tenant) },
		"SaveSubscription":   func() error { _, err := s.SaveSubscription(ctx, sub, 0); return err },
		"DeleteSubscription": func() error { return s.DeleteSubscription(ctx, ref, 1) },
		"CreateEvent":        func() error { _, _, err := s.CreateEvent(ctx, e); return err },
		"PutPlanPage":        func() error { return s.PutPlanPage(ctx, d.Tenant, e.Key(), "hush", 0, e.Plan.Entries) },
		"SaveDelivery":       func() error { return s.SaveDelivery(ctx, d, webhook.Parts{Attempt: d.Last}) },
		"EnterLine":          func() error { return s.EnterLine(ctx, ref, d.ID) },
		"LeaveLine":          func() error { return s.LeaveLine(ctx, ref, []string{d.ID}) },
		"Lease":              func() error { _, err := s.Lease(ctx, ref, "drain", "hush", accepted, accepted); return err },
		"PutDue":             func() error { return s.PutDue(ctx, due) },
		"DeleteDue":          func() error { return s.DeleteDue(ctx, []webhook.Due{due}) },
		"RaiseLowWater":      func() error { return s.RaiseLowWater(ctx, accepted) },
	}
	return reads, writes
}

func TestThrottledCallsAreBusy(t *testing.T) {
	store, net := behind(t)
	for _, code := range []string{"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"} {
		net.harm("every", -1, refused(code, ""))
		reads, writes := operations(t.Context(), store)
		for name, call := range reads {
			wantError(t, name, call(), webhook.ErrBusy)
		}
		for name, call := range writes {
			wantError(t, name, call(), webhook.ErrBusy)
		}
	}
}

func TestReadsThatTimeOutAreBusyAndWritesAreUnknown(t *testing.T) {
	store, net := behind(t)
	reads, writes := operations(t.Context(), store)
	delete(writes, "SaveSubscription") // begin with a read
	delete(writes, "DeleteSubscription")
	net.harm("every", -1, unsent)
	for name, call := range reads {
		wantError(t, name, call(), webhook.ErrBusy)
	}
	for name, call := range writes {
		wantUnknown(t, name, call())
	}
}

func TestErrorsQuoteNothingThatIsStored(t *testing.T) {
	store, net := behind(t)
	net.harm("every", -1, refused("ValidationException", ""))
	reads, writes := operations(t.Context(), store)
	for _, calls := range []map[string]func() error{reads, writes} {
		for name, call := range calls {
			if err := call(); err == nil || strings.Contains(err.Error(), "hush") || errors.Is(err, webhook.ErrBusy) {
				t.Errorf("%s: error = %v", name, err)
			}
		}
	}
}

func TestACanceledCallSaysSo(t *testing.T) {
	store, _ := behind(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	reads, writes := operations(ctx, store)
	for _, calls := range []map[string]func() error{reads, writes} {
		for name, call := range calls {
			wantError(t, name, call(), context.Canceled)
		}
	}
}
