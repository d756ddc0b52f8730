package localtable

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/store/table/tabletest"
)

func open(t testing.TB) (*Table, *engine.DB) {
	t.Helper()
	db, err := engine.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return In(db), db
}

func TestTheItemsAreATable(t *testing.T) {
	tabletest.Run(t, func(t *testing.T) table.Table { items, _ := open(t); return items })
}

// expiring is an item that stands in both indexes.
func expiring(i int, at time.Time) table.Item {
	return table.Item{
		Key: table.Key{Partition: "p", Sort: fmt.Sprintf("%04d", i)}, Fields: table.Fields{"n": int64(i + 1)}, Expires: at,
		Index: [2]table.Key{{Partition: "q", Sort: fmt.Sprintf("%04d", i)}, {Partition: "r", Sort: fmt.Sprintf("%04d", i)}},
	}
}

// TestWhatHasExpiredIsRemovedInSteps: with its places in the indexes, and not
// what got more time meanwhile.
func TestWhatHasExpiredIsRemovedInSteps(t *testing.T) {
	items, db := open(t)
	now := time.Unix(2_000_000_000, 0)
	for i := range 3*pruneStep + 10 {
		at := now.Add(-time.Duration(i%3) * time.Second)
		if i%10 == 9 {
			at = now.Add(time.Second)
		}
		if _, _, err := items.Put(t.Context(), expiring(i, at), table.How{Wait: table.ForOthers}); err != nil {
			t.Fatal(err)
		}
	}
	later := table.Change{Expires: now.Add(time.Hour)}
	if _, _, err := items.Update(t.Context(), expiring(3, now).Key, later, table.How{}); err != nil {
		t.Fatal(err)
	}
	steps := 0
	for more := true; more; steps++ {
		var err error
		if more, err = items.PruneExpired(t.Context(), now); err != nil {
			t.Fatal(err)
		}
	}
	if steps != 3 {
		t.Errorf("%d steps, want 3", steps)
	}
	for index := range 3 {
		n, err := items.Count(t.Context(), table.Range{Index: index, Partition: []string{"p", "q", "r"}[index]}, 1000)
		if want := 62; n != want || err != nil {
			t.Errorf("%d items are left in index %d, %v, want %d", n, index, err, want)
		}
	}
	rest := 0
	if err := db.Scan(engine.Prefix(kindExpiry), func(_, _ []byte) (bool, error) { rest++; return true, nil }); err != nil || rest != 62 {
		t.Errorf("%d expiries are left, %v, want 62", rest, err)
	}
	if more, err := items.PruneExpired(t.Context(), now.Add(2*time.Hour)); more || err != nil {
		t.Errorf("the last step: %v, %v", more, err)
	}
	if err := db.Scan(engine.Prefix('1'), func(_, _ []byte) (bool, error) { t.Error("something is left"); return false, nil }); err != nil {
		t.Error(err)
	}
}

// TestAPageReadsItsItemsAlone: a range reads as many rows as it returns, however
// many others there are.
func TestAPageReadsItsItemsAlone(t *testing.T) {
	items, db := open(t)
	for i := range 300 {
		if _, _, err := items.Put(t.Context(), expiring(i, time.Time{}), table.How{Wait: table.ForOthers}); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range []table.Range{
		{Partition: "p"}, {Partition: "p", Desc: true}, {Index: 1, Partition: "q", From: "0100"}, {Index: 2, Partition: "r", To: "0100", Desc: true},
	} {
		before := db.RowsRead()
		page, err := items.Page(t.Context(), r, 7)
		if read := db.RowsRead() - before; len(page) != 7 || read != 7 || err != nil {
			t.Errorf("a page of %+v has %d items, %v, and reads %d rows, want 7 and 7", r, len(page), err, read)
		}
	}
}

func FuzzItemsOfAnyBytesAreDecodedOrRefused(f *testing.F) {
	f.Add(encode(expiring(1, time.Unix(9, 0))))
	f.Add(encode(table.Item{Fields: table.Fields{"a": "b", "c": table.Text("d"), "e": []byte{1}, "f": int64(-1)}}))
	f.Add([]byte{0, 0, 0, 0, 0, 0xff})
	f.Fuzz(func(t *testing.T, value []byte) {
		it, err := decode(table.Key{Partition: "p", Sort: "s"}, value)
		if err != nil {
			return
		}
		again, err := decode(it.Key, encode(it))
		if err != nil {
			t.Fatal(err)
		}
		it.Fields = it.Fields.Compact()
		if diff := cmp.Diff(it, again); diff != "" {
			t.Error(diff)
		}
	})
}
