package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// end asks the function's processes to end, as Lambda does half a second before
// it kills them, if none is at work.
func (f *function) end() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.idle) < len(f.all) {
		return false
	}
	for s := range f.all {
		s.process.Process.Signal(syscall.SIGTERM) // one that has ended wrote before
	}
	return true
}

// counted adds up what functions wrote of a counter in embedded metric format.
func (l *logbook) counted(name string) (sum int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		var figures map[string]json.RawMessage
		if !strings.HasPrefix(line, `{"_aws":`) || json.Unmarshal([]byte(line), &figures) != nil {
			continue
		}
		n := 0
		if text, has := figures[name]; has && json.Unmarshal(text, &n) == nil {
			sum += n
		}
	}
	return sum
}

func TestFunctionsThatEndHaveWrittenAllThatTheyCounted(t *testing.T) {
	s := deploy(t, settings{})
	p := begin(t, s, answer{Status: 200})
	const n = 20
	for i := range n {
		p.publish(i+1, 1)
	}
	p.await(func() string {
		if got := len(p.receiver.at("/hook")); got < n {
			return fmt.Sprintf("%d callbacks, want %d", got, n)
		}
		return ""
	})
	p.await(func() string {
		return p.call(t.Context(), step{Call: "GET /v1/tenants/acme/deliveries?status=succeeded&order=asc", Status: 200, Want: map[string]any{"data": slices.Repeat([]any{map[string]any{}}, n)}})
	})
	for _, f := range s.functions {
		p.await(func() string {
			if !f.end() {
				return f.name + " is at work"
			}
			return ""
		})
	}
	p.await(func() string {
		for _, name := range []string{"publishes", "events_accepted", "events_stored", "deliveries_planned", "attempts", "deliveries_succeeded"} {
			if got := s.log.counted(name); got != n {
				return fmt.Sprintf("%d %s were written, want %d", got, name, n)
			}
		}
		return ""
	})
}
