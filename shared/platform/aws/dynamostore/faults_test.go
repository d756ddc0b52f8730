package dynamostore_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postino/postino/shared/platform/aws/dynamostore"
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
