package main

import (
	"errors"
	"os"
	"slices"
	"time"
)

// syncTime measures how long the disk under dir takes to keep 4 KiB: the least
// that a single durable 202 can take.
func syncTime(dir string) (median time.Duration, err error) {
	f, err := os.CreateTemp(dir, "sync-")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	times := make([]time.Duration, 50)
	page := make([]byte, 4096)
	for i := range times {
		began := time.Now()
		_, err := f.Write(page)
		if err := errors.Join(err, f.Sync()); err != nil {
			return 0, errors.Join(err, f.Close())
		}
		times[i] = time.Since(began)
	}
	slices.Sort(times)
	return percentile(times, 0.5), f.Close()
}
