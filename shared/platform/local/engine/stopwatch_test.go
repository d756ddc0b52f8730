package engine

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"
)

// silent lets the disk say nothing until release is called.
func silent(t *testing.T, db *DB) (asked chan struct{}, release func()) {
	asked, hold := make(chan struct{}, 100), make(chan struct{})
	db.syncs.flush = func(f *os.File) error { // nothing was written yet
		asked <- struct{}{}
		<-hold
		return syncData(f)
	}
	return asked, func() { close(hold) }
}

func TestAWriteThatTheDiskHoldsUpStandsAndSaysSo(t *testing.T) {
	db := openTest(t)
	asked, release := silent(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	err := db.Write(ctx, Durable, func(tx *Tx) error { tx.Set(rowKey(1), nil); return nil })
	if !errors.Is(err, ErrUnsynced) || !errors.Is(err, context.Canceled) {
		t.Errorf("Write: %v, want %v and %v", err, ErrUnsynced, context.Canceled)
	}
	if n := count(t, db); n != 1 {
		t.Errorf("%d rows, want the one that is committed", n)
	}
	release()
	for id := 2; id < 100; id++ { // calls are used again
		if err := insert(db, Durable, id); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheTimeThatTheDiskIsSilentIsKnown(t *testing.T) {
	db := openTest(t)
	if err := insert(db, Ordered, 1); err != nil {
		t.Fatal(err)
	}
	asked, release := silent(t, db)
	done := make(chan error)
	go func() { done <- insert(db, Durable, 2) }()
	<-asked
	for began := time.Now(); db.Stalled() < 10*time.Millisecond; time.Sleep(time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatal("the disk is silent, and nobody knows")
		}
	}
	release()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := insert(db, Durable, 3); err != nil {
		t.Error(err)
	}
}
