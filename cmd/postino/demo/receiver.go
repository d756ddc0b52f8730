package demo

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// callback is one that arrived with a good signature.
type callback struct{ path, id, kind, attempt, body string }

// receiver is a subscriber as one would write it: it believes nothing before
// it has verified it.
type receiver struct {
	url       string
	server    *http.Server
	callbacks chan callback

	mu        sync.Mutex
	verifiers map[string]*standardwebhooks.Webhook // by path
}

func listen() (*receiver, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{
		url:       "http://" + l.Addr().String(),
		callbacks: make(chan callback, 100),
		verifiers: map[string]*standardwebhooks.Webhook{},
	}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second}
	go r.server.Serve(l)
	return r, nil
}

func (r *receiver) close() { r.server.Close() }

// trust makes the receiver verify what comes to a path with its secret.
func (r *receiver) trust(path, secret string) error {
	v, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.verifiers[path] = v
	return nil
}

// ServeHTTP verifies a callback and accepts it.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	path := strings.TrimPrefix(req.URL.Path, "/")
	r.mu.Lock()
	v := r.verifiers[path]
	r.mu.Unlock()
	if v == nil {
		http.NotFound(w, req)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxAnswer))
	if err == nil {
		err = v.Verify(body, req.Header)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	w.WriteHeader(http.StatusNoContent)
	r.callbacks <- callback{path, req.Header.Get("webhook-id"), typeOf(body), req.Header.Get("postino-attempt"), string(body)}
}

// typeOf reads the event's type, which both formats carry under the same name;
// a body of the owner's own making need not have it.
func typeOf(body []byte) string {
	var event struct{ Type string }
	if json.Unmarshal(body, &event) != nil || event.Type == "" {
		return "own body"
	}
	return event.Type
}
