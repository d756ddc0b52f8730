package egress

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"syscall"
	"time"
)

const (
	dialTimeout      = 5 * time.Second  // DNS included, each of a host's addresses too
	handshakeTimeout = 5 * time.Second  // TLS, after dialling
	resolverTimeout  = 2 * time.Second  // to reach the DNS server over TCP
	idleTimeout      = 55 * time.Second // most servers and balancers hang up after 60
	pingAfter        = 15 * time.Second // of silence on HTTP/2: a frozen function wakes to dead connections
	pingTimeout      = 5 * time.Second
	maxIdle          = 512      // connections kept of https, and as many of http
	functionSecure   = 320      // those of https in a Lambda function, which may open 1,024 files
	functionPlain    = 64       // and of http, which only private networks get
	maxSessions      = 1024     // TLS sessions kept, some KiB each
	maxHeader        = 64 << 10 // bytes of answer headers
	maxStreamWindow  = 64 << 10 // bytes an HTTP/2 server may send ahead of us
)

// Transport posts to where its guard lets it, over http and https, HTTP/1.1
// and HTTP/2. It ignores proxies in the environment, follows nothing, asks for
// no compression, reads at most 64 KiB of headers, hangs up on a server that sends
// more than its answers may be long, and keeps connections and TLS
// sessions: a kept connection costs a request nothing, a new one a millisecond of
// processor time. The time from dialling to the answer's last byte is bounded by
// the request's context alone, the caller's to set.
//
// Each RoundTrip puts its request on the wire at most once. net/http by itself
// sends again what looks idempotent (by its method, or a header named
// Idempotency-Key) when a kept connection breaks, even after the server has
// read it, and HTTP/2 when the server aborts the stream. Here such a request
// ends in an error of class "reset", for the schedule to deal with. It is moved
// to another connection only while nothing of it was written; that needs
// http.Request.GetBody, which http.NewRequest sets, and a method other than GET,
// HEAD and OPTIONS. One exception remains: a POST, PUT or PATCH with an empty
// body over HTTP/2 is sent again if the server aborts it.
type Transport struct {
	secure *http.Transport
	plain  *direct
}

// NewTransport makes a Transport. config may hold certificates and authorities
// and is not changed; nil means the system's authorities and no certificate.
// Transports with different configurations share neither connections nor
// TLS sessions.
func NewTransport(guard *Guard, config *tls.Config) *Transport {
	return newTransport(guard, config, maxIdle, maxIdle, maxSessions)
}

// NewFunctionTransport makes a Transport that keeps so few connections that a
// Lambda function has files left for all else.
func NewFunctionTransport(guard *Guard) *Transport {
	return newTransport(guard, nil, functionSecure, functionPlain, maxSessions)
}

func newTransport(guard *Guard, config *tls.Config, secure, plain, sessions int) *Transport {
	if config == nil {
		config = &tls.Config{}
	}
	config = config.Clone()
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	config.ClientSessionCache = tls.NewLRUClientSessionCache(sessions)
	return &Transport{
		secure: newHTTP(guard.dialer(true), config, secure),
		plain:  newDirect(guard.dialer(false), plain),
	}
}

func newHTTP(dial func(context.Context, string, string) (net.Conn, error), config *tls.Config, idle int) *http.Transport {
	return &http.Transport{
		DialContext:            dial,
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    handshakeTimeout,
		ForceAttemptHTTP2:      true, // which an own dialer would turn off
		DisableCompression:     true, // nothing to unpack, nothing that swells
		MaxIdleConns:           idle,
		MaxIdleConnsPerHost:    idle,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeader,
		HTTP2: &http.HTTP2Config{
			MaxReceiveBufferPerStream: maxStreamWindow,
			SendPingTimeout:           pingAfter,
			PingTimeout:               pingTimeout,
		},
	}
}

// RoundTrip sends req once; see [Transport].
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL != nil && req.URL.Scheme == "http" {
		return t.plain.RoundTrip(req)
	}
	resp, err := t.secure.RoundTrip(once(req))
	if resp != nil {
		resp.Request = req
	}
	return resp, err
}

// CloseIdleConnections closes the connections that serve no request now.
func (t *Transport) CloseIdleConnections() {
	t.secure.CloseIdleConnections()
	t.plain.kept.close(0)
}

// NewClient makes a client that sends through t and hands every answer back as
// it is: it follows no redirect and keeps no cookie.
func NewClient(t *Transport) *http.Client {
	return &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// dialer judges the host as the URL has it, and then each address it stands for.
func (g *Guard) dialer(secure bool) func(context.Context, string, string) (net.Conn, error) {
	dialer := &net.Dialer{
		Timeout:  dialTimeout,
		Resolver: g.resolver(),
		Control: func(network, address string, _ syscall.RawConn) error {
			return g.control(network, address, secure)
		},
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if err := g.checkDial(address, secure); err != nil {
			return nil, err
		}
		c, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return newMetered(c), nil
	}
}

// resolver asks ResolverAddress instead of the servers the system names; nil
// means the system's own resolver.
func (g *Guard) resolver() *net.Resolver {
	if g.ResolverAddress == "" {
		return nil
	}
	dialer := &net.Dialer{Timeout: resolverTimeout}
	return &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, g.ResolverAddress)
		},
	}
}
