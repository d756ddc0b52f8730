package egress

import (
	"crypto/tls"
	"net/http"
	"sync"

	"github.com/postino/postino/shared/language/weighed"
)

// Bounds of what a [Pool] keeps: all of it leaves a Lambda function some of its
// 1,024 files.
const (
	maxPrivate         = 64 // transports
	maxPrivateIdle     = 2  // connections of each, of https and of http
	maxPrivateSessions = 64 // TLS sessions of each
	maxOwned           = 16 // transports of one tenant, when others want the rest
)

// privateWeight is what one takes at most, in bytes: certificates of 16 KiB as
// text, sessions, and buffers of its idle connections.
const privateWeight = 1 << 20

// Pool keeps a client for each set of certificates that subscribers bring. What
// has different names shares neither connections nor TLS sessions. Of more than
// 64 the one that was not used for longest is dropped, first of a tenant that has
// more than 16, and its connections are closed as soon as they serve nothing. It is
// safe for concurrent use.
type Pool struct {
	guard *Guard
	mu    sync.Mutex
	kept  *weighed.Cache[string, *private]
}

type private struct {
	*Transport
	client *http.Client
}

// NewPool makes an empty pool, all of whose clients obey the guard.
func NewPool(guard *Guard) *Pool {
	kept := weighed.New[string](maxPrivate*privateWeight, maxOwned*privateWeight, (*private).drop)
	return &Pool{guard: guard, kept: kept}
}

func (p *private) drop() { p.CloseIdleConnections() }

// Client returns the client of a name, and makes it for a tenant if there is none.
// The name must stand for what config returns, completely.
func (p *Pool) Client(tenant, name string, config func() *tls.Config) *http.Client {
	p.mu.Lock()
	defer p.mu.Unlock()
	if one, ok := p.kept.Get(name); ok {
		return one.client
	}
	t := newTransport(p.guard, config(), maxPrivateIdle, maxPrivateIdle, maxPrivateSessions)
	one := &private{t, NewClient(t)}
	p.kept.Put(tenant, name, one, privateWeight-weighed.Overhead)
	return one.client
}
