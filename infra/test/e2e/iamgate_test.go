package e2e

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"sort"
	"strings"
	"sync"
	"testing"
)

// iamGate stands between each function and AWS. It lets through what the role of
// the function allows in template.yaml, and answers all else as IAM does. The
// address of a service, for a function, is /FUNCTION/SERVICE.
type iamGate struct {
	rights  map[string]*rights // by function
	servers map[string]string  // by service
	mu      sync.Mutex
	refused map[string]bool // what was asked for in vain
	server  *httptest.Server
}

func newIAMGate(t *testing.T, rights map[string]*rights, servers map[string]string) *iamGate {
	g := &iamGate{rights: rights, servers: servers, refused: map[string]bool{}}
	g.server = httptest.NewServer(g)
	t.Cleanup(g.server.Close)
	return g
}

// endpoints are the variables by which the SDK of a function finds AWS.
func (g *iamGate) endpoints(function string) (env []string) {
	for service := range g.servers {
		env = append(env, "AWS_ENDPOINT_URL_"+service+"="+g.server.URL+"/"+function+"/"+service)
	}
	return env
}

// ServeHTTP judges one call, and sends it on.
func (g *iamGate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	function, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	service, _, _ := strings.Cut(rest, "/")
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	list, err := askedFor(r.Header.Get("X-Amz-Target"), body)
	if err != nil || len(list) == 0 {
		http.Error(w, fmt.Sprintf("%s: %v", r.Header.Get("X-Amz-Target"), err), http.StatusNotImplemented)
		return
	}
	for _, one := range list {
		if !g.rights[function].allow(one) {
			g.note(function, one)
			denied(w, function, one)
			return
		}
	}
	r.URL.Path = "/"
	answer, status, header, err := forward(r, g.servers[service], body)
	if err != nil { // as a server that cannot be reached: no answer at all
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), header)
	w.WriteHeader(status)
	io.Copy(w, bytes.NewReader(answer))
}

func (g *iamGate) note(function string, r asked) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refused[strings.TrimSpace(function+" may not "+r.action+" on "+r.resource+" "+strings.Join(r.leading, ", "))] = true
}

// denials lists what functions asked for in vain.
func (g *iamGate) denials() (list []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for d := range g.refused {
		list = append(list, d)
	}
	sort.Strings(list)
	return list
}
