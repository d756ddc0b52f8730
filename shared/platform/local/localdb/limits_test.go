package localdb

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/postino/postino/shared/webhook"
)

func TestTooManyWaitingWritesAreRefused(t *testing.T) {
	db := openTest(t)
	release := hold(t, db)
	var wg sync.WaitGroup
	var refused, done atomic.Int64
	for id := range MaxWaiting + 10 {
		wg.Go(func() {
			switch err := insert(db, Ordered, id); {
			case errors.Is(err, webhook.ErrBusy):
				if refused.Add(1) == 10 {
					release()
				}
			case err == nil:
				done.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if refused.Load() != 10 || done.Load() != MaxWaiting || count(t, db) != MaxWaiting {
		t.Errorf("%d refused, %d done, want 10 and %d", refused.Load(), done.Load(), MaxWaiting)
	}
}

func TestTheLogStaysBounded(t *testing.T) {
	db := openTest(t)
	body := make([]byte, 100<<10)
	most := 0
	for id := range 1000 { // 100 MB
		err := db.Write(t.Context(), Ordered, func(tx *Tx) error {
			_, err := tx.Exec("INSERT INTO rows VALUES (?, ?)", id, body)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, db.log.frames())
	}
	if most < checkpointAt || most > 2*restartAt {
		t.Errorf("the log grew to %d pages, want between %d and %d", most, checkpointAt, 2*restartAt)
	}
}

func TestAFullDiskIsBusyUntilThereIsRoom(t *testing.T) {
	for name, setting := range map[string][2]string{
		"full":      {"PRAGMA max_page_count = 30", "PRAGMA max_page_count = 1000000"},
		"read-only": {"PRAGMA query_only = ON", "PRAGMA query_only = OFF"},
	} {
		db := openTest(t)
		if err := insert(db, Durable, 1); err != nil {
			t.Fatal(err)
		}
		if err := db.write.run(setting[0]); err != nil { // the writer rests
			t.Fatal(err)
		}
		var writes sync.WaitGroup
		for id := 2; id < 6; id++ {
			writes.Go(func() {
				err := db.Write(t.Context(), Durable, func(tx *Tx) error {
					_, err := tx.Exec("INSERT INTO rows VALUES (?, ?)", id, make([]byte, 200<<10))
					return err
				})
				if !errors.Is(err, webhook.ErrBusy) {
					t.Errorf("%s: Write: %v, want %v", name, err, webhook.ErrBusy)
				}
			})
		}
		writes.Wait()
		if err := db.Failed(); !errors.Is(err, webhook.ErrBusy) {
			t.Errorf("%s: Failed() = %v, want %v", name, err, webhook.ErrBusy)
		}
		if got := count(t, db); got != 1 {
			t.Errorf("%s: %d rows, want 1", name, got)
		}
		if err := db.write.run(setting[1]); err != nil {
			t.Fatal(err)
		}
		if err := insert(db, Durable, 7); err != nil {
			t.Errorf("%s: Write when there is room: %v", name, err)
		}
		if err := db.Failed(); err != nil {
			t.Errorf("%s: Failed() when there is room = %v", name, err)
		}
	}
}

func TestAFailedSyncStopsAllWriting(t *testing.T) {
	db, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(t.Context(), "test", table); err != nil {
		t.Fatal(err)
	}
	if err := db.log.wal.Close(); err != nil { // so that its sync fails
		t.Fatal(err)
	}
	for id, d := range []Durability{Durable, Ordered, Durable} {
		if err := insert(db, d, id); err == nil || !strings.Contains(err.Error(), "-wal") {
			t.Errorf("write %d: %v, want an error that names the file", id, err)
		}
	}
}
