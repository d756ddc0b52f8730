package trigger

import (
	"time"

	"github.com/postino/postino/shared/webhook"
)

// Mark is what is known of an event without reading it.
type Mark struct {
	Source, ID string
	Version    int64 // of the subscription when it was decided
	Due        time.Time
}

// WakeRefs names what a timer's wake-up for the start with that mark looks at:
// the timer and the mark.
func WakeRefs(timer webhook.StateRef, mark string) []webhook.StateRef {
	timer.Part = partTimer
	own := timer
	own.Part = mark
	return []webhook.StateRef{timer, own}
}

// ReadMark reads a mark; false if it is not stored.
func ReadMark(item webhook.StateItem) (Mark, bool, error) {
	var p part[mark]
	err := p.decode(item)
	m := p.value
	return Mark{m.Source, m.ID, m.Version, m.Due}, p.exists(), err
}

// Next names the mark of the start that a timer fires next, and when; "" if
// nothing waits.
func Next(item webhook.StateItem) (mark string, due time.Time, err error) {
	var p part[timer]
	if err = p.decode(item); err != nil || len(p.value.Pending) == 0 {
		return "", time.Time{}, err
	}
	return p.value.Pending[0].Mark, p.value.Pending[0].Due, nil
}

// DropNext returns the timer's item without the start that it would fire next,
// which has that mark; nil if that is another one by now.
func DropNext(item webhook.StateItem, mark string, now time.Time) (*webhook.StateItem, error) {
	var p part[timer]
	if err := p.decode(item); err != nil || len(p.value.Pending) == 0 || p.value.Pending[0].Mark != mark {
		return nil, err
	}
	t := p.value
	t.Pending = t.Pending[1:]
	p.set(t, t.until(now))
	items, err := p.changed(nil)
	if err != nil {
		return nil, err
	}
	return &items[0], nil
}
