package egress

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
)

// errSent stands for an HTTP/2 request that the server aborted.
var errSent = errors.New("the server aborted a request that was already sent")

// shot watches one request on its way.
type shot struct {
	mu   sync.Mutex
	conn io.Closer // the connection that the request was last given
	sent bool      // its headers were written there
}

// once returns a copy of req that net/http has no means to send twice.
func once(req *http.Request) *http.Request {
	s := &shot{}
	copied := req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotConn:      s.gotConn,
		WroteHeaders: s.wroteHeaders,
	}))
	copied.Header = unmarked(req.Header)
	if bodiless[req.Method] && (req.Body == nil || req.Body == http.NoBody) {
		// What has no body at all is sent again without a question.
		copied.Body, _ = noBody()
		copied.GetBody, copied.ContentLength = noBody, 0
	}
	switch {
	case idempotent[req.Method]:
		copied.GetBody = nil // without it a body, even an empty one, cannot be sent again
	case copied.GetBody != nil:
		copied.GetBody = s.guard(copied.GetBody)
	}
	return copied
}

func noBody() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("")), nil }

// bodiless holds the methods for which net/http looks into a body of unknown
// length, and sends none if it is empty.
var bodiless = map[string]bool{"": true, "GET": true, "HEAD": true, "DELETE": true, "OPTIONS": true}

// idempotent holds the methods that net/http takes for leave to send again.
var idempotent = map[string]bool{"": true, "GET": true, "HEAD": true, "OPTIONS": true, "TRACE": true}

// marks are the headers that net/http takes for leave to send again, spelled as
// it looks for them. In lower case it does not see them; on the wire they are
// the same.
var marks = []string{"Idempotency-Key", "X-Idempotency-Key"}

// unmarked returns header with its marks in lower case, copied if it has any. A
// mark takes the place of the lower-case header of the same name: the caller
// puts ours there, and a subscriber's own under the canonical name.
func unmarked(header http.Header) http.Header {
	for _, mark := range marks {
		values, ok := header[mark]
		if !ok {
			continue
		}
		header = header.Clone()
		delete(header, mark)
		header[strings.ToLower(mark)] = values
	}
	return header
}

func (s *shot) gotConn(info httptrace.GotConnInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn, s.sent = info.Conn, false
	allowMore(info.Conn)
}

func (s *shot) wroteHeaders() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = true
}

// guard makes getBody fail once the request went out over HTTP/2. Over HTTP/1.1
// headers pass through a buffer first, so "sent" would say too much there; but
// there net/http asks for a body again only when nothing was written.
func (s *shot) guard(getBody func() (io.ReadCloser, error)) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		conn, ok := s.conn.(*tls.Conn)
		if s.sent && ok && conn.ConnectionState().NegotiatedProtocol == "h2" {
			return nil, errSent
		}
		return getBody()
	}
}
