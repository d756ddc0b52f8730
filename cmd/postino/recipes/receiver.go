package recipes

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// arrival is a request that arrived, verified.
type arrival struct {
	subscription string // whose secret verified it
	method       string
	url          string // as the subscription means it
	header       http.Header
	body         string
}

// receiver plays all the receivers of a recipe. The real host is the first
// part of the path.
type receiver struct {
	origin string // http://host:port
	server *http.Server

	mu        sync.Mutex
	verifiers map[string]*standardwebhooks.Webhook // by subscription
	answers   map[string][]int                     // those not given yet, by url without query
	bodies    map[string]json.RawMessage           // of answers, by url without query
	arrivals  []arrival                            // not looked at yet
	forged    error                                // the first that was not verified
}

const maxBody = 1 << 20

func receive(answers map[string][]int, bodies map[string]json.RawMessage) (*receiver, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{origin: "http://" + l.Addr().String(), verifiers: map[string]*standardwebhooks.Webhook{}, answers: map[string][]int{}, bodies: bodies}
	for url, statuses := range answers {
		r.answers[url] = statuses
	}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second}
	go r.server.Serve(l)
	return r, nil
}

func (r *receiver) close() { r.server.Close() }

const https = "https://"

// redirected is where the receiver plays the host of a url.
func (r *receiver) redirected(url string) string {
	return r.origin + "/" + strings.TrimPrefix(url, https)
}

// trust makes the receiver verify what a subscription signs.
func (r *receiver) trust(subscription, secret string) error {
	v, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.verifiers[subscription] = v
	return nil
}

// ServeHTTP verifies a request, notes it, and answers as the recipe says.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a := arrival{
		method: req.Method, url: https + strings.TrimPrefix(req.URL.RequestURI(), "/"),
		header: req.Header, body: string(body),
	}
	status := r.note(a)
	if body := r.bodies[a.place()]; body != nil {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		w.Write(body)
		return
	}
	w.WriteHeader(status)
}

// place is the url without query.
func (a arrival) place() string {
	place, _, _ := strings.Cut(a.url, "?")
	return place
}

// note returns the status to answer with.
func (r *receiver) note(a arrival) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, v := range r.verifiers {
		if v.Verify([]byte(a.body), a.header) == nil {
			a.subscription = id
		}
	}
	if a.subscription == "" {
		if r.forged == nil {
			r.forged = fmt.Errorf("%s %s: no secret verifies it", a.method, a.url)
		}
		return http.StatusUnauthorized
	}
	r.arrivals = append(r.arrivals, a)
	place := a.place()
	statuses := r.answers[place]
	if len(statuses) == 0 {
		return http.StatusOK
	}
	if len(statuses) > 1 {
		r.answers[place] = statuses[1:]
	}
	return statuses[0]
}

// take returns what has arrived since it was last called.
func (r *receiver) take() ([]arrival, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.arrivals
	r.arrivals = nil
	return taken, r.forged
}
