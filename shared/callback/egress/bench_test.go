package egress

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// BenchmarkPost compares with net/http as it comes, over HTTP/1.1 on loopback.
// The time includes the server's.
func BenchmarkPost(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	defer server.Close()
	guarded := NewTransport(&Guard{Allow: loopback}, nil)
	bare := &http.Transport{MaxIdleConnsPerHost: maxIdle, DisableCompression: true}
	body := strings.Repeat("x", 1024)
	for _, tt := range []struct {
		name      string
		transport http.RoundTripper
	}{{"guarded", guarded}, {"bare", bare}} {
		b.Run(tt.name, func(b *testing.B) {
			client := &http.Client{Transport: tt.transport}
			b.ReportAllocs()
			for b.Loop() {
				resp, err := client.Post(server.URL, "application/json", strings.NewReader(body))
				if err != nil {
					b.Fatal(err)
				}
				resp.Body.Close()
			}
		})
	}
	guarded.CloseIdleConnections()
	bare.CloseIdleConnections()
}

func BenchmarkCheckURL(b *testing.B) {
	req, _ := http.NewRequest("POST", "https://hooks.example.com/users/1/points", nil)
	g := &Guard{OwnHosts: []string{"api.postino.example"}}
	b.ReportAllocs()
	for b.Loop() {
		if err := g.CheckURL(req.URL); err != nil {
			b.Fatal(err)
		}
	}
}
