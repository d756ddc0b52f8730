package main

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postino/postino/verify"
)

// maxBody bounds what the receiver reads of one callback; what it is sent is
// far below.
const maxBody = 1 << 20

// receiver stands for every subscriber: path /N is the N-th. It believes only
// what it has verified and writes each arrival into the ledger in force.
type receiver struct {
	url    string
	server *http.Server
	mu     sync.RWMutex
	paths  map[string]*endpoint
	ledger atomic.Pointer[ledger]
	forged atomic.Int64 // requests with a signature or id that is wrong
}

// endpoint is one subscriber's.
type endpoint struct {
	number   int // in the ledger; below zero are neighbours, which no ledger knows
	verifier *verify.Verifier
	answer   func(w http.ResponseWriter, r *http.Request) // nil for 204
}

func listen() (*receiver, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{url: "http://" + l.Addr().String(), paths: map[string]*endpoint{}}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}
	go r.server.Serve(l)
	return r, nil
}

func (r *receiver) close() { r.server.Close() }

// serve makes an endpoint answer at the path.
func (r *receiver) serve(path string, e *endpoint) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.paths[path] = e
}

// bodies lends buffers for what is read.
var bodies = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

// ServeHTTP verifies and notes one callback.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	arrived := time.Now()
	r.mu.RLock()
	e := r.paths[req.URL.Path]
	r.mu.RUnlock()
	if e == nil {
		http.NotFound(w, req)
		return
	}
	if e.answer != nil {
		e.answer(w, req)
		return
	}
	if err := r.note(req, e, arrived); err != nil {
		r.forged.Add(1)
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (r *receiver) note(req *http.Request, e *endpoint, arrived time.Time) error {
	room := bodies.Get().(*[]byte)
	defer bodies.Put(room)
	body, err := readInto((*room)[:0], io.LimitReader(req.Body, maxBody))
	*room = body
	if err != nil {
		return err
	}
	if err := e.verifier.Verify(req.Header, body); err != nil {
		return err
	}
	event, ok := eventNumber(req.Header.Get("postino-event-id"))
	if !ok {
		return errors.New("not an event of this run")
	}
	return r.ledger.Load().arrive(event, e.number, req.Header.Get("webhook-id"), arrived)
}

func readInto(b []byte, from io.Reader) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := from.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

// idPrefix begins the ids of this program's events; the number in the ledger follows.
const idPrefix = "bench-"

// eventNumber reads the ledger's number out of an event's id, in which the run
// stands before it.
func eventNumber(id string) (int, bool) {
	if !strings.HasPrefix(id, idPrefix) {
		return 0, false
	}
	n, err := strconv.Atoi(id[strings.LastIndexByte(id, '-')+1:])
	return n, err == nil
}

// slowly answers after a time, unless the asker has gone by then.
func slowly(after time.Duration) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) (taken bool) {
		_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, maxBody)) // only then does net/http notice that the asker goes
		timer := time.NewTimer(after)
		defer timer.Stop()
		select {
		case <-timer.C:
			w.WriteHeader(http.StatusNoContent)
			return true
		case <-r.Context().Done():
			return false
		}
	}
}

// failing answers 500.
func failing(w http.ResponseWriter, _ *http.Request) (taken bool) {
	http.Error(w, "out of order", http.StatusInternalServerError)
	return false
}
