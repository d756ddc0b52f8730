package storetest

import (
	"testing"

	"github.com/postino/postino/shared/webhook"
)

var originCases = map[string]func(*testing.T, Store){
	"AreReplacedAndBelongToOneTenant": originOwners,
}

func originOwners(t *testing.T, store Store) {
	_, err := store.Origins(t.Context(), "acme")
	wantError(t, "before anybody said", err, webhook.ErrNotFound)
	first := webhook.Origins{Tenant: "acme", List: []string{"https://a.example", "http://localhost:3000"}, UpdatedAt: afterStart(1)}
	check(t, store.PutOrigins(t.Context(), first))
	same(t, "Origins", must[webhook.Origins](t)(store.Origins(t.Context(), "acme")), first)
	check(t, store.PutOrigins(t.Context(), webhook.Origins{Tenant: "acme2", List: []string{"https://b.example"}, UpdatedAt: afterStart(1)}))
	none := webhook.Origins{Tenant: "acme", List: []string{}, UpdatedAt: afterStart(2)}
	check(t, store.PutOrigins(t.Context(), none))
	same(t, "none", must[webhook.Origins](t)(store.Origins(t.Context(), "acme")), none)
}
