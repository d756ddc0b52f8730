package faults

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// terrible is a subscriber that does something other than to answer.
func terrible(t *testing.T, meet func(c net.Conn)) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			go meet(c)
		}
	}()
	return "http://" + l.Addr().String() + "/hook"
}

// terribles are the ways not to answer.
var terribles = map[string]func(c net.Conn){
	"accepts and never answers": func(c net.Conn) { _, _ = io.Copy(io.Discard, c) },
	"never even reads":          func(net.Conn) {},
	"closes at once":            func(c net.Conn) { c.Close() },
	"closes mid-answer": func(c net.Conn) {
		_, _ = c.Read(make([]byte, 1))
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
		c.Close()
	},
	"answers a byte a second": func(c net.Conn) {
		for _, b := range []byte("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + strings.Repeat("x", 1000)) {
			if _, err := c.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(time.Second)
		}
	},
	"answers without end": func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		for {
			if _, err := io.WriteString(c, "1000\r\n"+strings.Repeat("x", 0x1000)+"\r\n"); err != nil {
				return
			}
		}
	},
	"answers headers without end": func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n")
		for i := 0; ; i++ {
			if _, err := fmt.Fprintf(c, "X-%d: %s\r\n", i, strings.Repeat("x", 1000)); err != nil {
				return
			}
		}
	},
}

// TestTerribleSubscribersTakeNothingFromOthers: with two thousand events for
// each of them a healthy subscriber gets every one of its own meanwhile, and
// neither memory nor handles grow with what waits.
func TestTerribleSubscribersTakeNothingFromOthers(t *testing.T) {
	data, l := filepath.Join(t.TempDir(), "data"), newLedger()
	good := newReceiver(t, l)
	p := start(t, data)
	good.subscribe(t, p, "good", `,"types":["a.b"]`)
	for name, meet := range terribles {
		id := strings.ReplaceAll(name, " ", "_")
		fields := fmt.Sprintf(`{"url":"%s","types":["noise"],"retry":{"timeout":"20s","schedule":["1s","1h"]}}`, terrible(t, meet))
		if status, answer := p.call(t.Context(), http.DefaultClient, "PUT", "/subscriptions/"+id, fields); status != 201 {
			t.Fatalf("subscribe %s: %d %s", name, status, answer)
		}
	}
	noise := "[" + strings.Repeat(`{"type":"noise","data":{}},`, 499) + `{"type":"noise","data":{}}]`
	for range 4 {
		if status, answer := p.call(t.Context(), http.DefaultClient, "POST", "/events", noise); status != 202 {
			t.Fatalf("publish: %d %s", status, answer)
		}
	}
	publishSome(t, p, "good", 1000, l)
	l.settle(t) // within its 90 s, long before the others' 20 s timeouts have let 2,000 go
	memory, handles := p.usage(t)
	t.Logf("%d MB and %d handles", memory>>20, handles)
	if memory > 400<<20 || handles > 7*64+200 {
		t.Errorf("%d MB of memory and %d handles, want at most 400 and %d", memory>>20, handles, 7*64+200)
	}
	p.kill() // it would wait for the timeouts
}

// TestTenThousandSlowCallbacksHoldAFewConnections: one subscriber that takes
// seconds for each of 10,000 callbacks.
func TestTenThousandSlowCallbacksHoldAFewConnections(t *testing.T) {
	data, l := filepath.Join(t.TempDir(), "data"), newLedger()
	good := newReceiver(t, l)
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-time.After(10 * time.Second):
		case <-r.Context().Done():
		}
	}))
	p := start(t, data)
	good.subscribe(t, p, "good", `,"types":["a.b"]`)
	if status, answer := p.call(t.Context(), http.DefaultClient, "PUT", "/subscriptions/slow", `{"url":"`+slow.URL+`","types":["noise"]}`); status != 201 {
		t.Fatalf("subscribe: %d %s", status, answer)
	}
	noise := "[" + strings.Repeat(`{"type":"noise","data":{}},`, 499) + `{"type":"noise","data":{}}]`
	for range 20 {
		if status, answer := p.call(t.Context(), http.DefaultClient, "POST", "/events", noise); status != 202 {
			t.Fatalf("publish: %d %s", status, answer)
		}
	}
	publishSome(t, p, "good", 1000, l)
	l.settle(t)
	memory, handles := p.usage(t)
	t.Logf("%d MB and %d handles", memory>>20, handles)
	if memory > 300<<20 || handles > 64+200 {
		t.Errorf("%d MB of memory and %d handles, want at most 300 and %d", memory>>20, handles, 64+200)
	}
	p.kill()
	slow.CloseClientConnections()
	slow.Close()
}

// usage returns what the process holds, where /proc says it.
func (p *process) usage(t *testing.T) (memory int64, handles int) {
	t.Helper()
	folder := "/proc/" + strconv.Itoa(p.cmd.Process.Pid)
	status, err := os.ReadFile(folder + "/status")
	if os.IsNotExist(err) {
		return 0, 0
	}
	for line := range strings.Lines(string(status)) {
		if name, value, _ := strings.Cut(line, ":"); name == "VmRSS" {
			kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			memory = kib << 10
		}
	}
	open, err := os.ReadDir(folder + "/fd")
	if err != nil {
		t.Fatal(err)
	}
	return memory, len(open)
}
