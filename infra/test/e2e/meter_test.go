package e2e

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// meter stands between the functions and AWS and counts what is paid for, as
// the lines of package bill name it.
type meter struct {
	mu    sync.Mutex
	used  map[string]float64
	calls map[string]int // by operation, also those that cost nothing
}

func newMeter() *meter { return &meter{used: map[string]float64{}, calls: map[string]int{}} }

// add notes n of a line.
func (m *meter) add(line string, n float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n > 0 {
		m.used[line] += n
	}
}

// reset forgets what was used until now.
func (m *meter) reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.used)
	clear(m.calls)
}

// so far returns what was used.
func (m *meter) soFar() map[string]float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.used)
}

// exchange is one call of AWS's JSON protocols and its answer.
type exchange struct {
	operation string // such as "PutItem"
	request   []byte
	answer    []byte
}

// metered puts note behind a server of AWS's JSON protocols. Change may alter
// a request before it is sent on.
func (m *meter) metered(t *testing.T, server string, change func(operation string, request []byte) []byte, note func(exchange)) (address string) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		body = change(operation, body)
		answer, status, header, err := forward(r, server, body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		m.mu.Lock()
		m.calls[operation]++
		m.mu.Unlock()
		note(exchange{operation, body, answer})
		maps.Copy(w.Header(), header)
		w.WriteHeader(status)
		w.Write(answer)
	}))
	t.Cleanup(proxy.Close)
	return proxy.URL
}

func asItIs(_ string, request []byte) []byte { return request }

// forwarding keeps more connections than the default client.
var forwarding = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 200, DisableCompression: true}}

func forward(r *http.Request, server string, body []byte) (answer []byte, status int, header http.Header, err error) {
	req, err := http.NewRequestWithContext(r.Context(), r.Method, server+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		return nil, 0, nil, err
	}
	req.Header = r.Header.Clone()
	req.Header.Del("Content-Length")
	resp, err := forwarding.Do(req)
	if err != nil {
		return nil, 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	return answer, resp.StatusCode, resp.Header, err
}

// metersQueues puts the meter before an SQS server.
func (m *meter) metersQueues(t *testing.T, server string) (address string) {
	return m.metered(t, server, asItIs, m.queueCall)
}

// metersTable puts the meter before a DynamoDB server.
func (m *meter) metersTable(t *testing.T, server string) (address string) {
	return m.metered(t, server, askForCapacity, m.tableCall)
}

// metersSecrets puts the meter before KMS and Secrets Manager.
func (m *meter) metersSecrets(t *testing.T, server string) (address string) {
	return m.metered(t, server, asItIs, func(e exchange) {
		if e.operation == "GetSecretValue" {
			m.add("secrets", 1)
			return
		}
		m.add("kms", 1)
	})
}
