package tabletest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

func at(sort string) table.Item { return table.Item{Key: table.Key{Partition: "p", Sort: sort}} }

func transactions(t *testing.T, to table.Table) {
	put(t, to, item("p", "old", table.Fields{"n": int64(1), "x": "kept"}))
	put(t, to, item("p", "gone", table.Fields{"x": "1"}))
	writes := []table.Write{
		{Item: item("p", "new", table.Fields{"x": "new"}), If: table.NoItem()},
		{Verb: table.Updates, Item: at("old"), Change: table.Change{Set: table.Fields{"y": "2"}, Add: map[string]int64{"n": 1}}, If: table.Equal("n", int64(1))},
		{Verb: table.Deletes, Item: at("gone")},
		{Verb: table.Deletes, Item: at("never was")},
		{Verb: table.Checks, Item: at("absent"), If: table.NoItem()},
	}
	if err := to.Transact(t.Context(), writes, table.ForDisk); err != nil {
		t.Fatal(err)
	}
	want := map[table.Key]table.Item{}
	for _, it := range []table.Item{item("p", "new", table.Fields{"x": "new"}), item("p", "old", table.Fields{"n": int64(2), "x": "kept", "y": "2"})} {
		want[it.Key] = it
	}
	all := func() map[table.Key]table.Item {
		found, err := to.Get(t.Context(), at("new").Key, at("old").Key, at("gone").Key, at("absent").Key)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	same(t, "items", all(), want)
	err := to.Transact(t.Context(), writes, table.ForCommit) // the first two refuse now
	var refusal *table.Refusal
	if !errors.Is(err, table.ErrRefused) || !errors.As(err, &refusal) {
		t.Fatalf("a transaction of which conditions fail: %v, want a refusal", err)
	}
	same(t, "who refused, with what is there", refusal.Refused, map[int]table.Item{0: want[at("new").Key], 1: want[at("old").Key]})
	err = to.Transact(t.Context(), []table.Write{{Verb: table.Deletes, Item: at("new")}, {Item: item("p", "absent", nil), If: table.Exists()}}, table.ForDisk)
	if !errors.As(err, &refusal) || len(refusal.Refused) != 1 || refusal.Refused[1].Sort != "" {
		t.Errorf("a transaction on an item that is not there: %v, want a refusal without an item", err)
	}
	same(t, "items after refusals", all(), want)
	if err := to.Transact(t.Context(), nil, table.ForDisk); err != nil {
		t.Errorf("a transaction without writes: %v", err)
	}
}

func racingTransactions(t *testing.T, to table.Table) {
	var won atomic.Int64
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for range 50 { // a busy table is asked again
				err := to.Transact(t.Context(), []table.Write{
					{Item: item("p", "a", table.Fields{"n": int64(i + 1)}), If: table.NoItem()}, {Item: item("p", "b", table.Fields{"n": int64(i + 1)}), If: table.NoItem()},
				}, table.ForCommit)
				if err == nil {
					won.Add(1)
				}
				if !errors.Is(err, webhook.ErrBusy) {
					return
				}
			}
		})
	}
	group.Wait()
	a, _ := get(t, to, at("a").Key)
	b, _ := get(t, to, at("b").Key)
	if won.Load() != 1 || a.Fields.Int("n") == 0 || a.Fields.Int("n") != b.Fields.Int("n") {
		t.Errorf("%d winners, stored are those of %d and %d, want one winner's", won.Load(), a.Fields.Int("n"), b.Fields.Int("n"))
	}
}

func largeTransaction(t *testing.T, to table.Table) {
	var writes []table.Write
	for i := range table.MaxWrites {
		writes = append(writes, table.Write{Item: item("p", fmt.Sprintf("s%03d", i), table.Fields{"n": int64(i + 1)}), If: table.NoItem()})
	}
	if err := to.Transact(t.Context(), writes, table.ForDisk); err != nil {
		t.Fatal(err)
	}
	items, err := to.Page(t.Context(), table.Range{Partition: "p"}, 1000)
	if err != nil || len(items) != table.MaxWrites {
		t.Errorf("%d items are there, %v, want %d", len(items), err, table.MaxWrites)
	}
}
