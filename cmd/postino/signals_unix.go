//go:build unix

package main

import (
	"os/signal"
	"syscall"
)

// takeFileSizeErrors makes a write beyond the limit of file sizes (ulimit -f)
// an error like that of a full disk, instead of the end of the process.
func takeFileSizeErrors() { signal.Ignore(syscall.SIGXFSZ) }
