package trigger

import (
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// accepted is an event that came so long after noon, at a place in its request.
func accepted(id string, after time.Duration, place int) webhook.Event {
	e := event(id, noon)
	e.AcceptedAt = noon.Add(after).Truncate(time.Millisecond)
	e.Order = webhook.OrderOf(noon.Add(after), place)
	return e
}

func TestOfOneTimeTheOrderOfAcceptanceDecides(t *testing.T) {
	for _, tt := range []struct {
		name    string
		start   webhook.Event
		cancel  webhook.Event
		cancels bool
	}{
		{"a cancel accepted later", accepted("z", 0, 0), accepted("a", time.Second, 0), true},
		{"a cancel accepted before", accepted("a", time.Second, 0), accepted("z", 0, 0), false},
		{"a cancel of the next microsecond", accepted("z", 0, 7), accepted("a", time.Microsecond, 0), true},
		{"a cancel behind it in the array", accepted("z", 0, 0), accepted("a", 0, 1), true},
		{"a cancel before it in the array", accepted("a", 0, 1), accepted("z", 0, 0), false},
		{"a cancel of which nobody knows the order", accepted("a", 0, 0), accepted("z", 0, 0), true},
		{"a cancel of which nobody knows the order, named before", accepted("z", 0, 0), accepted("a", 0, 0), true},
	} {
		for _, first := range []string{"start", "cancel"} {
			k := newKey(t, `{"delay":"1h","cancel":[{"types":["x"]}]}`)
			if first == "cancel" {
				k.cancel(tt.cancel, noon)
			}
			k.handle(tt.start, noon)
			if first == "start" {
				k.cancel(tt.cancel, noon)
			}
			if _, fires := k.fire(tt.start, noon.Add(time.Hour)); fires == tt.cancels {
				t.Errorf("%s, handled with the %s first: the start fires: %v, want %v", tt.name, first, fires, !tt.cancels)
			}
		}
	}
}

func TestTheReasonOfAStartIsKnownFromWhatIsStored(t *testing.T) {
	k := newKey(t, `{"delay":"1h","cancel":[{"types":["x"]}]}`)
	start := accepted("z", 0, 3)
	k.handle(start, noon)
	k.cancel(accepted("a", 0, 4), noon)
	start.Order = 0 // as it comes from a store
	if d := k.handle(start, noon); d.Reason != webhook.ReasonCanceledBy {
		t.Errorf("the canceled start again: %+v, want canceled_by_event", d)
	}
}
