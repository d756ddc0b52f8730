package server

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener of connections in memory.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (p pipes) Close() error { close(p); return nil }
func (pipes) Addr() net.Addr { return &net.TCPAddr{} }

// crowd is a listener with a limit, and those that it has accepted.
type crowd struct {
	t        *testing.T
	inner    pipes
	limited  *connections
	accepted chan *connection
}

func newCrowd(t *testing.T, max int) *crowd {
	c := &crowd{t: t, inner: make(pipes), accepted: make(chan *connection, 10)}
	c.limited = limited(c.inner, max)
	go func() {
		defer close(c.accepted)
		for {
			a, err := c.limited.Accept()
			if err != nil {
				return
			}
			c.accepted <- a.(*connection)
		}
	}()
	return c
}

// dial opens a connection, which is known and busy if so.
func (c *crowd) dial(known, busy bool) *connection {
	_, theirs := net.Pipe()
	c.inner <- theirs
	a := <-c.accepted
	c.limited.change(a, func() { a.known, a.busy = known, busy })
	return a
}

// expect checks which of the connections are closed.
func (c *crowd) expect(when string, connections []*connection, closed ...int) {
	c.t.Helper()
	want := map[int]bool{}
	for _, n := range closed {
		want[n] = true
	}
	for n, a := range connections {
		_ = a.Conn.SetReadDeadline(time.Now().Add(-time.Second))
		if _, err := a.Conn.Read(make([]byte, 1)); (err == io.ErrClosedPipe) != want[n] {
			c.t.Errorf("%s: connection %d is closed %v, want %v", when, n, err == io.ErrClosedPipe, want[n])
		}
	}
}

func TestAtTheLimitStrangersGiveWayBeforeThoseWithAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 4)
		all := []*connection{c.dial(true, false), c.dial(false, false), c.dial(false, true), c.dial(true, true)}
		time.Sleep(settleTime)
		c.expect("at the limit", all)
		all = append(all, c.dial(false, false))
		c.expect("with one more", all, 1)
		all = append(all, c.dial(false, false))
		c.expect("with two more", all, 1, 2)
		all = append(all, c.dial(false, false)) // the others have had no time to bring their key
		c.expect("with three more", all, 0, 1, 2)
		time.Sleep(settleTime)
		all = append(all, c.dial(true, true))
		c.expect("after a while", all, 0, 1, 2, 4)
		c.limited.Close()
	})
}

func TestConnectionsWaitWhileAllAreBusyForSomebodyWithAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 2)
		first := c.dial(true, true)
		c.dial(true, true)
		_, third := net.Pipe()
		c.inner <- third
		time.Sleep(time.Hour)
		select {
		case <-c.accepted:
			t.Error("a third connection was accepted")
		default:
		}
		first.Close()
		first.Close() // gives one place back, not two
		next := <-c.accepted
		c.limited.change(next, func() { next.known, next.busy = true, true })
		_, fourth := net.Pipe()
		c.inner <- fourth
		synctest.Wait()
		select {
		case <-c.accepted:
			t.Error("a fourth connection was accepted: it has no place")
		default:
		}
		if err := c.limited.Close(); err != nil {
			t.Error(err)
		}
		if _, open := <-c.accepted; open {
			t.Error("a connection was accepted after the end")
		}
	})
}

// TestWhoDoesNotTakeAnAnswerIsCutOff: a reader that stops after a part of it,
// and one that trickles, have the time that the rate allows; the next answer
// begins anew.
func TestWhoDoesNotTakeAnAnswerIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, pause := range map[string]time.Duration{"stops": time.Hour, "trickles": time.Second} {
			ours, theirs := net.Pipe()
			c := &connection{Conn: theirs, all: limited(make(pipes), 1)}
			go func() {
				for b := make([]byte, 1); ; time.Sleep(pause) {
					if _, err := ours.Read(b); err != nil {
						return
					}
				}
			}()
			began := time.Now()
			var err error
			for range 1000 {
				if _, err = c.Write([]byte("1234")); err != nil {
					break
				}
			}
			if took := time.Since(began); err == nil || took > answerGrace+time.Second {
				t.Errorf("a reader that %s: %v after %v, want it cut off by %v", name, err, took, answerGrace+time.Second)
			}
			ours.Close()
			time.Sleep(2 * time.Hour)
		}
		ours, theirs := net.Pipe()
		go io.Copy(io.Discard, ours)
		c := &connection{Conn: theirs, all: limited(make(pipes), 1)}
		for range 3 {
			c.written = 0 // as with each request
			if _, err := c.Write(make([]byte, 1000)); err != nil {
				t.Errorf("an answer that is taken: %v", err)
			}
			time.Sleep(time.Minute)
		}
		ours.Close()
	})
}
