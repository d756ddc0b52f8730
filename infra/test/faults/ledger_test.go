package faults

import (
	"sync"
	"testing"
	"time"
)

// ledger is what was acknowledged, and what arrived.
type ledger struct {
	mu       sync.Mutex
	accepted map[string]bool
	arrived  map[string]map[string]string // event id to webhook-id to body
	wrong    []string
}

func newLedger() *ledger {
	return &ledger{accepted: map[string]bool{}, arrived: map[string]map[string]string{}}
}

func (l *ledger) accept(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.accepted[id] = true
}

// arrive notes a verified callback; a repeat must be the same in all.
func (l *ledger) arrive(event, delivery, body string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.arrived[event] == nil {
		l.arrived[event] = map[string]string{}
	}
	if before, repeat := l.arrived[event][delivery]; repeat && before != body {
		l.wrong = append(l.wrong, "other bytes for "+delivery)
	}
	l.arrived[event][delivery] = body
}

func (l *ledger) reject(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrong = append(l.wrong, text)
}

// missing counts what was acknowledged and has not arrived.
func (l *ledger) missing() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.accepted {
		if len(l.arrived[id]) == 0 {
			n++
		}
	}
	return n
}

// settle waits until all that was acknowledged has arrived, and reports what
// has not, or came under more than one identity.
func (l *ledger) settle(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(90 * time.Second); l.missing() > 0 && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.accepted {
		if len(l.arrived[id]) != 1 {
			t.Errorf("event %s was acknowledged and came as %d deliveries, want 1", id, len(l.arrived[id]))
		}
	}
	for _, text := range l.wrong {
		t.Error(text)
	}
}
