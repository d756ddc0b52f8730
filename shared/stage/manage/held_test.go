package manage_test

import (
	"testing"

	"github.com/postino/postino/shared/webhook"
)

func TestAPreviewKnowsAnOpenBreakerAndALine(t *testing.T) {
	w := open(t)
	w.must(t, 201, "POST", sub, `{"id":"s1","url":"https://a.example","types":["a"],"rate_limit":{"per_second":1}}`)
	ref := webhook.SubscriptionRef{Tenant: "acme", ID: "s1"}
	held := func(want any) {
		t.Helper()
		var got any
		shown := map[string]any{}
		w.must(t, 200, "POST", sub+"/s1/preview", `{"event":{"type":"a","data":1}}`).into(t, &shown)
		if got = shown["held"]; got != want {
			t.Errorf("held = %v, want %v", got, want)
		}
	}
	held(nil)
	if err := w.store.EnterLine(t.Context(), ref, "d1"); err != nil {
		t.Fatal(err)
	}
	held("rate_limit")
	health := webhook.Health{FailingSince: w.now(), FailedAt: w.now(), Breaker: webhook.Breaker{Since: w.now()}}
	if err := w.store.SaveHealth(t.Context(), webhook.VersionRef{Tenant: "acme", ID: "s1", Version: 1}, health); err != nil {
		t.Fatal(err)
	}
	held("breaker")
	w.must(t, 200, "PATCH", sub+"/s1", `{"state":"paused"}`)
	held("paused")
}
