package localstore

import (
	"fmt"
	"strings"
	"testing"

	"github.com/postino/postino/shared/platform/local/localdb"
	"github.com/postino/postino/shared/webhook"
)

// lists are the statements of all paged lists, by name.
func lists() map[string]statement {
	all := map[string]statement{}
	for _, order := range []string{"ASC", "DESC"} {
		all["heads "+order] = statement{selectHeads + headRange + order, []any{"acme", "", "~"}}
		all["events of a subject "+order] = listEvents("acme", "ada", eventPosition(0, ""), eventPosition(1, ""), order)
		all["events "+order] = listEvents("acme", "", eventPosition(0, ""), eventPosition(1, ""), order)
		for _, sub := range []string{"", "s"} {
			for _, status := range []webhook.Status{"", webhook.Pending, webhook.Succeeded} {
				f := webhook.DeliveryFilter{Subscription: sub, Status: status}
				all[fmt.Sprintf("deliveries %+v %s", f, order)] = listDeliveries("acme", f, "a", "b", order)
			}
		}
	}
	return all
}

// TestListsAreRangesOfAKey asks SQLite how it would find each list's rows:
// neither by all rows of a table nor by sorting.
func TestListsAreRangesOfAKey(t *testing.T) {
	store := open(t)
	for name, list := range lists() {
		plan := ""
		err := store.db.Read(t.Context(), func(tx *localdb.Tx) error {
			return tx.Query("EXPLAIN QUERY PLAN "+list.sql, list.args, func(row *localdb.Row) error {
				plan += row.Text(3)
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(plan, "SEARCH ") || strings.Contains(plan, "TEMP B-TREE") || !strings.Contains(plan, "<") {
			t.Errorf("%s: SQLite's plan is %q, want a range", name, plan)
		}
		for _, column := range []string{"subscription", "status"} {
			if strings.Contains(list.sql, " "+column+" = ?") && !strings.Contains(plan, column+"=?") {
				t.Errorf("%s: SQLite's plan is %q: it would look at every %s", name, plan, column)
			}
		}
	}
}

func TestOccasionsAreARangeOfTheirIndex(t *testing.T) {
	store, list := open(t), listOccasions("acme", "/s", "e", "", 10)
	plan := ""
	err := store.db.Read(t.Context(), func(tx *localdb.Tx) error {
		return tx.Query("EXPLAIN QUERY PLAN "+list.sql, list.args, func(row *localdb.Row) error {
			plan += row.Text(3)
			return nil
		})
	})
	if err != nil || !strings.Contains(plan, "deliveries_by_occasion") || strings.Contains(plan, "TEMP B-TREE") {
		t.Errorf("SQLite's plan is %q, %v, want a range of deliveries_by_occasion", plan, err)
	}
}

func TestStatusesOtherThanSucceededHaveAnIndex(t *testing.T) {
	for name, list := range lists() {
		if got, want := strings.Contains(list.sql, "status = ?"), strings.Contains(name, "pending"); got != want {
			t.Errorf("%s: selects by status: %v, want %v", name, got, want)
		}
	}
}

func TestAFilterWithoutIndexLooksAtBoundedRows(t *testing.T) {
	store := open(t)
	const n = maxRows*2 + maxRows/2
	err := store.db.Write(t.Context(), localdb.Ordered, func(tx *localdb.Tx) error {
		for i := range int64(n) {
			row, err := eventRow(benchEvent(i), benchEvent(i).Key())
			if err != nil {
				return err
			}
			if _, err := tx.Exec(insertEvent, row...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	pages, page := 0, webhook.Page{Limit: 10}
	for {
		got, next, err := store.PageEvents(t.Context(), "acme", webhook.EventFilter{Type: "none"}, page)
		if err != nil || len(got) > 0 {
			t.Fatalf("events of no type = %d, %v", len(got), err)
		}
		pages++
		if page.Position = next; next == "" {
			break
		}
	}
	if pages != 3 {
		t.Errorf("looking through %d rows took %d pages, want 3 of %d rows", n, pages, maxRows)
	}
}

func TestTheChangeLogForgetsTheOldest(t *testing.T) {
	store := open(t)
	const n = maxChanges + 3
	err := store.db.Write(t.Context(), localdb.Ordered, func(tx *localdb.Tx) error {
		for range n {
			if _, err := change(tx, "acme", "s"); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := store.Changes(t.Context(), "acme", 3, n); len(got) != maxChanges || err != nil {
		t.Errorf("Changes(3, %d) = %d changes, %v, want %d", n, len(got), err, maxChanges)
	}
	for _, through := range []int64{3, 5, n} {
		if _, err := store.Changes(t.Context(), "acme", 2, through); err != webhook.ErrGap {
			t.Errorf("Changes(2, %d): error = %v, want %v", through, err, webhook.ErrGap)
		}
	}
}
