package trigger

import (
	"slices"
	"time"
)

// next counts one occurrence at the given event time and tells whether it is
// the one to fire.
func (s *Spec) next(c counter, at time.Time) (counter, bool) {
	c.N++
	switch {
	case s.within > 0:
		return s.nextWithin(c, at)
	case s.every > 0:
		return c, c.N%s.every == 0
	}
	fires := c.N >= s.at && !c.Fired
	c.Fired = c.Fired || fires
	return c, fires
}

// without gives back what an occurrence had in the count, whose delay is over
// and for which nothing could be rendered. Those that were with it in one
// window remain used up.
func (c counter) without() counter {
	c.N, c.Fired = max(0, c.N-1), false
	return c
}

// nextWithin fires when n occurrences that are not used up lie within one
// window; every uses them up, at fires but once. It remembers the latest 2n
// occurrences: what arrives later than those does not find its company.
func (s *Spec) nextWithin(c counter, at time.Time) (counter, bool) {
	if c.Fired {
		return c, false
	}
	n := int(max(s.every, s.at))
	t := at.UnixMicro()
	i, _ := slices.BinarySearch(c.Times, t)
	times := slices.Insert(slices.Clone(c.Times), i, t)
	c.Times = times
	for from := max(0, i-n+1); from <= i && from+n <= len(times); from++ {
		if times[from+n-1]-times[from] > s.within.Microseconds() {
			continue
		}
		c.Times = slices.Delete(times, from, from+n)
		if s.at > 0 {
			c.Times, c.Fired = nil, true
		}
		return c, true
	}
	if len(c.Times) > 2*n {
		c.Times = c.Times[len(c.Times)-2*n:]
	}
	return c, false
}
