package fanout

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// shelf is a store of subscriptions of which version n of tenant T has id n.
type shelf struct {
	Subscriptions
	People
	body, filter string // of all
	heads        int    // of each tenant
}

func (s *shelf) Versions(_ context.Context, refs []webhook.VersionRef) ([]webhook.Subscription, error) {
	subs := make([]webhook.Subscription, len(refs))
	for i, ref := range refs {
		subs[i] = webhook.Subscription{
			Tenant: ref.Tenant, ID: ref.ID, Version: ref.Version, URL: "https://a.example/",
			Request: &webhook.RequestSpec{Body: json.RawMessage(strings.Clone(s.body))},
		}
	}
	return subs, nil
}

func (s *shelf) TenantState(context.Context, string) (webhook.TenantState, error) {
	return webhook.TenantState{Version: int64(s.heads)}, nil
}

func (s *shelf) ListHeads(_ context.Context, tenant, after string, _ int) (heads []webhook.Head, _ error) {
	if after != "" {
		return nil, nil
	}
	for i := range s.heads {
		heads = append(heads, webhook.Head{Tenant: tenant, ID: fmt.Sprintf("s%05d", i), Version: 1, Filter: json.RawMessage(s.filter)})
	}
	return heads, nil
}

func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func entriesOf(n int) []webhook.PlanEntry {
	entries := make([]webhook.PlanEntry, n)
	for i := range entries {
		entries[i] = webhook.PlanEntry{Subscription: fmt.Sprintf("s%05d", i), Version: 1}
	}
	return entries
}

// tiny is a body of 1,000 templates in 16 KB.
var tiny = "[" + strings.TrimSuffix(strings.Repeat(`"{{data.a.b}}",`, 1000), ",") + "]"

func TestVersionsAreKeptByBytes(t *testing.T) {
	v := newVersions(&shelf{body: tiny}, 0)
	before, used := heap(), 0
	for _, tenant := range []string{"greedy", "other"} {
		err := v.each(t.Context(), tenant, entriesOf(90), func(p planned) error { used++; return nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	taken := heap() - before
	if used != 180 {
		t.Errorf("used %d versions, want 180", used)
	}
	if weight := v.cache.Weight(); weight > maxVersions || taken > 2*weight || weight > 2*taken {
		t.Errorf("180 versions with 1,000 templates each weigh %d MB and take %d MB, want at most %d", weight>>20, taken>>20, maxVersions>>20)
	}
	if mine := v.cache.Owned("other"); mine < maxOwnedVersions/2 {
		t.Errorf("the second tenant keeps %d MB, want its share", mine>>20)
	}
	runtime.KeepAlive(v)
}

func TestAPlanHoldsOneHeavyVersionAtATime(t *testing.T) {
	v := newVersions(&shelf{body: tiny}, 0)
	var last *subscriber
	before, most := heap(), 0
	held := v.cache.Weight()
	err := v.each(t.Context(), "acme", entriesOf(100), func(p planned) error {
		last = p.subscriber
		if p.ID[3:] == "049" {
			held, most = v.cache.Weight(), heap()-before
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if most > 2*held+16<<20 {
		t.Errorf("in the middle of a plan %d MB are in use, of which the cache holds %d MB by weight", most>>20, held>>20)
	}
	runtime.KeepAlive(last)
}

func TestAudiencesAreKeptByBytes(t *testing.T) {
	var values []string
	for i := range 3000 {
		values = append(values, fmt.Sprintf(`{"prefix":"a%d-"}`, i))
	}
	store := &shelf{filter: `{"data":{"a":[` + strings.Join(values, ",") + `]}}`, heads: 40}
	all := newAudiences(store, slog.New(slog.DiscardHandler))
	before := heap()
	for i := range 8 {
		e := webhook.Event{Tenant: fmt.Sprint("t", i), ID: "e", Source: "/", Type: "t", Data: json.RawMessage(`{"a":"a7-x"}`)}
		plan, err := all.view().match(t.Context(), e, e.AcceptedAt)
		if err != nil || len(plan.entries) != store.heads {
			t.Fatalf("tenant %d: %d matched (%v), want %d", i, len(plan.entries), err, store.heads)
		}
	}
	taken := heap() - before
	if weight := all.tenants.Weight(); weight > maxAudiences || taken > 2*weight || weight > 2*taken {
		t.Errorf("8 tenants with 40 large filters each weigh %d MB and take %d MB, want at most %d", weight>>20, taken>>20, maxAudiences>>20)
	}
	runtime.KeepAlive(all)
}

func TestAnAudienceThatIsForgottenMeanwhileStillMatches(t *testing.T) {
	all := newAudiences(&shelf{heads: 3}, slog.New(slog.DiscardHandler))
	v := all.view()
	for i := range 3 {
		plan, err := v.match(t.Context(), webhook.Event{Tenant: "acme", ID: "e", Source: "/", Type: "t"}, time.Time{})
		if err != nil || len(plan.entries) != 3 {
			t.Fatalf("event %d: %d matched (%v), want 3", i, len(plan.entries), err)
		}
		all.tenants.Put("acme", "acme", nil, maxAudience) // which keeps nothing
	}
}
