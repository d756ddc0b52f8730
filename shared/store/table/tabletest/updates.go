package tabletest

import (
	"errors"
	"sync"
	"testing"

	"github.com/postino/postino/shared/store/table"
)

func update(t *testing.T, to table.Table, key table.Key, change table.Change) (old table.Item, existed bool) {
	t.Helper()
	old, existed, err := to.Update(t.Context(), key, change, table.How{})
	if err != nil {
		t.Fatalf("Update(%v): %v", key, err)
	}
	return old, existed
}

func updating(t *testing.T, to table.Table) {
	first := item("p", "s", table.Fields{"a": "1", "b": "1", "n": int64(3), "t": table.Text("one"), "gone": table.Text("x"), "bytes": []byte{1}})
	put(t, to, first)
	old, existed := update(t, to, first.Key, table.Change{
		Set: table.Fields{"b": "2", "a": "", "t": table.Text("two"), "gone": table.Text(nil), "bytes": []byte(nil), "never": int64(0)},
		Add: map[string]int64{"n": -1, "m": 4},
	})
	if !existed {
		t.Error("the update found nothing")
	}
	same(t, "what was there", old, first)
	got, _ := get(t, to, first.Key)
	same(t, "item", got, item("p", "s", table.Fields{"b": "2", "n": int64(2), "m": int64(4), "t": table.Text("two")}))
	update(t, to, first.Key, table.Change{Add: map[string]int64{"n": -2}})
	got, _ = get(t, to, first.Key)
	same(t, "item with a sum of 0", got, item("p", "s", table.Fields{"b": "2", "m": int64(4), "t": table.Text("two")}))
}

func making(t *testing.T, to table.Table) {
	key := table.Key{Partition: "p", Sort: "s"}
	if _, existed := update(t, to, key, table.Change{Set: table.Fields{"a": "1", "no": ""}, Add: map[string]int64{"n": 2}, Expires: expires}); existed {
		t.Error("the update found something")
	}
	got, _ := get(t, to, key)
	same(t, "item", got, table.Item{Key: key, Fields: table.Fields{"a": "1", "n": int64(2)}, Expires: expires})
}

func defaults(t *testing.T, to table.Table) {
	key := table.Key{Partition: "p", Sort: "s"}
	write := func(n int64) (table.Item, bool) {
		return update(t, to, key, table.Change{
			Set: table.Fields{"x": n}, Default: table.Fields{"kept": n, "text": table.Text("t" + string(rune('0'+n)))},
		})
	}
	if _, existed := write(1); existed {
		t.Error("the first update found something")
	}
	want := item("p", "s", table.Fields{"kept": int64(1), "text": table.Text("t1"), "x": int64(1)})
	old, existed := write(2)
	if !existed {
		t.Error("the second update found nothing")
	}
	same(t, "what was there", old, want)
	want.Fields["x"] = int64(2)
	got, _ := get(t, to, want.Key)
	same(t, "item", got, want)
}

func refusedUpdate(t *testing.T, to table.Table) {
	first := item("p", "s", table.Fields{"n": int64(7)})
	put(t, to, first)
	change := table.Change{Set: table.Fields{"x": "1"}, Add: map[string]int64{"n": 1}, Expires: expires}
	old, existed, err := to.Update(t.Context(), first.Key, change, table.How{If: table.AtMost("n", 6)})
	if !errors.Is(err, table.ErrRefused) || !existed {
		t.Errorf("an update whose condition fails: %v, %v, want ErrRefused of what is there", existed, err)
	}
	same(t, "what is there", old, first)
	got, _ := get(t, to, first.Key)
	same(t, "item", got, first)
	if _, existed, err = to.Update(t.Context(), table.Key{Partition: "p", Sort: "none"}, change, table.How{If: table.Exists()}); !errors.Is(err, table.ErrRefused) || existed {
		t.Errorf("an update of what must exist: %v, %v, want ErrRefused of nothing", existed, err)
	}
}

func additions(t *testing.T, to table.Table) {
	key := table.Key{Partition: "p", Sort: "s"}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 10 {
				for { // a busy table is asked again
					if _, _, err := to.Update(t.Context(), key, table.Change{Add: map[string]int64{"n": 3, "m": 1}}, table.How{Wait: table.ForOthers}); err == nil {
						break
					}
				}
			}
		})
	}
	group.Wait()
	got, _ := get(t, to, key)
	same(t, "sums", got, item("p", "s", table.Fields{"n": int64(240), "m": int64(80)}))
}
