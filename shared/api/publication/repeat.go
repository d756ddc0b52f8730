package publication

import (
	"strconv"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/webhook"
)

// contentOf hashes what an event says, or what several say.
func contentOf(parts ...string) string {
	return webhook.Hash(20, append([]string{"content"}, parts...)...)
}

// repeats finds the events of an array that say again what one before them
// says under the same identity. One that says something else is 422: only one
// of them could be kept.
func repeats(events []webhook.Event) (again []int, err error) {
	if len(events) < 2 {
		return nil, nil
	}
	type identity struct{ source, id string }
	first := make(map[identity]int, len(events))
	var faults httpapi.Faults
	for i, e := range events {
		at, there := first[identity{e.Source, e.ID}]
		switch {
		case !there:
			first[identity{e.Source, e.ID}] = i
		case events[at].SameContent(e) && events[at].History == e.History:
			again = append(again, i)
		default:
			faults.Add("["+strconv.Itoa(i)+"].id", "is the id of [%d] too, but the events differ: give each event its own id", at)
		}
	}
	return again, faults.Err()
}

// Once returns the events without their repeats, each once.
func (p Publication) Once() []webhook.Event {
	if len(p.Repeats) == 0 {
		return p.Events
	}
	once, rest := make([]webhook.Event, 0, len(p.Events)), p.Repeats
	for i, e := range p.Events {
		if len(rest) > 0 && rest[0] == i {
			rest = rest[1:]
			continue
		}
		once = append(once, e)
	}
	return once
}
