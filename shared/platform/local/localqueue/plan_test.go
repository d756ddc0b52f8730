package localqueue

import (
	"strings"
	"testing"

	"github.com/postino/postino/shared/platform/local/localdb"
)

// TestEveryReadIsASearchInItsIndex holds the amount of work: what is read does
// not depend on how much else is in the table.
func TestEveryReadIsASearchInItsIndex(t *testing.T) {
	db, err := localdb.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := New(t.Context(), db, Config{}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ sql, want string }{
		{selectSpilled, "SEARCH localqueue_messages USING INDEX localqueue_spilled (queue=? AND grp=? AND id>?)"},
		{selectDueAt, "SEARCH localqueue_messages USING INDEX localqueue_delayed (queue=? AND due=? AND id>?)"},
		{selectDueAfter, "SEARCH localqueue_messages USING INDEX localqueue_delayed (queue=? AND due>?)"},
		{countSpilled, "SEARCH localqueue_messages USING COVERING INDEX localqueue_spilled (queue=?)"},
		{countDelayed, "SEARCH localqueue_messages USING COVERING INDEX localqueue_delayed (queue=?)"},
		{deleteMessage, "SEARCH localqueue_messages USING INTEGER PRIMARY KEY (rowid=?)"},
		{retryMessage, "SEARCH localqueue_messages USING INTEGER PRIMARY KEY (rowid=?)"},
		{spillMessage, "SEARCH localqueue_messages USING INTEGER PRIMARY KEY (rowid=?)"},
		{moveMessage, "SEARCH localqueue_messages USING INTEGER PRIMARY KEY (rowid=?)"},
		{receiveMessage, "SEARCH localqueue_messages USING INTEGER PRIMARY KEY (rowid=?)"},
	} {
		var plan []string
		err := db.Read(t.Context(), func(tx *localdb.Tx) error {
			args := make([]any, strings.Count(tt.sql, "?"))
			return tx.Query("EXPLAIN QUERY PLAN "+tt.sql, args, func(row *localdb.Row) error {
				plan = append(plan, row.Text(3))
				return nil
			})
		})
		if got := strings.Join(plan, "; "); got != tt.want || err != nil {
			t.Errorf("%s\nis planned as %s, %v\nwant          %s", tt.sql, got, err, tt.want)
		}
	}
}
