package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/shared/callback/egress/egresstest"
	"github.com/postino/postino/verify"
)

// callback is one that arrived.
type callback struct {
	path    string
	target  string // the path with its query, as it was sent
	headers http.Header
	body    string
	trusted int // secrets that its path had when it came
}

func (c callback) id() string { return c.headers.Get("webhook-id") }

// receiver plays the subscribers: it answers on each path as told, and keeps
// what it got.
type receiver struct {
	*httptest.Server
	secure    *httptest.Server  // the same by https
	names     map[string]string // what stories need to reach it so
	mu        sync.Mutex
	answers   map[string][]answer
	secrets   map[string][]string // by path, oldest first
	callbacks map[string][]callback
	others    []string // paths of requests that are no callbacks
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{answers: map[string][]answer{}, secrets: map[string][]string{}, callbacks: map[string][]callback{}}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	authority := egresstest.New(t, "authority of the stories")
	r.secure = authority.Serve(r, true).Server
	certificate, key := authority.Client("postino", egresstest.Life)
	r.names = map[string]string{"receiver": r.URL, "secure": r.secure.URL}
	for name, text := range map[string]string{"authority": authority.PEM(), "certificate": certificate, "private_key": key} {
		r.names[name] = strings.ReplaceAll(text, "\n", `\n`) // as it stands in JSON
	}
	return r
}

// ServeHTTP keeps a callback, and answers.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // a sender that was killed
	}
	path := req.URL.Path
	if req.TLS != nil {
		req.Header.Set("tls-client", egresstest.Name(req))
	}
	a := r.keep(callback{path: path, target: req.RequestURI, headers: req.Header.Clone(), body: string(body)})
	select {
	case <-time.After(time.Duration(a.Delay)):
	case <-req.Context().Done(): // nobody waits for the answer
	}
	for name, value := range a.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(a.Status)
	w.Write(a.Body)
}

func (r *receiver) keep(c callback) answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.callbacks[c.path])
	c.trusted = len(r.secrets[c.path])
	r.callbacks[c.path] = append(r.callbacks[c.path], c)
	list := r.answersOf(c.path)
	if len(list) == 0 {
		return answer{Status: http.StatusNoContent}
	}
	return list[min(n, len(list)-1)]
}

// answersOf finds the answers for a path, or for its parent with a star.
func (r *receiver) answersOf(path string) []answer {
	if list, ok := r.answers[path]; ok {
		return list
	}
	return r.answers[path[:strings.LastIndexByte(path, '/')+1]+"*"]
}

// answer makes paths answer otherwise, counting from their next callback.
func (r *receiver) answer(answers map[string][]answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for path, list := range answers {
		r.answers[path] = slices.Concat(make([]answer, len(r.callbacks[path])), list)
	}
}

// trust makes a path verify with one more secret from now on.
func (r *receiver) trust(path, secret string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.secrets[path], secret) {
		r.secrets[path] = append(r.secrets[path], secret)
	}
}

// at returns what came to a path, or to all paths that a star stands for.
func (r *receiver) at(path string) (all []callback) {
	r.mu.Lock()
	defer r.mu.Unlock()
	parent, star := strings.CutSuffix(path, "*")
	for p, list := range r.callbacks {
		if p == path || star && strings.HasPrefix(p, parent) {
			all = append(all, list...)
		}
	}
	return all
}

// forged tells of a callback that one of the secrets does not verify which its
// path had when it came; "" if all do.
func (r *receiver) forged() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for path, list := range r.callbacks {
		if slices.Contains(r.others, path) {
			continue
		}
		if len(r.secrets[path]) == 0 {
			return fmt.Sprintf("%s got callbacks, but the story names no secret for it", path)
		}
		for i, c := range list {
			for n, secret := range r.secrets[path][:max(1, c.trusted)] { // the first may be known a moment later
				v, err := verify.New(secret)
				if err == nil {
					err = v.Verify(c.headers, []byte(c.body))
				}
				if err != nil {
					return fmt.Sprintf("%s: callback %d does not verify with secret %d: %v", path, i+1, n+1, err)
				}
			}
		}
	}
	return ""
}
