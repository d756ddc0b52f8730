package record

import (
	"errors"
	"testing"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// TestABulkThatIsCutShortIsReadOrRefused reads all beginnings of what is stored. A
// field that a former version did not write is zero.
func TestABulkThatIsCutShortIsReadOrRefused(t *testing.T) {
	e := webhook.StoredEvent{Event: webhook.Event{
		Tenant: "acme", ID: "e", Source: "/s", Type: "t", Subject: "u", Time: epoch, AcceptedAt: epoch, Nonce: "n", Extensions: []byte(`{"x":1}`),
	}, Plan: webhook.Plan{Total: 1, Entries: []webhook.PlanEntry{{Subscription: "s", Version: 1 << 40, Cancels: 3}}}}
	d := webhook.Delivery{Tenant: "acme", ID: "d", Status: webhook.Pending, EventID: "e", Subscription: "s", CreatedAt: epoch, NextAt: epoch, Last: &webhook.Attempt{
		Number: 1, StartedAt: epoch, Response: &webhook.Response{Headers: map[string]string{"a": "b", "c": "d"}, Body: "no"},
	}}
	h := webhook.Head{Version: 1, Types: []string{"a", "b"}, Filter: []byte(`{"a":[1]}`), Cancels: []webhook.Cancel{{Types: []string{"c"}}}}
	for what, read := range map[string]struct {
		bulk []byte
		read func(it table.Item) error
	}{
		"event":    {eventBulk(e, false), func(it table.Item) error { _, _, err := readEvent("acme", it); return err }},
		"delivery": {deliveryBulk(d), func(it table.Item) error { _, err := readDelivery("acme", "d", it); return err }},
		"head":     {headBulk(h), func(it table.Item) error { _, err := readHead("acme", "s", it); return err }},
	} {
		for n := range len(read.bulk) + 1 {
			err := read.read(table.Item{Fields: table.Fields{whole: table.Text(read.bulk[:n])}})
			if n == len(read.bulk) && err != nil || err != nil && !errors.Is(err, errBulk) {
				t.Errorf("the first %d of %d bytes of a %s: %v", n, len(read.bulk), what, err)
			}
		}
	}
}
