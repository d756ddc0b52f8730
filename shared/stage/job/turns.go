package job

import (
	"fmt"
	"slices"
	"time"

	"github.com/postino/postino/shared/language/quiet"
	"github.com/postino/postino/shared/people"
	"github.com/postino/postino/shared/webhook"
)

// A send with a local time walks through its group more than once: first it notes
// when the clocks of these people show that time, and then, at each of these times in
// turn, it publishes for those whose clock does.

// due is when the send, or its turn, begins.
func due(j webhook.Job) time.Time {
	if j.Send.Surveyed && j.Send.Turn < len(j.Send.Turns) {
		return j.Send.Turns[j.Send.Turn]
	}
	return begins(j)
}

// nextTurn begins the next walk through the group; false if there is none.
func nextTurn(j *webhook.Job) bool {
	s := j.Send
	switch {
	case s.LocalTime == "" || j.DryRun:
		return false
	case s.Turns == nil:
		return false // nobody is in the group
	case !s.Surveyed:
		s.Surveyed = true
	default:
		s.Turn++
	}
	j.Stage, j.Position = 0, ""
	return s.Turn < len(s.Turns)
}

// inTurn reports whether a profile's turn it is. At first it notes when that will be.
func (w sends) inTurn(j *webhook.Job, p webhook.Profile, d *people.Definitions) (bool, error) {
	s := j.Send
	if s.LocalTime == "" || j.DryRun {
		return true, nil
	}
	clock, err := quiet.ReadClock(s.LocalTime, s.Zone, s.DefaultZone)
	if err != nil {
		return false, fmt.Errorf("local time of a send: %w", err)
	}
	view, err := d.ViewOf(p)
	if err != nil {
		return false, err
	}
	at, err := clock.Next(begins(*j), view.Attributes)
	if err != nil {
		return false, err
	}
	if s.Surveyed {
		return at.Equal(s.Turns[s.Turn]), nil
	}
	if i, known := slices.BinarySearchFunc(s.Turns, at, time.Time.Compare); !known && len(s.Turns) < webhook.MaxTurns {
		s.Turns = slices.Insert(s.Turns, i, at)
	}
	return false, nil
}
