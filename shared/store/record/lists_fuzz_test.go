package record

import (
	"errors"
	"strings"
	"testing"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// FuzzForgedPositions gives each list positions as anybody can make them up:
// sealed as ours are, which takes no secret, around a key that no row has. Each
// is a page or a refusal.
func FuzzForgedPositions(f *testing.F) {
	stores := []*Store{open(f), Spread(&table.Memory{})}
	for _, key := range []string{"", "x", "12345678901234", "123456789012345", "12345678901234x", strings.Repeat("9", 15) + "k", "dlv_", "dlv_" + strings.Repeat("0", 32), strings.Repeat("9", 15) + "k#0#", strings.Repeat("9", 15) + "k#12#dlv_" + strings.Repeat("0", 32) + "|", "|", "\xff", "\x00", "~", "-00000000000001k"} {
		f.Add(key, true)
		f.Add(key, false)
	}
	f.Fuzz(func(t *testing.T, key string, desc bool) {
		forged := func(name ...string) webhook.Page {
			return webhook.Page{Limit: 2, Desc: desc, Position: newList[any](webhook.Page{}, isPart, name...).position(key)}
		}
		for _, store := range stores {
			forge(t, store, key, desc, forged)
		}
	})
}

// forge asks each list for the page that a position names.
func forge(t *testing.T, store *Store, key string, desc bool, forged func(name ...string) webhook.Page) {
	t.Helper()
	for name, page := range map[string]func() error{
		"events": func() error {
			_, _, err := store.PageEvents(t.Context(), "acme", webhook.EventFilter{}, forged("events", "acme", "", ""))
			return err
		},
		"events of a type": func() error {
			_, _, err := store.PageEvents(t.Context(), "acme", webhook.EventFilter{Type: "a.*"}, forged("events", "acme", "a.*", ""))
			return err
		},
		"deliveries": func() error {
			_, _, err := store.PageDeliveries(t.Context(), "acme", webhook.DeliveryFilter{}, forged("deliveries", "acme", "", ""))
			return err
		},
		"deliveries of a subscription": func() error {
			f := webhook.DeliveryFilter{Subscription: "s", Status: webhook.Pending}
			_, _, err := store.PageDeliveries(t.Context(), "acme", f, forged("deliveries", "acme", "s", "pending"))
			return err
		},
		"deliveries, spread": func() error {
			_, _, err := store.PageDeliveries(t.Context(), "acme", webhook.DeliveryFilter{}, forged("deliveries", "acme", "", "", ""))
			return err
		},
		"deliveries of a subject, spread": func() error {
			_, _, err := store.PageDeliveries(t.Context(), "acme", webhook.DeliveryFilter{Subject: "u"}, forged("deliveries", "acme", "", "", "u"))
			return err
		},
		"heads": func() error {
			_, _, err := store.PageHeads(t.Context(), "acme", forged("heads", "acme"))
			return err
		},
		"tenants": func() error {
			_, _, err := store.PageTenants(t.Context(), forged("tenants"))
			return err
		},
	} {
		if err := page(); err != nil && !errors.Is(err, webhook.ErrNotFound) {
			t.Errorf("%s from %q, newest first %v: %v", name, key, desc, err)
		}
	}
}
