package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postino/postino/shared/webhook"
)

// lag is how long a list may take to show what was stored.
const lag = 15 * time.Second

// must returns the value of a call that has to succeed.
func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		check(t, err)
		return v
	}
}

// check stops the case at an error.
func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantError reports another outcome than the error wanted.
func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error = %v, want %v", what, err, want)
	}
}

// same reports how got differs from want; nil and empty are equal.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// insist repeats a call while the store is busy.
func insist(call func() error) error {
	deadline := time.Now().Add(lag)
	for {
		err := call()
		if !errors.Is(err, webhook.ErrBusy) || time.Now().After(deadline) {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// race runs n calls at once and returns their errors by index.
func race(n int, call func(i int) error) []error {
	errs := make([]error, n)
	begin := make(chan struct{})
	var done sync.WaitGroup
	for i := range n {
		done.Go(func() {
			<-begin
			errs[i] = insist(func() error { return call(i) })
		})
	}
	close(begin)
	done.Wait()
	return errs
}

// oneWinner returns the only index without an error; all others have lost.
func oneWinner(t *testing.T, errs []error, lost error) int {
	t.Helper()
	winner := -1
	for i, err := range errs {
		switch {
		case err == nil && winner >= 0:
			t.Errorf("callers %d and %d both won", winner, i)
		case err == nil:
			winner = i
		default:
			wantError(t, fmt.Sprintf("caller %d", i), err, lost)
		}
	}
	if winner < 0 {
		t.Fatal("nobody won")
	}
	return winner
}

// checkAll stops the case at the first of several errors.
func checkAll(t *testing.T, errs []error) {
	t.Helper()
	check(t, errors.Join(errs...))
}

// list is one of the store's paged lists, with its filter set.
type list[T any] func(page webhook.Page) (entries []T, next string, err error)

// all pages to the end.
func all[T any](l list[T], page webhook.Page) ([]T, error) {
	var entries []T
	for pages := 0; ; pages++ {
		got, next, err := l(page)
		switch {
		case err != nil:
			return nil, err
		case len(got) > page.Limit:
			return nil, fmt.Errorf("page of %d entries, limit is %d", len(got), page.Limit)
		case pages > 5000:
			return nil, errors.New("no end after 5000 pages")
		}
		entries = append(entries, got...)
		if next == "" {
			return entries, nil
		}
		page.Position = next
	}
}

// lists waits until the list, paged to its end, names exactly the wanted
// entries, each once and in any order, and returns it.
func lists[T any](t *testing.T, what string, l list[T], page webhook.Page, name func(T) string, want []string) []T {
	t.Helper()
	want = slices.Sorted(slices.Values(want))
	for deadline := time.Now().Add(lag); ; time.Sleep(50 * time.Millisecond) {
		entries, err := all(l, page)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		diff := gocmp.Diff(want, sortedNames(entries, name), cmpopts.EquateEmpty())
		if diff == "" {
			return entries
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s with %+v (-want +got):\n%s", what, page, diff)
		}
	}
}

func sortedNames[T any](entries []T, name func(T) string) []string {
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = name(e)
	}
	slices.Sort(names)
	return names
}

// ordered reports entries that are not in order.
func ordered[T any, K cmp.Ordered](t *testing.T, what string, entries []T, desc bool, key func(T) K) {
	t.Helper()
	for i := 1; i < len(entries); i++ {
		c := cmp.Compare(key(entries[i-1]), key(entries[i]))
		if c > 0 && !desc || c < 0 && desc {
			t.Errorf("%s, descending %v: %v stands before %v", what, desc, key(entries[i-1]), key(entries[i]))
		}
	}
}

// eventually repeats a read until it succeeds or time is up.
func eventually(read func() error) error {
	for deadline := time.Now().Add(lag); ; time.Sleep(50 * time.Millisecond) {
		if err := read(); err == nil || time.Now().After(deadline) {
			return err
		}
	}
}
