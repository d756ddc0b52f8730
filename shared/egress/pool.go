package egress

import (
	"crypto/tls"
	"net/http"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"sync"
)

// Bounds of what a [Pool] keeps: all of it leaves a Lambda function some of its
// 1,024 files.
const (
	maxPrivate         = 64 // transports
	maxPrivateIdle     = 6  // connections of each
	maxPrivateSessions = 64 // TLS sessions of each
)

// Pool keeps a client for each set of certificates that subscribers bring. What
// has different names shares neither connections nor TLS sessions. Of more than
// 64 the one that was not used for longest is dropped, and its connections are
// closed as soon as they serve nothing. It is safe for concurrent use.
type Pool struct {
	guard *Guard
	mu    sync.Mutex
	kept  *simplelru.LRU[string, *private]
}

type private struct {
	*Transport
	client *http.Client
}

// NewPool makes an empty pool, all of whose clients obey the guard.
func NewPool(guard *Guard) *Pool {
	kept, err := simplelru.NewLRU(maxPrivate, func(_ string, p *private) { p.CloseIdleConnections() })
	if err != nil {
		panic(err) // the size is a positive constant
	}
	return &Pool{guard: guard, kept: kept}
}

// Client returns the client of a name, and makes it if there is none. The name
// must stand for what config returns, completely.
func (p *Pool) Client(name string, config func() *tls.Config) *http.Client {
	p.mu.Lock()
	defer p.mu.Unlock()
	if one, ok := p.kept.Get(name); ok {
		return one.client
	}
	t := newTransport(p.guard, config(), maxPrivateIdle, maxPrivateSessions)
	one := &private{t, NewClient(t)}
	p.kept.Add(name, one)
	return one.client
}
