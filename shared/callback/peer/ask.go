// Package peer sends requests to other servers, such as subscribers and token
// endpoints, and reads their answers. No other code calls an HTTP client or
// reads an answer's body, so one place limits the time and the bytes of every
// read.
//
// What the way out itself bounds, such as headers, lies in package egress.
package peer

import (
	"context"
	"io"
	"net/http"
	"time"
)

// Longest is how long a request may take whose context has no deadline, or a
// later one: more than any attempt may.
const Longest = 30 * time.Second

// Doer makes requests; see egress for the client that belongs here.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// Answer is what a server said. The zero Answer is none.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	More   bool // the body went on after what was read
}

// Ask sends req, reads up to most bytes of the answer's body, and lets go of
// the connection. It ends when req's deadline passes, after [Longest] at most:
// then, and whenever an answer breaks off, it returns what had come of it beside
// the error.
//
// 101 ends at once with no body read. Nobody asked for another protocol, and to
// net/http such a connection is the caller's own, which no deadline ends.
func Ask(client Doer, req *http.Request, most int) (Answer, error) {
	ctx := req.Context()
	if at, ok := ctx.Deadline(); !ok || time.Until(at) > Longest {
		bounded, cancel := context.WithTimeout(ctx, Longest)
		defer cancel()
		ctx, req = bounded, req.WithContext(bounded)
	}
	resp, err := client.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close()
	a := Answer{Status: resp.StatusCode, Header: resp.Header}
	if resp.StatusCode == http.StatusSwitchingProtocols || resp.Body == http.NoBody {
		return a, nil
	}
	// A body need not look at the context by itself.
	defer context.AfterFunc(ctx, func() { resp.Body.Close() })()
	a.Body, err = io.ReadAll(io.LimitReader(resp.Body, int64(most)+1))
	if len(a.Body) > most {
		a.Body, a.More = a.Body[:most], true
		return a, nil // it is not our affair how the rest breaks
	}
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return a, err
}
