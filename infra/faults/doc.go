// Package faults does to the real local process what the world does: it kills
// it while it works, starts it twice, and damages its files.
package faults
