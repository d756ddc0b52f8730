// Package simulation plays the whole pipeline, all five stages over a store and
// queues in memory, in a world where every call may fail, fail after it was
// carried out, come twice, come late, or be the last thing its process does.
//
// All that happens follows from one number, the seed: a failing seed replays
// exactly with POSTINO_SEED=n go test ./infra/test/simulation. One call is let
// through at a time, chosen by the seed, and the clock is that of a
// testing/synctest bubble. What the stages draw themselves (tokens, nonces)
// decides nothing but equality, so it does not disturb the replay.
package simulation
