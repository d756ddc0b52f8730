package e2e

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"
)

// function is one Lambda function: its program, and the processes that run it.
type function struct {
	name    string
	program string
	env     []string
	timeout time.Duration
	log     *logbook
	frozen  bool // between invocations

	places chan struct{} // one for each invocation that may run at once
	mu     sync.Mutex
	idle   []*sandbox
	all    map[*sandbox]bool
	starts int
	calls  int           // invocations that were answered
	cpu    time.Duration // of the processes that have ended
}

// atOnceEach is the concurrency of each function, unless a test wants more.
const atOnceEach = 3

func newFunction(name, program string, env []string, timeout time.Duration, log *logbook, atOnce int) *function {
	return &function{
		name: name, program: program, env: env, timeout: timeout, log: log,
		places: make(chan struct{}, atOnce), all: map[*sandbox]bool{},
	}
}

// errFunction is the error that a function reported, or its end.
var errFunction = errors.New("function error")

// invoke runs the function once, in a process that waits, or in a new one. Like
// Lambda it kills a process that takes too long.
func (f *function) invoke(ctx context.Context, payload []byte) ([]byte, error) {
	select {
	case f.places <- struct{}{}:
		defer func() { <-f.places }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s, err := f.take()
	if err != nil {
		return nil, err
	}
	call := &invocation{payload: payload, deadline: time.Now().Add(f.timeout), answer: make(chan result, 1)}
	expired := time.NewTimer(f.timeout)
	defer expired.Stop()
	select {
	case s.calls <- call:
	case <-s.ended:
		return nil, fmt.Errorf("%w: %s ended before it took work", errFunction, f.name)
	case <-expired.C:
		s.kill()
		return nil, fmt.Errorf("%w: %s took no work within %v", errFunction, f.name, f.timeout)
	}
	select {
	case r := <-call.answer:
		f.give(s)
		return r.payload, r.err
	case <-s.ended:
		return nil, fmt.Errorf("%w: %s ended at work", errFunction, f.name)
	case <-expired.C:
		s.kill()
		return nil, fmt.Errorf("%w: %s took longer than %v", errFunction, f.name, f.timeout)
	}
}

func (f *function) take() (*sandbox, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.idle) > 0 {
		s := f.idle[len(f.idle)-1]
		f.idle = f.idle[:len(f.idle)-1]
		if !s.isOver() {
			if f.frozen {
				s.process.Process.Signal(syscall.SIGCONT)
			}
			return s, nil
		}
	}
	s, err := startSandbox(f)
	if err == nil {
		f.all[s] = true
		f.starts++
	}
	return s, err
}

func (f *function) give(s *sandbox) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if f.frozen {
		s.process.Process.Signal(syscall.SIGSTOP)
	}
	f.idle = append(f.idle, s)
}

// kill ends all processes of the function, as it is.
func (f *function) kill() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.all {
		s.kill()
		f.cpu += s.process.ProcessState.UserTime() + s.process.ProcessState.SystemTime()
		delete(f.all, s)
	}
}
