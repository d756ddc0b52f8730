package manage

import "time"

// TestClock sets the clock by which tests are limited.
func (h *Handler) TestClock(now func() time.Time) { h.trials.now = now }

// What one tenant may test.
const (
	TestPlaces = testPlaces
	TestHold   = testHold
)
