package faults

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestAFloodOfLargeBodiesIsRefusedBeforeItFillsMemory: two hundred requests of
// 4 MiB at a time, of one tenant.
func TestAFloodOfLargeBodiesIsRefusedBeforeItFillsMemory(t *testing.T) {
	p := start(t, filepath.Join(t.TempDir(), "data"))
	event := `{"type":"a.b","data":"` + strings.Repeat("x", 200<<10) + `"},`
	body := "[" + strings.Repeat(event, 19) + event[:len(event)-1] + "]"
	var mu sync.Mutex
	answers := map[int]int{}
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			status, _ := p.call(t.Context(), http.DefaultClient, "POST", "/events", body)
			mu.Lock()
			defer mu.Unlock()
			answers[status]++
		})
	}
	wg.Wait()
	memory, _ := p.usage(t)
	t.Logf("answers %v, %d MB", answers, memory>>20)
	// 0 is a connection that the server closed after its refusal, while the
	// client was still sending.
	if answers[202] == 0 || answers[202]+answers[429]+answers[503]+answers[0] != 200 || answers[202] == 200 {
		t.Errorf("answers %v, want some 202, some 429 or 503, and nothing else", answers)
	}
	if memory > 600<<20 {
		t.Errorf("the process holds %d MB", memory>>20)
	}
	if status, answer := p.call(t.Context(), http.DefaultClient, "POST", "/events", `{"type":"a.b","data":1}`); status != 202 {
		t.Errorf("after the flood: %d %s", status, answer)
	}
	if err := p.terminate(); err != nil {
		t.Error(err)
	}
}

// TestRequestsOutOfMeasureAreRefused speaks to the server as a client should
// not.
func TestRequestsOutOfMeasureAreRefused(t *testing.T) {
	t.Parallel()
	p := start(t, filepath.Join(t.TempDir(), "data"))
	const head = "POST /v1/tenants/acme/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + adminKey + "\r\nContent-Type: application/json\r\n"
	for _, tt := range []struct {
		name, request string
		status        int // 0: closed without an answer
	}{
		{"a header of 1 MB", head + "X: " + strings.Repeat("x", 1<<20) + "\r\n\r\n", 431},
		{"a body of 5 MB, announced", head + fmt.Sprintf("Content-Length: %d\r\n\r\n", 5<<20), 413},
		{"a body of 5 MB in chunks", head + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("10000\r\n"+strings.Repeat(" ", 1<<16)+"\r\n", 80) + "0\r\n\r\n", 413},
		{"two lengths", head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", 400},
		{"no HTTP", "hello\r\n\r\n", 400},
		{"a header that never ends", head, 0},
	} {
		t.Run(name(tt.name), func(t *testing.T) {
			t.Parallel()
			c, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(30 * time.Second)) // of the test: the server gives up sooner
			go func() { _, _ = io.WriteString(c, tt.request) }()
			line, err := bufio.NewReader(c).ReadString('\n')
			if tt.status == 0 {
				if timeout, ok := err.(net.Error); err == nil || ok && timeout.Timeout() {
					t.Errorf("answered %q, %v, want the connection closed", line, err)
				}
			} else if want := fmt.Sprintf("HTTP/1.1 %d ", tt.status); !strings.HasPrefix(line, want) {
				t.Errorf("answered %q, %v, want %s", line, err, want)
			}
		})
	}
}

func name(s string) string { return strings.ReplaceAll(s, " ", "_") }
