package egress

import (
	"crypto/tls"
	"errors"
	"net"
	"runtime"
	"sync/atomic"
)

// What a server may send over one connection: so much for each request, which
// is enough for the headers and the body that we read, what HTTP/2 lets it send
// ahead, and a handshake; and so much in one go, for many requests at once.
// HTTP/2 has frames that no other bound of net/http counts, such as pings, and
// they come whether a request waits or not.
const (
	allowance    = 256 << 10
	maxAllowance = 32 << 20
)

var errTooMuch = errors.New("the server sent more than was asked for")

// swift is how much of an answer is read at once: more than nearly all have. Then
// whatever else is ready to run is let pass before each further read, because a
// server that sends more than we can take never lets its reader wait, and reading
// headers or chunks of a few bytes takes milliseconds.
const swift = 8 << 10

// metered is a connection that breaks once the server has sent more than it may.
type metered struct {
	net.Conn
	left  atomic.Int64 // bytes
	taken atomic.Int64 // bytes since the last request
}

func newMetered(c net.Conn) *metered {
	m := &metered{Conn: c}
	m.left.Store(allowance)
	return m
}

func (m *metered) Read(b []byte) (int, error) {
	if m.taken.Load() > swift {
		runtime.Gosched()
	}
	n, err := m.Conn.Read(b)
	m.taken.Add(int64(n))
	if m.left.Add(-int64(n)) < 0 {
		m.Close()
		return 0, errTooMuch
	}
	return n, err
}

// allowMore lets a server answer one more request over a connection of ours.
func allowMore(c net.Conn) {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	m, ok := c.(*metered)
	if !ok {
		return
	}
	m.taken.Store(0)
	if m.left.Add(allowance) > maxAllowance {
		m.left.Store(maxAllowance)
	}
}
