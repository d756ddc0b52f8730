package egress

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// TestABurstOfOneTenantLeavesOthersConnectionsOpen: when a tenant has attempts in
// hand with all its workers, 264 in local mode, and keeps all their connections,
// one that somebody else used just before is kept too.
func TestABurstOfOneTenantLeavesOthersConnectionsOpen(t *testing.T) {
	const burst = 192 + 64 + 8 // deliveries, retries, resend
	client := NewClient(NewTransport(&Guard{Allow: loopback}, nil))
	var opened, waiting atomic.Int64
	all := make(chan struct{})
	modest := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	modest.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	modest.Start()
	defer modest.Close()
	greedy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if waiting.Add(1) == burst {
			close(all)
		}
		<-all
	}))
	defer greedy.Close()
	post := func(url string) {
		resp, err := client.Post(url, "text/plain", strings.NewReader("x"))
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	post(modest.URL)
	var wg sync.WaitGroup
	for range burst {
		wg.Go(func() { post(greedy.URL) })
	}
	wg.Wait()
	post(modest.URL)
	if got := opened.Load(); got != 1 {
		t.Errorf("the other tenant's subscriber sees %d connections, want the first one used again", got)
	}
}
