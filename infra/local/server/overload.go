package server

import (
	"net"
	"sync"
	"time"

	"github.com/postino/postino/shared/httpapi"
	"github.com/postino/postino/shared/ingest"
)

// What the process holds for callers at most. A connection takes some 10 KB,
// a body in hand up to five times its size while it is read and checked.
const (
	maxConnections = 4096
	maxRequests    = 2048
	maxBodies      = 64 << 20
)

// DefaultMaxBacklog is how many messages may wait before publishers are told
// to come back: some gigabytes of database.
const DefaultMaxBacklog = 1_000_000

// countEvery is how long a count of the backlog is good for.
const countEvery = 100 * time.Millisecond

func newIntake() *httpapi.Intake { return &httpapi.Intake{Requests: maxRequests, Bytes: maxBodies} }

// limit bounds what waits in the queues that publishing fills.
func (s *Server) limit() *ingest.Limit {
	l := &ingest.Limit{Messages: s.config.MaxBacklog, Every: countEvery}
	for _, name := range []string{"events", "deliveries", "retries"} {
		q := s.byName[name]
		l.Queues, l.Shares = append(l.Queues, q), append(l.Shares, q)
	}
	return l
}

// listener keeps connections beyond max waiting in the system's own line.
type listener struct {
	net.Listener
	slots chan struct{}
	ended chan struct{}
	end   sync.Once
}

func limited(l net.Listener, max int) net.Listener {
	return &listener{Listener: l, slots: make(chan struct{}, max), ended: make(chan struct{})}
}

// Accept waits until fewer than max connections are open.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.ended:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &connection{Conn: c, slots: l.slots}, nil
}

func (l *listener) Close() error {
	l.end.Do(func() { close(l.ended) })
	return l.Listener.Close()
}

// connection gives its slot back when it is closed.
type connection struct {
	net.Conn
	once  sync.Once
	slots chan struct{}
}

func (c *connection) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { <-c.slots })
	return err
}
