// Package simulation runs the whole pipeline, all five stages with a store and
// queues in memory, while each call can fail, fail after it took effect, run
// twice, run late, or be the last one of its process.
//
// All that happens follows from one number, the seed: a failing seed replays
// exactly with POSTINO_SEED=n go test ./infra/test/simulation. One call is let
// through at a time, chosen by the seed, and the clock is that of a
// testing/synctest bubble. What the stages draw themselves (tokens, nonces)
// decides nothing but equality, so it does not disturb the replay.
package simulation
