package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// function is one Lambda function: its program, and the processes that run it.
type function struct {
	name    string
	program string
	env     []string
	timeout time.Duration
	log     *logbook

	places chan struct{} // one for each invocation that may run at once
	mu     sync.Mutex
	idle   []*sandbox
	all    map[*sandbox]bool
	starts int
}

// atOnceEach is the concurrency of each function.
const atOnceEach = 3

func newFunction(name, program string, env []string, timeout time.Duration, log *logbook) *function {
	return &function{
		name: name, program: program, env: env, timeout: timeout, log: log,
		places: make(chan struct{}, atOnceEach), all: map[*sandbox]bool{},
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
	f.idle = append(f.idle, s)
}

// kill ends all processes of the function, as it is.
func (f *function) kill() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.all {
		s.kill()
		delete(f.all, s)
	}
}

// invocation is one piece of work for a process.
type invocation struct {
	payload  []byte
	deadline time.Time
	answer   chan result // takes one
}

type result struct {
	payload []byte
	err     error
}

// sandbox is a process and the Runtime API that it asks for work: see "Using
// the Lambda runtime API for custom runtimes" in AWS's documentation.
type sandbox struct {
	function *function
	api      *httptest.Server
	process  *exec.Cmd
	calls    chan *invocation
	ended    chan struct{} // closed with the process

	mu      sync.Mutex
	number  int
	current *invocation
}

func startSandbox(f *function) (*sandbox, error) {
	s := &sandbox{function: f, calls: make(chan *invocation), ended: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", s.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", s.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", s.failure)
	s.api = httptest.NewServer(mux)
	s.process = exec.Command(f.program)
	s.process.Env = append([]string{"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(s.api.URL, "http://")}, f.env...)
	s.process.Stdout, s.process.Stderr = f.log, f.log
	if err := s.process.Start(); err != nil {
		s.api.Close()
		return nil, err
	}
	go func() {
		s.process.Wait()
		close(s.ended)
		s.api.CloseClientConnections()
		s.api.Close()
	}()
	return s, nil
}

func (s *sandbox) isOver() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// kill is kill -9.
func (s *sandbox) kill() {
	s.process.Process.Kill()
	<-s.ended
}

// next hands out work as soon as there is some.
func (s *sandbox) next(w http.ResponseWriter, r *http.Request) {
	select {
	case call := <-s.calls:
		s.mu.Lock()
		s.number++
		s.current = call
		id := strconv.Itoa(s.number)
		s.mu.Unlock()
		h := w.Header()
		h.Set("Lambda-Runtime-Aws-Request-Id", id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(call.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", arn("lambda", "function:"+s.function.name))
		h.Set("Content-Type", "application/json")
		w.Write(call.payload)
	case <-r.Context().Done():
	case <-s.ended:
	}
}

func (s *sandbox) response(w http.ResponseWriter, r *http.Request) { s.finish(w, r, false) }

func (s *sandbox) failure(w http.ResponseWriter, r *http.Request) { s.finish(w, r, true) }

func (s *sandbox) finish(w http.ResponseWriter, r *http.Request, failed bool) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	call := s.current
	current := r.PathValue("id") == strconv.Itoa(s.number)
	s.current = nil
	s.mu.Unlock()
	if call == nil || !current {
		http.Error(w, "no such invocation", http.StatusForbidden)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	if failed {
		err = fmt.Errorf("%w: %s: %s", errFunction, s.function.name, body)
	}
	call.answer <- result{body, err}
}

// logbook keeps what processes wrote, for when a test fails.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String is the last of what was written.
func (l *logbook) String() string {
	const enough = 16 << 10
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.text.Bytes()
	return string(text[max(0, len(text)-enough):])
}
