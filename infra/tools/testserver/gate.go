package testserver

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// Gate is an address that leads to a server until it is stopped: then what is
// under way breaks off, and nothing answers. The server behind it keeps what it
// holds, as a service does that cannot be reached for a while.
type Gate struct {
	Endpoint string // the same after each Start

	t      testing.TB
	server string // host:port
	mu     sync.Mutex
	door   net.Listener // nil while stopped
	open   map[net.Conn]bool
}

// NewGate opens a gate to the server at the endpoint. It ends with the test.
func NewGate(t testing.TB, endpoint string) *Gate {
	t.Helper()
	server, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	g := &Gate{Endpoint: "http://" + net.JoinHostPort("127.0.0.1", port), t: t, server: server.Host, open: map[net.Conn]bool{}}
	t.Cleanup(g.Stop)
	g.Start()
	return g
}

// Start lets connections through again.
func (g *Gate) Start() {
	g.t.Helper()
	address, _ := url.Parse(g.Endpoint)
	door, err := net.Listen("tcp", address.Host)
	if err != nil {
		g.t.Fatal(err)
	}
	g.mu.Lock()
	g.door = door
	g.mu.Unlock()
	go func() {
		for {
			caller, err := door.Accept()
			if err != nil {
				return
			}
			go g.pass(caller, door)
		}
	}()
}

// Stop refuses connections and breaks off those that are open.
func (g *Gate) Stop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.door == nil {
		return
	}
	g.door.Close()
	g.door = nil
	for c := range g.open {
		c.Close()
	}
	clear(g.open)
}

// pass copies both ways until either side closes.
func (g *Gate) pass(caller net.Conn, door net.Listener) {
	defer caller.Close()
	server, err := net.Dial("tcp", g.server)
	if err != nil {
		return
	}
	defer server.Close()
	g.mu.Lock()
	if g.door != door { // stopped meanwhile
		g.mu.Unlock()
		return
	}
	g.open[caller], g.open[server] = true, true
	g.mu.Unlock()
	go func() {
		_, _ = io.Copy(server, caller)
		server.Close()
	}()
	_, _ = io.Copy(caller, server)
	g.mu.Lock()
	delete(g.open, caller)
	delete(g.open, server)
	g.mu.Unlock()
}
