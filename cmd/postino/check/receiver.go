package check

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// maxBody is more bytes than any callback of the check has.
const maxBody = 1 << 20

// receiver plays the subscribers. Each path is one.
type receiver struct {
	address string // by which the installation reaches it; "" if what it gets is pulled

	mu       sync.Mutex
	secrets  map[string]string
	failing  map[string]bool // paths that answer 500
	arrived  map[string][]callback
	broken   error // why nothing is pulled any more
	requests int   // of pulls
}

// callback is one that arrived.
type callback struct {
	id, agent string
	at        time.Time
	err       error // why it is not genuine
}

// listen starts the receiver. If the installation cannot reach one, what it gets is
// pulled.
func (c *Check) listen() (stop func(), err error) {
	address := c.Receiver
	if to, err := url.Parse(c.Endpoint); address == "" && err == nil && local(to.Hostname()) {
		address = "http://" + c.Listen
	}
	c.receiver = &receiver{secrets: map[string]string{}, failing: map[string]bool{}, arrived: map[string][]callback{}}
	if address == "" || c.Pull {
		return func() {}, nil
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, err
	}
	if c.Receiver == "" {
		address = "http://" + listener.Addr().String()
	}
	c.receiver.address = address
	server := &http.Server{Handler: c.receiver, ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(listener)
	return func() { server.Shutdown(context.Background()) }, nil
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// ServeHTTP keeps a callback, and answers.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(io.LimitReader(req.Body, maxBody))
	if err != nil {
		return
	}
	if !r.take(req.URL.Path[1:], req.Header, body) {
		w.WriteHeader(http.StatusInternalServerError)
	}
}

// take keeps a callback, and reports whether its subscriber is content with it.
func (r *receiver) take(name string, header http.Header, body []byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	verifier, err := standardwebhooks.NewWebhook(r.secrets[name])
	if err == nil {
		err = verifier.Verify(body, header)
	}
	r.arrived[name] = append(r.arrived[name], callback{header.Get("webhook-id"), header.Get("User-Agent"), time.Now(), err})
	return !r.failing[name]
}

// trust gives a subscriber its secret.
func (r *receiver) trust(name, secret string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secrets[name] = secret
}

// fail makes a subscriber answer 500, or no more.
func (r *receiver) fail(name string, fails bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failing[name] = fails
}

// got returns what a subscriber has got, and why it gets no more.
func (r *receiver) got(name string) ([]callback, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]callback(nil), r.arrived[name]...), r.broken
}

// count is how many callbacks have come, and how many requests that took.
func (r *receiver) count() (n, requests int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, of := range r.arrived {
		n += len(of)
	}
	return n, r.requests
}
