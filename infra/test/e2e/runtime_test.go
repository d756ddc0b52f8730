package e2e

import (
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
	mux.HandleFunc("POST /2020-01-01/extension/register", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Lambda-Extension-Identifier", "1") // who registers is told of the end by SIGTERM
	})
	mux.HandleFunc("GET /2020-01-01/extension/event/next", func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done() // registered for no event
	})
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
