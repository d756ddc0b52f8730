package fetch

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestThoseWhoWaitForAFetchThatFailsWaitForOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		f := Begin(func(ctx context.Context) (string, error) {
			if calls.Add(1) > 1 {
				return "key", nil
			}
			<-ctx.Done()
			return "", ctx.Err()
		})
		synctest.Wait() // the fetch beside the start is under way
		began := time.Now()
		var waiting sync.WaitGroup
		for range 10 {
			waiting.Go(func() {
				if _, err := f.Get(); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != timeout {
					t.Errorf("Get = %v after %v, want the fetch's deadline after %v", err, time.Since(began), timeout)
				}
			})
		}
		waiting.Wait()
		if value, err := f.Get(); value != "key" || err != nil {
			t.Errorf("the next Get = %q, %v, want the key", value, err)
		}
	})
}

func TestAFetchThatNeverEndsIsNotTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		hang := make(chan struct{})
		f := Begin(func(context.Context) (string, error) {
			if calls.Add(1) == 1 {
				<-hang
				return "", errors.New("late")
			}
			return "key", nil
		})
		synctest.Wait()
		if _, err := f.Get(); !errors.Is(err, errHangs) {
			t.Errorf("Get = %v, want %v", err, errHangs)
		}
		if value, err := f.Get(); value != "key" || err != nil {
			t.Errorf("the next Get = %q, %v, want the key", value, err)
		}
		close(hang)
		synctest.Wait()
		if value, err := f.Get(); value != "key" || err != nil {
			t.Errorf("after the first fetch failed late: %q, %v, want the key", value, err)
		}
	})
}
