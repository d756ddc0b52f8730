// Package tabletest is the test suite for tables: it runs everything that nouns
// rely on against an adapter.
package tabletest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/store/table"
)

var suite = map[string]func(*testing.T, table.Table){
	"ItemsAreReadAsTheyWereStored":          readBack,
	"APutReplacesTheWholeItem":              replacing,
	"APutReturnsWhatItReplaced":             returnsOld,
	"ADeletedItemIsGone":                    deleting,
	"ManyItemsAreReadAndDeletedAtOnce":      many,
	"PagesAreRangesInOrder":                 paging,
	"RangesAreCounted":                      counting,
	"PartitionsAreApart":                    partitions,
	"ARevisionIsWrittenOnce":                revisions,
	"OfRacingWritersOfARevisionOneSucceeds": racing,
	"LongTextsAreKept":                      longTexts,
	"AConditionIsTriedOnWhatIsStored":       conditions,
	"ARefusedPutReturnsWhatIsThere":         refusedPut,
	"AnUpdateChangesSomeFields":             updating,
	"AnUpdateMakesAnItem":                   making,
	"ADefaultIsSetOnce":                     defaults,
	"ARefusedUpdateChangesNothing":          refusedUpdate,
	"RacingAdditionsAreAllCounted":          additions,
	"AnExpiryIsKeptAndMovedOn":              expiry,
	"ATransactionIsWholeOrNothing":          transactions,
	"OfRacingTransactionsOneSucceeds":       racingTransactions,
	"ATransactionWritesAHundredItems":       largeTransaction,
	"AnIndexHasWhatNamesIt":                 indexing,
	"AnIndexForgetsWhatLeavesIt":            leavingIndex,
}

// Run tries every case on a table of its own: open returns an empty one and
// closes it by t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) table.Table) {
	for name, try := range suite {
		t.Run(name, func(t *testing.T) { try(t, open(t)) })
	}
}

var expires = time.Date(2040, 1, 2, 3, 4, 5, 0, time.UTC)

func item(partition, sort string, fields table.Fields) table.Item {
	return table.Item{Key: table.Key{Partition: partition, Sort: sort}, Fields: fields}
}

func put(t *testing.T, to table.Table, it table.Item) (replaced bool) {
	t.Helper()
	_, replaced, err := to.Put(t.Context(), it, table.How{})
	if err != nil {
		t.Fatalf("Put(%v): %v", it.Key, err)
	}
	return replaced
}

func get(t *testing.T, from table.Table, key table.Key) (table.Item, bool) {
	t.Helper()
	found, err := from.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("Get(%v): %v", key, err)
	}
	it, ok := found[key]
	return it, ok
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", what, diff)
	}
}

func readBack(t *testing.T, to table.Table) {
	full := item("p#ü", "s#\U0001F600 ~", table.Fields{
		"s": "ünï\"'", "n": int64(-1 << 62), "b": []byte{0, 1, 0xff}, "t": table.Text(`{"a":1}`), "x": table.Text{0xff, 0},
	})
	full.Expires = expires
	put(t, to, full)
	got, _ := get(t, to, full.Key)
	same(t, "item", got, full)
	zeros := item("p", "zeros", table.Fields{"s": "", "n": int64(0), "b": []byte{}, "t": table.Text(nil), "y": "kept"})
	put(t, to, zeros)
	got, _ = get(t, to, zeros.Key)
	same(t, "item with zero fields", got, item("p", "zeros", table.Fields{"y": "kept"}))
	if got.Fields.String("s") != "" || got.Fields.Int("n") != 0 || got.Fields.Bytes("b") != nil || got.Fields.Text("t") != nil || !got.Fields.Time("n").IsZero() {
		t.Errorf("absent fields read as %v, want zero values", got.Fields)
	}
	bare := item("p", "bare", table.Fields{})
	put(t, to, bare)
	got, _ = get(t, to, bare.Key)
	same(t, "item without fields", got, bare)
}

