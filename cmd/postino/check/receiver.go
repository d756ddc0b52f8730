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
	address string // by which the installation reaches it

	mu      sync.Mutex
	secrets map[string]string
	failing map[string]bool // paths that answer 500
	arrived map[string][]callback
}

// callback is one that arrived.
type callback struct {
	id, agent string
	at        time.Time
	err       error // why it is not genuine
}

// listen starts the receiver if the installation can reach one.
func (c *Check) listen() (stop func(), err error) {
	address := c.Receiver
	if to, err := url.Parse(c.Endpoint); address == "" && err == nil && local(to.Hostname()) {
		address = "http://" + c.Listen
	}
	if address == "" {
		return func() {}, nil
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, err
	}
	if c.Receiver == "" {
		address = "http://" + listener.Addr().String()
	}
	c.receiver = &receiver{address: address, secrets: map[string]string{}, failing: map[string]bool{}, arrived: map[string][]callback{}}
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
	r.mu.Lock()
	defer r.mu.Unlock()
	name := req.URL.Path[1:]
	if verifier, bad := standardwebhooks.NewWebhook(r.secrets[name]); bad != nil {
		err = bad
	} else {
		err = verifier.Verify(body, req.Header)
	}
	r.arrived[name] = append(r.arrived[name], callback{req.Header.Get("webhook-id"), req.UserAgent(), time.Now(), err})
	if r.failing[name] {
		w.WriteHeader(http.StatusInternalServerError)
	}
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

// got returns what a subscriber has got.
func (r *receiver) got(name string) []callback {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]callback(nil), r.arrived[name]...)
}

// count is how many callbacks have come.
func (r *receiver) count() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, of := range r.arrived {
		n += len(of)
	}
	return n
}
