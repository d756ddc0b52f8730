package tabletest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/store/table"
)

// patience is how long an index may lag.
const patience = 30 * time.Second

// indexed is an item that stands in the indexes whose sort keys are given.
func indexed(sort, first, second string) table.Item {
	it := item("p", sort, table.Fields{"x": sort})
	for i, key := range []string{first, second} {
		if key != "" {
			it.Index[i] = table.Key{Partition: fmt.Sprint("q", i), Sort: key}
		}
	}
	return it
}

// lists sees that a range of an index names the items wanted, as soon as it has
// caught up.
func lists(t *testing.T, from table.Table, r table.Range, limit int, want ...string) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		items, err := from.Page(t.Context(), r, limit)
		if err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for _, it := range items {
			got = append(got, it.Sort)
			if r.Index > 0 && it.Index[r.Index-1].Partition != r.Partition {
				t.Fatalf("index %d tells that %s stands at %v, want its place in %s", r.Index, it.Sort, it.Index[r.Index-1], r.Partition)
			}
		}
		if slices.Equal(got, want) {
			return
		}
		if time.Since(began) > patience {
			t.Fatalf("index %d, %+v names %s, want %s", r.Index, r, strings.Join(got, " "), strings.Join(want, " "))
		}
	}
}

func indexing(t *testing.T, to table.Table) {
	for _, it := range []table.Item{indexed("a", "3", ""), indexed("b", "1", "9"), indexed("c", "2", "8"), indexed("d", "", "")} {
		put(t, to, it)
		got, _ := get(t, to, it.Key)
		same(t, "item with its places in indexes", got, it)
	}
	first, second := table.Range{Index: 1, Partition: "q0"}, table.Range{Index: 2, Partition: "q1"}
	lists(t, to, first, 10, "b", "c", "a")
	lists(t, to, second, 10, "c", "b")
	lists(t, to, table.Range{Index: 1, Partition: "q0", From: "2", Desc: true}, 1, "a")
	lists(t, to, table.Range{Index: 1, Partition: "q0", From: "1", To: "2"}, 10, "b", "c")
	lists(t, to, table.Range{Index: 1, Partition: "q1"}, 10)
	lists(t, to, table.Range{Partition: "p"}, 10, "a", "b", "c", "d")
}

func leavingIndex(t *testing.T, to table.Table) {
	put(t, to, indexed("a", "1", "1"))
	put(t, to, indexed("b", "2", "2"))
	put(t, to, indexed("c", "3", "3"))
	put(t, to, indexed("a", "9", ""))
	if err := to.Delete(t.Context(), at("b").Key); err != nil {
		t.Fatal(err)
	}
	update(t, to, at("c").Key, table.Change{Set: table.Fields{"x": "y"}}) // stays where it is
	lists(t, to, table.Range{Index: 1, Partition: "q0"}, 10, "c", "a")
	lists(t, to, table.Range{Index: 2, Partition: "q1"}, 10, "c")
	update(t, to, at("c").Key, table.Change{Set: table.Fields{"x": "z"}, Unlist: [table.Indexes]bool{1: true}})
	lists(t, to, table.Range{Index: 1, Partition: "q0"}, 10, "c", "a")
	lists(t, to, table.Range{Index: 2, Partition: "q1"}, 10)
	if err := to.DeleteAll(t.Context(), []table.Key{at("a").Key, at("c").Key}, table.ForDisk); err != nil {
		t.Fatal(err)
	}
	lists(t, to, table.Range{Index: 1, Partition: "q0"}, 10)
	lists(t, to, table.Range{Index: 2, Partition: "q1"}, 10)
}
