package dynamostore_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/postino/postino/shared/platform/aws/dynamostore"
	"github.com/postino/postino/shared/webhook"
)

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
		"PageEvents":     func() error { _, _, err := s.PageEvents(ctx, d.Tenant, webhook.EventFilter{}, page); return err },
		"Delivery":       func() error { _, err := s.Delivery(ctx, d.Tenant, d.ID); return err },
		"DeliveriesByID": func() error { _, err := s.DeliveriesByID(ctx, d.Tenant, []string{d.ID}); return err },
		"PageDeliveries": func() error {
			_, _, err := s.PageDeliveries(ctx, d.Tenant, webhook.DeliveryFilter{}, page)
			return err
		},
		"Content":     func() error { _, err := s.Content(ctx, d.Tenant, d.ID); return err },
		"Attempts":    func() error { _, err := s.Attempts(ctx, d.Tenant, d.ID); return err },
		"Line":        func() error { _, err := s.Line(ctx, ref, "", 9); return err },
		"DueAt":       func() error { _, _, err := s.DueAt(ctx, accepted, 0, "", 9); return err },
		"CountDue":    func() error { _, err := s.CountDue(ctx, accepted, 9); return err },
		"LowWater":    func() error { _, err := s.LowWater(ctx); return err },
		"Secrets":     func() error { _, err := s.Secrets(ctx, d.Tenant, []string{"hush"}); return err },
		"PageSecrets": func() error { _, _, err := s.PageSecrets(ctx, d.Tenant, page); return err },
	}
	writes = map[string]func() error{
		"EnsureTenant":       func() error { _, err := s.EnsureTenant(ctx, d.Tenant); return err },
		"SaveSubscription":   func() error { _, err := s.SaveSubscription(ctx, sub, 0); return err },
		"DeleteSubscription": func() error { return s.DeleteSubscription(ctx, ref, 1) },
		"CreateEvent":        func() error { _, _, err := s.CreateEvent(ctx, e); return err },
		"CreateReplay": func() error {
			_, _, err := s.CreateReplay(ctx, webhook.Replay{Tenant: d.Tenant, ID: "hush"})
			return err
		},
		"PutPlanPage":   func() error { return s.PutPlanPage(ctx, d.Tenant, e.Key(), "hush", 0, e.Plan.Entries) },
		"SaveDelivery":  func() error { return s.SaveDelivery(ctx, d, webhook.Parts{Attempt: d.Last}) },
		"EnterLine":     func() error { return s.EnterLine(ctx, ref, d.ID) },
		"LeaveLine":     func() error { return s.LeaveLine(ctx, ref, []string{d.ID}) },
		"Lease":         func() error { _, err := s.Lease(ctx, ref, "drain", "hush", accepted, accepted); return err },
		"PutDue":        func() error { return s.PutDue(ctx, due) },
		"DeleteDue":     func() error { return s.DeleteDue(ctx, []webhook.Due{due}) },
		"RaiseLowWater": func() error { return s.RaiseLowWater(ctx, accepted) },
		"PutSecret": func() error {
			_, _, err := s.PutSecret(ctx, webhook.NamedSecret{Tenant: d.Tenant, Name: "hush", Sealed: []byte("hush")}, false)
			return err
		},
		"DeleteSecret": func() error { return s.DeleteSecret(ctx, d.Tenant, "hush") },
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
