// Package faults causes real faults in the local process: it kills the process
// during deliveries, drains, sweeps and recovers, fills its disk or makes it
// read-only, damages its files, sets its clock, floods it, and gives it
// subscribers that never answer.
//
// After each of these nothing that was acknowledged may be lost, what repeats
// must be the same, and healthy subscribers must have been served meanwhile.
// With POSTINO_PROVE=1 the kills are hundreds.
package faults
