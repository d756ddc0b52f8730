package noun

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/store/table/tabletest"
	"github.com/postino/postino/shared/webhook"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// noted is a table that notes what is stored.
type noted struct {
	table.Memory
	keys map[table.Key]int
}

func (n *noted) Put(ctx context.Context, it table.Item, how table.How) (table.Item, bool, error) {
	n.keys[it.Key]++
	return n.Memory.Put(ctx, it, how)
}

func (n *noted) Update(ctx context.Context, k table.Key, change table.Change, how table.How) (table.Item, bool, error) {
	n.keys[k]++
	return n.Memory.Update(ctx, k, change, how)
}

// TestNoTwoThingsShareAKey stores one of everything for callers whose names
// differ as little as names can, with all that separates the parts of a key.
func TestNoTwoThingsShareAKey(t *testing.T) {
	for _, together := range []bool{false, true} {
		noted := &noted{keys: map[table.Key]int{}}
		n := In(noted)
		n.Together = together
		made := 0
		for _, tenant := range []string{"a", "b", "a#b", "a#b#0", "V", ""} {
			for _, id := range []string{"a", "b", "b#0", "0", ""} {
				for _, err := range everything(t, n, tenant, id) {
					if made++; err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		if len(noted.keys) != made {
			t.Errorf("%d things stand under %d keys (together: %v)", made, len(noted.keys), together)
		}
	}
}

func everything(t *testing.T, n *Nouns, tenant, id string) []error {
	ctx, sub := t.Context(), webhook.SubscriptionRef{Tenant: tenant, ID: id}
	_, _, secret := n.PutSecret(ctx, webhook.NamedSecret{Tenant: tenant, Name: id}, false)
	_, typ := n.PutEventType(ctx, webhook.EventType{Tenant: tenant, Type: id})
	_, work := n.Lease(ctx, sub, "work", "t", now, now)
	_, other := n.Lease(ctx, sub, "work#", "t", now, now)
	_, tally := n.AddTally(ctx, sub, now, webhook.Tally{Attempts: 1})
	_, _, reserve := n.Reserve(ctx, sub, now, now, time.Second)
	return []error{
		secret, typ, work, other, tally, reserve,
		n.PutKey(ctx, webhook.Key{Tenant: tenant, ID: id}), n.SaveJob(ctx, webhook.Job{Tenant: tenant, ID: id}),
		n.AddStats(ctx, webhook.Stats{Tenant: tenant, Subscription: id, Hour: now, Counts: map[string]int64{"a": 1}}),
		n.PutDue(ctx, webhook.Due{At: now, Tenant: tenant, Subscription: id}),
		n.PutDue(ctx, webhook.Due{At: now, Tenant: tenant, Subscription: id, Kind: webhook.DueTimer}),
	}
}

func TestADuePointerNeverExpires(t *testing.T) {
	memory := &table.Memory{}
	n := In(memory)
	n.Together = true
	if err := n.PutDue(t.Context(), webhook.Due{At: now, Kind: webhook.DueRetry, Tenant: "acme", ID: "d"}); err != nil {
		t.Fatal(err)
	}
	items, err := memory.Page(t.Context(), table.Range{Partition: duePartition}, 9)
	if err != nil || len(items) != 1 || !items[0].Expires.IsZero() {
		t.Errorf("stored are %v, %v, want one pointer without an expiry", items, err)
	}
}

// TestAReservationIsMadeInAtMostTwoWrites counts what the table is asked: one
// update after a silence, two when the time is taken.
func TestAReservationIsMadeInAtMostTwoWrites(t *testing.T) {
	updates := 0
	n := In(tabletest.Faulty(&table.Memory{}, func(string) error { updates++; return nil }, nil))
	for i, want := range []int{1, 2, 2} {
		updates = 0
		begin, taken, err := n.Reserve(t.Context(), webhook.SubscriptionRef{Tenant: "acme", ID: "s"}, now, now.Add(time.Hour), time.Second)
		if !begin.Equal(now.Add(time.Duration(i)*time.Second)) || !taken || err != nil || updates != want {
			t.Errorf("reservation %d: from %v, %v, %v in %d updates, want %d", i, begin, taken, err, updates, want)
		}
	}
}

// TestAFaultOfTheTableIsAFaultOfTheNoun sees that no noun hides one.
func TestAFaultOfTheTableIsAFaultOfTheNoun(t *testing.T) {
	fault := errors.New("fault")
	n := In(tabletest.Faulty(&table.Memory{}, func(string) error { return fault }, nil))
	errs := everything(t, n, "acme", "s")
	sub := webhook.SubscriptionRef{Tenant: "acme", ID: "s"}
	_, stats := n.Stats(t.Context(), sub, now, now.Add(time.Hour))
	_, _, due := n.DueAt(t.Context(), now, 0, "", 1)
	_, count := n.CountDue(t.Context(), now, 1)
	_, mark := n.LowWater(t.Context())
	_, purge := n.PurgeOf(t.Context(), sub, 1)
	for i, err := range append(errs, stats, due, count, mark, purge, n.RaiseLowWater(t.Context(), now), n.DeleteDue(t.Context(), []webhook.Due{{}})) {
		if !errors.Is(err, fault) {
			t.Errorf("call %d returned %v, want the table's fault", i, err)
		}
	}
}
