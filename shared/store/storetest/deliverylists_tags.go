package storetest

import (
	"fmt"
	"testing"

	"github.com/postino/postino/shared/webhook"
)

// oneTag are two subscriptions of acme whose delivery ids carry one tag.
var oneTag = [2]string{"s14685952", "s41449162"}

// deliveriesOfOneTag lists deliveries of subscriptions that are told apart by
// nothing but their whole ids.
func deliveriesOfOneTag(t *testing.T, store Store) {
	if a, b := webhook.DeliveryTag("acme", oneTag[0]), webhook.DeliveryTag("acme", oneTag[1]); a != b {
		t.Fatalf("the tags are %s and %s, want one: the test shows nothing", a, b)
	}
	ds := owe(t, store, 8, oneTag[0], oneTag[1])
	for _, f := range filters(oneTag[0], oneTag[1]) {
		what := fmt.Sprintf("deliveries of %+v", f)
		lists(t, what, deliveries(store, t, f), webhook.Page{Limit: 3}, deliveryID, matching(ds, f))
	}
}
