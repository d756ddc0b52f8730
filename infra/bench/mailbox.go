package main

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/postino/postino/verify"
)

// mailbox receives the callbacks of a send, and counts whom they are for.
type mailbox struct {
	url    string
	server *http.Server

	mu       sync.Mutex
	verifier *verify.Verifier
	to       map[string]string // the webhook-id of the first callback, by subject
	twice    int               // callbacks to a subject under the same webhook-id: an attempt that was repeated
	other    int               // under another: somebody got two
	forged   int
}

func newMailbox() (*mailbox, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &mailbox{url: "http://" + l.Addr().String(), to: map[string]string{}}
	m.server = &http.Server{Handler: m, ReadHeaderTimeout: 10 * time.Second}
	go m.server.Serve(l)
	return m, nil
}

func (m *mailbox) close() { m.server.Close() }

// trust has the mailbox believe what the secret signs.
func (m *mailbox) trust(secret string) (err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.verifier, err = verify.New(secret)
	return err
}

func (m *mailbox) people() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.to)
}

// ServeHTTP verifies and counts one callback.
func (m *mailbox) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(io.LimitReader(req.Body, maxBody))
	if err == nil {
		err = m.count(req.Header, body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (m *mailbox) count(header http.Header, body []byte) error {
	m.mu.Lock()
	verifier := m.verifier
	m.mu.Unlock()
	var card struct{ To, Name string }
	err := errors.New("nothing is expected yet")
	if verifier != nil {
		err = errors.Join(verifier.Verify(header, body), json.Unmarshal(body, &card))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	id := header.Get("webhook-id")
	switch before, known := m.to[card.To]; {
	case err != nil || card.Name != "Ada":
		m.forged++
		return errors.Join(err, errors.New("not of this send"))
	case !known:
		m.to[card.To] = id
	case before == id:
		m.twice++
	default:
		m.other++
	}
	return nil
}
