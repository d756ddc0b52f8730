package server

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// connections accepts up to max connections at a time. To one beyond that
// another one gives way: a stranger's, or one that is idle. While all are busy
// for somebody with a key the new one waits.
type connections struct {
	net.Listener
	max int

	mu    sync.Mutex
	open  int
	kinds [everyKind]list.List // of *connection, the one longest of its kind in front
	freed sync.Cond
	ended bool
}

// kind is how a connection stands.
type kind int

const (
	strangerWaiting kind = iota // has never brought a key, and no request of it is being answered
	strangerBusy                // has never brought a key
	knownWaiting                // has brought a key, and no request of it is being answered
	everyKind
	indispensable = everyKind // has brought a key, and is busy
)

func limited(l net.Listener, max int) *connections {
	cs := &connections{Listener: l, max: max}
	cs.freed.L = &cs.mu
	return cs
}

// Accept returns the next connection when there is a place for it.
func (cs *connections) Accept() (net.Conn, error) {
	inner, err := cs.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &connection{Conn: inner, all: cs}
	if !cs.place(c) {
		inner.Close()
		return nil, net.ErrClosed
	}
	return c, nil
}

// place counts the connection, and lets another one give way for it if that
// must be.
func (cs *connections) place(c *connection) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for cs.open >= cs.max && !cs.ended {
		if last := cs.dispensable(); last != nil {
			cs.forget(last)
			last.Conn.Close()
			continue
		}
		cs.freed.Wait()
	}
	cs.open++
	cs.enlist(c)
	return !cs.ended
}

// settleTime is how long a stranger may take to bring its key before it comes
// first among those that give way.
const settleTime = 2 * time.Second

// dispensable returns the connection that gives way, the oldest of its kind;
// nil if none does.
func (cs *connections) dispensable() *connection {
	for _, kind := range []kind{strangerWaiting, strangerBusy} {
		if c := cs.oldest(kind); c != nil && time.Since(c.since) >= settleTime {
			return c
		}
	}
	for _, kind := range []kind{knownWaiting, strangerWaiting, strangerBusy} {
		if c := cs.oldest(kind); c != nil {
			return c
		}
	}
	return nil
}

func (cs *connections) oldest(kind kind) *connection {
	if front := cs.kinds[kind].Front(); front != nil {
		return front.Value.(*connection)
	}
	return nil
}

func (cs *connections) enlist(c *connection) {
	c.since = time.Now()
	if kind := c.kind(); kind != indispensable {
		c.list = &cs.kinds[kind]
		c.element = c.list.PushBack(c)
	}
}

func (cs *connections) delist(c *connection) {
	if c.element != nil {
		c.list.Remove(c.element)
		c.element = nil
	}
}

// forget counts the connection no longer.
func (cs *connections) forget(c *connection) {
	if c.gone {
		return
	}
	c.gone = true
	cs.delist(c)
	cs.open--
	cs.freed.Signal()
}

// change changes how the connection stands.
func (cs *connections) change(c *connection, to func()) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	before := c.kind()
	if to(); !c.gone && c.kind() != before {
		cs.delist(c)
		cs.enlist(c)
	}
}

// Close ends Accept.
func (cs *connections) Close() error {
	cs.mu.Lock()
	cs.ended = true
	cs.freed.Broadcast()
	cs.mu.Unlock()
	return cs.Listener.Close()
}

// connection is one of them; all.mu guards what says how it stands.
type connection struct {
	net.Conn
	all     *connections
	list    *list.List
	element *list.Element // in list; nil for one that is in none
	since   time.Time     // when it came to stand as it does
	known   bool          // has brought a key that is known
	busy    bool          // a request of it is being answered
	answers int           // requests that are; of HTTP/2 several at once
	gone    bool

	secured bool      // speaks TLS, so that what is written may be of several answers
	began   time.Time // the answer under way; whoever writes it uses these alone
	written int
}

func (c *connection) kind() kind {
	switch {
	case !c.known && !c.busy:
		return strangerWaiting
	case !c.known:
		return strangerBusy
	case !c.busy:
		return knownWaiting
	}
	return indispensable
}

// How an answer must be taken: who is slower is cut off.
const (
	answerGrace = 10 * time.Second // for a start
	answerRate  = 64 << 10         // bytes a second, on average, after it
)

// Write writes a part of an answer, for which there is time: of TLS for each part
// by itself.
func (c *connection) Write(p []byte) (int, error) {
	if c.secured {
		_ = c.Conn.SetWriteDeadline(time.Now().Add(answerGrace + time.Duration(len(p))*time.Second/answerRate))
		return c.Conn.Write(p)
	}
	if c.written == 0 {
		c.began = time.Now()
	}
	c.written += len(p)
	_ = c.Conn.SetWriteDeadline(c.began.Add(answerGrace + time.Duration(c.written)*time.Second/answerRate))
	return c.Conn.Write(p)
}

// Close closes the connection and gives its place to another.
func (c *connection) Close() error {
	c.all.mu.Lock()
	c.all.forget(c)
	c.all.mu.Unlock()
	return c.Conn.Close()
}

type connectionKey struct{}

// withConnection notes in a connection's context which it is.
func withConnection(ctx context.Context, c net.Conn) context.Context {
	if secured, ok := c.(*tls.Conn); ok {
		c = secured.NetConn()
		c.(*connection).secured = true
	}
	return context.WithValue(ctx, connectionKey{}, c)
}

// answering marks the connections of requests as busy.
func answering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, ok := r.Context().Value(connectionKey{}).(*connection)
		if ok {
			c.begin()
			defer c.end()
		}
		next.ServeHTTP(w, r)
	})
}

func (c *connection) begin() {
	if !c.secured {
		c.written = 0
	}
	c.all.change(c, func() { c.answers++; c.busy = true })
}

func (c *connection) end() {
	if !c.secured {
		c.written = 0
	}
	c.all.change(c, func() { c.answers--; c.busy = c.answers > 0 })
}

// admitted marks the connection of a request as one that has brought a key.
func admitted(ctx context.Context) {
	if c, ok := ctx.Value(connectionKey{}).(*connection); ok {
		c.all.change(c, func() { c.known = true })
	}
}
