package manage_test

import (
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// opened makes the subscription s1 with an open breaker.
func opened(t *testing.T) *world {
	t.Helper()
	w := open(t)
	w.must(t, 201, "POST", sub, `{"id":"s1","url":"https://a.example"}`)
	health := webhook.Health{FailingSince: w.now(), FailedAt: w.now(), Breaker: webhook.Breaker{Since: w.now(), ProbeAt: w.now().Add(time.Minute)}}
	ref := webhook.VersionRef{Tenant: "acme", ID: "s1", Version: w.head(t, "s1").Version}
	if err := w.store.SaveHealth(t.Context(), ref, health); err != nil {
		t.Fatal(err)
	}
	w.takeSent()
	return w
}

func TestResumeClosesABreakerAndDrains(t *testing.T) {
	w := opened(t)
	before := w.head(t, "s1")
	w.must(t, 200, "POST", sub+"/s1/resume", "")
	after := w.head(t, "s1")
	if after.Health.Breaker.Open() || after.Version != before.Version || len(drains(w.takeSent())) != 1 {
		t.Errorf("head after resume: %+v", after)
	}
	if !after.Health.FailingSince.Equal(before.Health.FailingSince) {
		t.Error("resume forgot since when it fails")
	}
}

func TestAnyChangeClosesABreakerAndDrains(t *testing.T) {
	for _, body := range []string{`{"url":"https://b.example"}`, `{"name":"x"}`, `{"rate_limit":{"per_second":5}}`} {
		w := opened(t)
		w.must(t, 200, "PATCH", sub+"/s1", body)
		if head := w.head(t, "s1"); head.Health != (webhook.Health{}) || len(drains(w.takeSent())) != 1 {
			t.Errorf("%s leaves health %+v", body, head.Health)
		}
	}
	w := opened(t)
	w.must(t, 200, "PATCH", sub+"/s1", `{"name":""}`)
	if head := w.head(t, "s1"); !head.Health.Breaker.Open() {
		t.Error("a PATCH that changes nothing closed the breaker")
	}
	w.must(t, 200, "POST", sub+"/s1/pause", "")
	if sent := drains(w.takeSent()); len(sent) > 1 {
		t.Errorf("a pause drained %v", sent)
	}
}
