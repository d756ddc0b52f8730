package egress

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"sync"
	"time"
)

// connection is one to a server. One request at a time uses it.
type connection struct {
	net.Conn
	address string
	kept    *kept
	sign    *sign            // nil if it gives none
	limited io.LimitedReader // of Conn: headers are bounded
	answer  *bufio.Reader    // of limited
	since   time.Time        // when it was last given back
}

func newConnection(conn net.Conn, address string, kept *kept) *connection {
	c := &connection{Conn: conn, address: address, kept: kept, sign: signOf(conn)}
	c.limited.R = conn
	c.answer = bufio.NewReader(&c.limited)
	return c
}

var (
	// errUnwritten says that a kept connection took nothing of a request.
	errUnwritten = errors.New("nothing of the request was written")
	errHeaders   = fmt.Errorf("server response headers exceeded %d bytes", maxHeader)
)

// past is a deadline that ends every read and write.
var past = time.Unix(1, 0)

// ask writes the request and reads the answer. When the request's context ends,
// so do both. Used says that the connection was kept.
func (c *connection) ask(req *http.Request, used bool) (*http.Response, error) {
	ctx := req.Context()
	allowMore(c.Conn)
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(past) })
	resp, err := c.exchange(req, used)
	if err != nil {
		stop()
		_ = c.Close()
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, err
	}
	b := &body{from: resp.Body, conn: c, ctx: ctx, stop: stop}
	b.reusable = !resp.Close && resp.StatusCode != http.StatusSwitchingProtocols
	if resp.Body == http.NoBody {
		b.end(true)
		return resp, nil
	}
	resp.Body = b
	return resp, nil
}

// Sizes of requests.
const (
	small       = 16 << 10 // the body of one that a socket takes at once
	writeBuffer = 8 << 10
	// After the answer to a larger one so much time is left to have written it.
	lateWrite = 50 * time.Millisecond
)

// exchange writes the request, and reads the answer up to its body. An answer may
// come before the server has read the whole request.
func (c *connection) exchange(req *http.Request, used bool) (*http.Response, error) {
	if req.ContentLength <= small {
		if written, err := c.write(req); err != nil {
			if used && written == 0 && req.Context().Err() == nil {
				return nil, errUnwritten
			}
			return nil, err
		}
		return c.read(req)
	}
	wrote := make(chan error, 1)
	go func() {
		_, err := c.write(req)
		wrote <- err
	}()
	resp, err := c.read(req)
	if err != nil {
		return nil, err
	}
	select {
	case err := <-wrote:
		resp.Close = resp.Close || err != nil
	case <-time.After(lateWrite):
		resp.Close = true
	}
	return resp, nil
}

// writers are buffers for requests.
var writers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, writeBuffer) }}

// write writes the request and returns how many bytes of it the connection took.
func (c *connection) write(req *http.Request) (written int, err error) {
	to := &counted{to: c.Conn}
	w := writers.Get().(*bufio.Writer)
	w.Reset(to)
	if err = req.Write(w); err == nil {
		err = w.Flush()
	}
	w.Reset(nil)
	writers.Put(w)
	return to.n, err
}

// counted counts what is written.
type counted struct {
	to io.Writer
	n  int
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.to.Write(b)
	c.n += n
	return n, err
}

// read reads the answer up to its body, and answers with a status of 1xx before it.
func (c *connection) read(req *http.Request) (*http.Response, error) {
	c.limited.N = maxHeader
	for {
		if _, err := c.answer.Peek(1); err != nil {
			return nil, err
		}
		resp, err := http.ReadResponse(c.answer, req)
		if err != nil && c.limited.N <= 0 {
			return nil, errHeaders
		}
		if err != nil {
			return nil, err
		}
		if resp.StatusCode >= http.StatusOK || resp.StatusCode == http.StatusSwitchingProtocols {
			c.limited.N = math.MaxInt64
			return resp, nil
		}
	}
}