func replacing(t *testing.T, to table.Table) {
	first := item("p", "s", table.Fields{"a": "1", "b": "1"})
	first.Expires = expires
	if put(t, to, first) {
		t.Error("the first put replaced something")
	}
	second := item("p", "s", table.Fields{"b": "2"})
	if !put(t, to, second) {
		t.Error("the second put replaced nothing")
	}
	got, _ := get(t, to, second.Key)
	same(t, "item", got, second)
}

func returnsOld(t *testing.T, to table.Table) {
	first := item("p", "s", table.Fields{"a": "1", "t": table.Text("x")})
	old, replaced, err := to.Put(t.Context(), first, table.How{})
	if err != nil || replaced || old.Fields.String("a") != "" {
		t.Errorf("the first put returned %v, %v, %v, want nothing", old, replaced, err)
	}
	old, replaced, err = to.Put(t.Context(), item("p", "s", table.Fields{"a": "2"}), table.How{})
	if err != nil || !replaced {
		t.Errorf("the second put replaced: %v, %v", replaced, err)
	}
	same(t, "what was replaced", old, first)
}

func deleting(t *testing.T, to table.Table) {
	it := item("p", "s", table.Fields{"a": "1"})
	if err := to.Delete(t.Context(), it.Key); !errors.Is(err, table.ErrRefused) {
		t.Errorf("Delete of nothing: %v, want ErrRefused", err)
	}
	put(t, to, it)
	if err := to.Delete(t.Context(), it.Key); err != nil {
		t.Fatal(err)
	}
	if got, ok := get(t, to, it.Key); ok {
		t.Errorf("a deleted item is still there: %v", got)
	}
	if put(t, to, it) {
		t.Error("a put after a delete replaced something")
	}
}

func many(t *testing.T, to table.Table) {
	var keys []table.Key
	for i := range 130 { // beyond DynamoDB's 100 of a batch
		it := item(fmt.Sprint("p", i%3), fmt.Sprintf("s%03d", i), table.Fields{"n": int64(i + 1)})
		put(t, to, it)
		keys = append(keys, it.Key)
	}
	asked := append(append(slices.Clone(keys), keys[:40]...), table.Key{Partition: "p0", Sort: "none"})
	found, err := to.Get(t.Context(), asked...)
	if err != nil || len(found) != len(keys) {
		t.Fatalf("Get returned %d items, %v, want %d", len(found), err, len(keys))
	}
	for i, k := range keys {
		same(t, k.Sort, found[k].Fields.Int("n"), int64(i+1))
	}
	if err := to.DeleteAll(t.Context(), asked, table.ForOthers); err != nil {
		t.Fatal(err)
	}
	if found, err = to.Get(t.Context(), keys...); err != nil || len(found) > 0 {
		t.Errorf("after DeleteAll, Get returned %d items, %v, want none", len(found), err)
	}
	if found, err = to.Get(t.Context()); err != nil || len(found) > 0 {
		t.Errorf("Get of no key returned %d items, %v", len(found), err)
	}
}

func paging(t *testing.T, to table.Table) {
	all := []string{"A", "B#1", "B#2", "B#22", "B#3", "a", "é", "\U0001F600"} // as bytes sort
	for _, sort := range all {
		put(t, to, item("p", sort, table.Fields{"x": sort}))
	}
	for _, tt := range []struct {
		r     table.Range
		limit int
		want  []string
	}{
		{table.Range{}, 100, all},
		{table.Range{}, 3, all[:3]},
		{table.Range{Desc: true}, 2, []string{"\U0001F600", "é"}},
		{table.Range{From: "B#", To: "B#~"}, 100, all[1:5]},
		{table.Range{From: "B#", To: "B#~", Desc: true}, 2, []string{"B#3", "B#22"}},
		{table.Range{From: "B#2", To: "B#2"}, 100, []string{"B#2"}},
		{table.Range{From: "B#2\x00"}, 2, []string{"B#22", "B#3"}},
		{table.Range{To: "A"}, 100, []string{"A"}},
		{table.Range{From: "b", To: "c"}, 100, nil},
	} {
		tt.r.Partition = "p"
		items, err := to.Page(t.Context(), tt.r, tt.limit)
		if err != nil {
			t.Fatalf("Page(%+v): %v", tt.r, err)
		}
		var got []string
		for _, it := range items {
			got = append(got, it.Fields.String("x"))
		}
		same(t, fmt.Sprintf("Page(%+v, %d)", tt.r, tt.limit), got, tt.want)
	}
}

