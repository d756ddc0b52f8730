package e2e

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"
)

// adminKey is the key of every system under test.
const adminKey = "admin-key-of-these-stories"

// patience is how long a story waits for what must happen. It happens within
// milliseconds; a machine that is busy with other tests takes longer.
const patience = time.Minute

// system is Postino under test.
type system interface {
	// URL is the address of the API.
	URL() string
	// Advance lets time pass on our clock.
	Advance(ctx context.Context, by time.Duration) error
	// Redrive moves n messages from exhausted to resend, as soon as there are
	// so many.
	Redrive(ctx context.Context, n int) error
}

// player plays one story.
type player struct {
	t        *testing.T
	system   system
	receiver *receiver
	names    names
	counts   map[string]int // of callbacks, by path, as last received
}

func play(t *testing.T, s story, on system) {
	t.Helper()
	p := &player{t: t, system: on, receiver: newReceiver(t), names: names{}, counts: map[string]int{}}
	maps.Copy(p.names, p.receiver.names)
	p.receiver.answer(s.Subscribers)
	p.receiver.answer(s.Endpoints)
	p.receiver.others = slices.Collect(maps.Keys(s.Endpoints))
	for i, st := range s.Steps {
		if why := p.step(st); why != "" {
			t.Fatalf("step %d: %s", i+1, why)
		}
	}
	if shown := p.shown(s); len(shown) > 0 {
		t.Errorf("the log shows %q", shown)
	}
	for path, want := range p.counts {
		if got := len(p.receiver.at(path)); got != want {
			t.Errorf("%s: %d callbacks in the end, want %d as before", path, got, want)
		}
	}
}

// step does one step, and tells why it failed.
func (p *player) step(s step) string {
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	var err error
	switch {
	case s.Call != "":
		return p.calls(ctx, s)
	case s.Receive != "":
		return p.receive(ctx, s)
	case s.Answers != nil:
		p.receiver.answer(s.Answers)
	case s.Advance > 0:
		err = p.system.Advance(ctx, time.Duration(s.Advance))
	case s.Redrive > 0:
		err = p.system.Redrive(ctx, s.Redrive)
	}
	if err != nil {
		return err.Error()
	}
	return p.receiver.forged()
}

// eventually calls look until it finds nothing wrong.
func eventually(ctx context.Context, look func() string) (why string) {
	for pause := 2 * time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		if why = look(); why == "" {
			return ""
		}
		select {
		case <-ctx.Done():
			return "in vain: " + why
		case <-time.After(pause):
		}
	}
}
