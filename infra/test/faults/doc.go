// Package faults does to the real local process what the world does: it kills
// it while it works, drains, sweeps and recovers, fills its disk or makes it read-only,
// tears and damages its files, sets its clock, floods it, and gives it
// subscribers that never answer.
//
// After each of these nothing that was acknowledged may be lost, what repeats
// must be the same, and healthy subscribers must have been served meanwhile.
// With POSTINO_PROVE=1 the kills are hundreds.
package faults
