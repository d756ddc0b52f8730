package fanout

import "time"

// Calm makes the pauses before repeats as short as they can be, so that a
// history replays step by step.
func (f *Fanout) Calm() {
	f.jitter = func(time.Duration) time.Duration { return 0 }
}
