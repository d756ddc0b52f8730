package egresstest

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// Hostile is a server that means harm to who asks it.
type Hostile struct {
	Name string
	URL  string
	Want webhook.ErrorClass // of an attempt; "" for a success
}

// Any is wanted where it is chance how an attempt ends.
const Any webhook.ErrorClass = "any"

// habit is what one hostile server does with a connection.
type habit struct {
	name  string
	want  webhook.ErrorClass
	serve func(net.Conn)
}

// Hostiles starts every hostile server there is. Those with https have
// certificates of the authority.
func (a *Authority) Hostiles() (list []Hostile) {
	for _, h := range plainHabits {
		list = append(list, a.hostile("http", h))
	}
	for _, h := range handshakeHabits {
		list = append(list, a.hostile("https", h))
	}
	config := a.config()
	config.NextProtos = []string{"http/1.1"}
	for _, h := range plainHabits {
		h.name, h.serve = h.name+", over TLS", over(config, h.serve)
		list = append(list, a.hostile("https", h))
	}
	http2 := config.Clone()
	http2.NextProtos = []string{"h2"}
	for _, h := range http2Habits {
		h.name, h.serve = h.name+", HTTP/2", over(http2, afterRequest(h.serve))
		list = append(list, a.hostile("https", h))
	}
	return list
}

func over(config *tls.Config, serve func(net.Conn)) func(net.Conn) {
	return func(c net.Conn) { serve(tls.Server(c, config)) }
}

// hostile serves a habit until the test ends.
func (a *Authority) hostile(scheme string, h habit) Hostile {
	a.t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { listener.Close() })
	go h.accept(listener)
	return Hostile{h.name, scheme + "://" + listener.Addr().String(), h.want}
}

// accept serves the habit to whoever comes, until the listener is closed.
func (h habit) accept(listener net.Listener) {
	for {
		c, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			c.SetDeadline(time.Now().Add(time.Minute)) // should the client never hang up
			h.serve(c)
		}()
	}
}

// Plain starts n hostile servers that speak HTTP without TLS, each with another
// habit, for programs that are no tests; there are some thirty. It returns their
// addresses, and what stops them.
func Plain(n int) (urls []string, stop func(), err error) {
	var listeners []net.Listener
	stop = func() {
		for _, l := range listeners {
			l.Close()
		}
	}
	for _, h := range plainHabits[:min(n, len(plainHabits))] {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			stop()
			return nil, nil, err
		}
		go h.accept(l)
		listeners, urls = append(listeners, l), append(urls, "http://"+l.Addr().String())
	}
	return urls, stop, nil
}

const (
	ok      = "HTTP/1.1 200 OK\r\n"
	chunked = ok + "Transfer-Encoding: chunked\r\n\r\n"
	long    = ok + "Content-Length: 1000000000\r\n\r\n"
	upgrade = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"
)

// plainHabits speak HTTP/1.1, or nearly.
var plainHabits = []habit{
	{"101, then silence", webhook.ErrorStatus, says(upgrade, stay)},
	{"101, then a flood", webhook.ErrorStatus, says(upgrade, flood("x"))},
	{"101, then a drip", webhook.ErrorStatus, says(upgrade, drip("x"))},
	{"early hints without end", webhook.ErrorReset, says("", flood("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"))},
	{"100 now and then", webhook.ErrorTimeout, says("", drip("HTTP/1.1 100 Continue\r\n\r\n"))},
	{"no answer", webhook.ErrorTimeout, says("", stay)},
	{"an answer to nothing", webhook.ErrorTimeout, stay},
	{"a status line without end", webhook.ErrorReset, says("HTTP/1.1 200 ", flood("x"))},
	{"headers without end", webhook.ErrorReset, says(ok, flood("X-A: b\r\n"))},
	{"a header without end", webhook.ErrorReset, says(ok+"X-A: ", flood("x"))},
	{"dripping headers", webhook.ErrorTimeout, says(ok, drip("X-A: b\r\n"))},
	{"a dripping body", webhook.ErrorTimeout, says(long, drip("x"))},
	{"dripping chunks", webhook.ErrorTimeout, says(chunked, drip("1\r\nx\r\n"))},
	{"a body without end", "", says(long, flood("x"))},
	{"chunks without end", "", says(chunked, flood("1\r\nx\r\n"))},
	{"a chunk's extension without end", webhook.ErrorReset, says(chunked+"1;x=", flood("x"))},
	{"trailers without end", webhook.ErrorReset, says(chunked+"0\r\n", flood("X-A: b\r\n"))},
	{"dripping trailers", webhook.ErrorTimeout, says(chunked+"0\r\n", drip("X-A: b\r\n"))},
	{"a body that began, then silence", webhook.ErrorTimeout, says(long+"x", stay)},
	{"half-closed within headers", webhook.ErrorReset, says(ok+"X-A", halfClose)},
	{"half-closed within the body", webhook.ErrorReset, says(long+"x", halfClose)},
	{"half-closed at once", webhook.ErrorReset, says("", halfClose)},
	{"reset within the body", webhook.ErrorReset, says(long+"x", reset)},
	{"a length beyond all numbers", webhook.ErrorReset, says(ok+"Content-Length: 99999999999999999999\r\n\r\n", stay)},
	{"two lengths", webhook.ErrorReset, says(ok+"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", flood("x"))},
	{"a bomb", "", says(ok+"Content-Encoding: gzip\r\nConnection: close\r\n\r\n"+bomb(), hangUp)},
	{"answers that nobody asked for", "", says("HTTP/1.1 204 No Content\r\n\r\n", flood("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))},
	{"mail", webhook.ErrorReset, says("220 mail.example ESMTP\r\n", stay)},
	{"noughts", webhook.ErrorReset, says("", flood("\x00"))},
	{"redirects without end", webhook.ErrorStatus, says("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", stay)},
}

// says reads the beginning of a request, and answers with a text before it goes
// on to do something else.
func says(text string, then func(net.Conn)) func(net.Conn) {
	return func(c net.Conn) {
		c.Read(make([]byte, 4096))
		io.WriteString(c, text)
		then(c)
	}
}

func stay(c net.Conn) { io.Copy(io.Discard, c) }

func hangUp(net.Conn) {}

// flood repeats a text as fast as it is taken.
func flood(text string) func(net.Conn) {
	return func(c net.Conn) {
		for much := []byte(strings.Repeat(text, 1+(16<<10)/len(text))); ; {
			if _, err := c.Write(much); err != nil {
				return
			}
		}
	}
}

// drip repeats a text now and then.
func drip(text string) func(net.Conn) {
	return func(c net.Conn) {
		for {
			if _, err := io.WriteString(c, text); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func halfClose(c net.Conn) {
	c.(interface{ CloseWrite() error }).CloseWrite()
	stay(c)
}

func reset(c net.Conn) {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	c.(*net.TCPConn).SetLinger(0)
	c.Close()
}

// bomb is 60 MB of nothing in 60 KB.
func bomb() string {
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	nothing := make([]byte, 1<<20)
	for range 60 {
		w.Write(nothing)
	}
	w.Close()
	return packed.String()
}

// Friendly is a server that says yes.
func Friendly(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
	t.Cleanup(func() { s.Close() })
	go s.Serve(listener)
	return "http://" + listener.Addr().String()
}
