package egress

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
)

// direct makes requests over plain HTTP/1.1. The goroutine that asks writes the
// request and reads the answer itself. net/http has two more goroutines for each
// connection, and passes each request from one to the other: twice the processor
// time. It writes a request once, and moves it to another connection only if none
// of it was written.
//
// What is not as simple as a callback, such as a body of unknown length, is left
// to net/http.
type direct struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	kept *kept
	rest *http.Transport
}

func newDirect(dial func(context.Context, string, string) (net.Conn, error), idle int) *direct {
	rest := newHTTP(dial, nil, 0)
	rest.DisableKeepAlives = true
	return &direct{dial: dial, kept: newKept(idle, idleTimeout), rest: rest}
}

// RoundTrip sends req once; see [Transport].
func (d *direct) RoundTrip(req *http.Request) (*http.Response, error) {
	if !simple(req) {
		resp, err := d.rest.RoundTrip(once(req))
		if resp != nil {
			resp.Request = req
		}
		return resp, err
	}
	address := req.URL.Host
	if req.URL.Port() == "" {
		address = net.JoinHostPort(req.URL.Hostname(), "80")
	}
	for {
		c, used, err := d.connection(req.Context(), address)
		if err != nil {
			if req.Body != nil {
				req.Body.Close()
			}
			return nil, err
		}
		resp, err := c.ask(req, used)
		if !errors.Is(err, errUnwritten) {
			return resp, err
		}
		if err := rewind(req); err != nil {
			return nil, err
		}
	}
}

// simple reports whether direct makes the request itself.
func simple(req *http.Request) bool {
	empty := req.Body == nil || req.Body == http.NoBody
	if req.Close || len(req.TransferEncoding)+len(req.Trailer) > 0 || empty != (req.ContentLength == 0) || !empty && req.GetBody == nil {
		return false
	}
	for _, mark := range marks { // one takes the place of the other
		if req.Header[mark] != nil && req.Header[strings.ToLower(mark)] != nil {
			return false
		}
	}
	for name, values := range req.Header {
		if ofConnection[name] || len(values) != 1 || !isText(values[0]) || !isPlainName(name) {
			return false
		}
	}
	return isText(req.URL.Host)
}

// ofConnection are headers that ask something of the connection.
var ofConnection = map[string]bool{
	"Connection": true, "Expect": true, "Upgrade": true, "Te": true, "Trailer": true, "Transfer-Encoding": true, "Content-Length": true,
	"Keep-Alive": true, "Proxy-Connection": true,
}

// isPlainName reports whether a header's name has nothing but letters, digits and
// hyphens.
func isPlainName(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') && s[i] != '-' {
			return false
		}
	}
	return s != ""
}

// isText reports whether s is printable ASCII.
func isText(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// connection returns a kept connection, or a new one.
func (d *direct) connection(ctx context.Context, address string) (c *connection, used bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	if c := d.kept.take(address); c != nil {
		return c, true, nil
	}
	conn, err := d.dial(ctx, "tcp", address)
	if err != nil {
		return nil, false, err
	}
	return newConnection(conn, address, d.kept), false, nil
}

// rewind lets a request be written of which nothing was.
func rewind(req *http.Request) (err error) {
	if req.GetBody != nil {
		req.Body, err = req.GetBody()
	}
	return err
}