func counting(t *testing.T, to table.Table) {
	for i := range 30 {
		put(t, to, item("p", fmt.Sprintf("s%02d", i), table.Fields{"x": strings.Repeat("x", 100)}))
	}
	for _, tt := range []struct {
		r     table.Range
		limit int
		want  int
	}{
		{table.Range{}, 100, 30}, {table.Range{}, 7, 7}, {table.Range{From: "s10"}, 100, 20}, {table.Range{To: "s10", Lagging: true}, 100, 11},
		{table.Range{From: "s10", To: "s12"}, 100, 3}, {table.Range{From: "t"}, 100, 0},
	} {
		tt.r.Partition = "p"
		if got, err := to.Count(t.Context(), tt.r, tt.limit); got != tt.want || err != nil {
			t.Errorf("Count(%+v, %d) = %d, %v, want %d", tt.r, tt.limit, got, err, tt.want)
		}
	}
}

func partitions(t *testing.T, to table.Table) {
	put(t, to, item("p", "s", table.Fields{"x": "mine"}))
	put(t, to, item("p#", "s", table.Fields{"x": "theirs"}))
	items, err := to.Page(t.Context(), table.Range{Partition: "p"}, 10)
	if err != nil || len(items) != 1 || items[0].Fields.String("x") != "mine" {
		t.Errorf("a partition's items = %v, %v, want its own", items, err)
	}
	if err := to.Delete(t.Context(), items[0].Key); err != nil {
		t.Fatal(err)
	}
	if got, _ := get(t, to, table.Key{Partition: "p#", Sort: "s"}); got.Fields.String("x") != "theirs" {
		t.Errorf("another partition's item = %v", got)
	}
}

func revisions(t *testing.T, to table.Table) {
	write := func(rev int64, value string) error {
		_, _, err := to.Put(t.Context(), item("p", "s", table.Fields{"rv": rev, "x": value}), table.How{If: table.Revision("rv", rev)})
		return err
	}
	for _, tt := range []struct {
		rev   int64
		taken bool
	}{{2, false}, {1, true}, {1, false}, {3, false}, {2, true}, {2, false}, {3, true}} {
		err := write(tt.rev, fmt.Sprint(tt.rev))
		if taken := err == nil; taken != tt.taken || err != nil && !errors.Is(err, table.ErrRefused) {
			t.Fatalf("writing revision %d: %v, want it taken: %v", tt.rev, err, tt.taken)
		}
	}
	got, _ := get(t, to, table.Key{Partition: "p", Sort: "s"})
	same(t, "item", got, item("p", "s", table.Fields{"rv": int64(3), "x": "3"}))
}

func racing(t *testing.T, to table.Table) {
	const writers = 12
	won := make([]bool, writers)
	var group sync.WaitGroup
	for i := range writers {
		group.Go(func() {
			for range 20 { // a busy table is asked again
				_, _, err := to.Put(t.Context(), item("p", "s", table.Fields{"rv": int64(1), "n": int64(i + 1)}), table.How{If: table.Revision("rv", 1), Wait: table.Wait(i % 3)})
				if won[i] = err == nil; won[i] || errors.Is(err, table.ErrRefused) {
					return
				}
			}
		})
	}
	group.Wait()
	got, _ := get(t, to, table.Key{Partition: "p", Sort: "s"})
	if n := got.Fields.Int("n"); n == 0 || !won[n-1] || slices.Index(won, true) != int(n-1) || slices.Contains(won[n:], true) {
		t.Errorf("winners %v, stored is that of %d: want one winner, the stored one", won, n-1)
	}
}

func longTexts(t *testing.T, to table.Table) {
	text := table.Text(strings.Repeat("all work and no play ", 5000))
	noise := table.Text(bytes.Repeat([]byte{0xfe, 1, 2, 3, 0}, 2000))
	it := item("p", "s", table.Fields{"t": text, "u": table.Text("short"), "x": noise})
	put(t, to, it)
	got, _ := get(t, to, it.Key)
	same(t, "item", got, it)
}
