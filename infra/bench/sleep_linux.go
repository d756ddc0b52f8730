package main

import (
	"syscall"
	"time"
)

// sleep is finer than time.Sleep, which is late by up to a millisecond when
// nothing else goes on: as much as what is measured.
func sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	t := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&t, nil) // an interruption makes one request early
}
