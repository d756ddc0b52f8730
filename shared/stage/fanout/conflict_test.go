package fanout_test

import (
	"encoding/json"
	"testing"
	"time"
)

func TestARepeatThatSaysSomethingElseIsCounted(t *testing.T) {
	s := newStand(t)
	counted := map[string]int{}
	s.stage.Count = func(name string, n int) { counted[name] += n }
	first := s.event("a", "u", s.now(), `{"v":1}`)
	s.publish(first)
	for i, change := range []string{"nothing", "data", "subject", "time"} {
		again := first
		again.Nonce = "again " + change
		again.AcceptedAt = first.AcceptedAt.Add(time.Duration(i+1) * time.Second)
		again.Time = again.AcceptedAt // left out, as in the first
		switch change {
		case "data":
			again.Data = json.RawMessage(`{"v":2}`)
		case "subject":
			again.Subject = "other"
		case "time":
			again.Time = epoch.Add(-time.Hour)
		}
		s.publish(again)
	}
	if counted["events_stored"] != 1 || counted["events_duplicate"] != 4 || counted["events_conflicting"] != 3 {
		t.Errorf("counted %v, want 1 stored, 4 duplicates, and 3 of them conflicting", counted)
	}
}
