package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// answerTime bounds one exchange with the server.
const answerTime = 30 * time.Second

// connection is one kept HTTP/1.1 connection that posts prepared requests: the
// least that a publisher can cost the machine which it measures.
type connection struct {
	address string
	conn    net.Conn
	read    *bufio.Reader
	write   []byte
}

// post sends one request, prepared but for its body, and returns the status.
func (c *connection) post(head string, body []byte) (status int, err error) {
	if c.conn == nil {
		if c.conn, err = net.DialTimeout("tcp", c.address, answerTime); err != nil {
			return 0, err
		}
		c.read = bufio.NewReader(c.conn)
	}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	c.conn.SetDeadline(time.Now().Add(answerTime))
	c.write = fmt.Appendf(c.write[:0], "%sContent-Length: %d\r\n\r\n", head, len(body))
	c.write = append(c.write, body...)
	if _, err := c.conn.Write(c.write); err != nil {
		return 0, err
	}
	resp, err := http.ReadResponse(c.read, nil)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	if err == nil && resp.Close {
		c.close()
	}
	return resp.StatusCode, err
}

func (c *connection) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}
