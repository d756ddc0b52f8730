package stdlog

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// lines is a log that tests read while others write it.
type lines struct{ got chan string }

func (l lines) Write(b []byte) (int, error) {
	l.got <- string(b)
	return len(b), nil
}

// routed has package log go to a log for as long as a test runs.
func routed(t *testing.T) lines {
	t.Helper()
	l := lines{make(chan string, 100)}
	Route(slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug})))
	t.Cleanup(func() { log.SetFlags(log.LstdFlags); log.SetOutput(os.Stderr) })
	return l
}

// echo answers 204 and, unasked, what it was sent.
func echo(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		buf := make([]byte, 4096)
		n, _ := conn.Read(buf)
		fmt.Fprintf(conn, "HTTP/1.1 204 No Content\r\n\r\n%s", buf[:n])
		io.Copy(io.Discard, conn)
	}()
	return "http://" + listener.Addr().String()
}

func TestAReceiverThatEchoesASecretUnaskedIsLoggedWithoutIt(t *testing.T) {
	l := routed(t)
	req, _ := http.NewRequestWithContext(t.Context(), "POST", echo(t), strings.NewReader("{}"))
	req.Header.Set("Authorization", "Bearer hunter2")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	const hang = time.Minute
	select {
	case got := <-l.got:
		if strings.Contains(got, "hunter2") || !strings.Contains(got, `"level":"DEBUG"`) || !strings.Contains(got, "http/transport.go:") {
			t.Errorf("logged %s, want the place in net/http, at DEBUG, and no secret", got)
		}
	case <-time.After(hang):
		t.Fatal("net/http logged nothing")
	}
}

func TestLambdasOwnLibrarySpeaksOfUs(t *testing.T) {
	var out bytes.Buffer
	w := writer{slog.New(slog.NewJSONHandler(&out, nil))}
	fmt.Fprint(w, "/go/pkg/mod/github.com/aws/aws-lambda-go@v1.2.3/lambda/invoke_loop.go:106: {\"errorMessage\":\"nil map\"}\n")
	fmt.Fprint(w, "net/http/transport.go:2482: Unsolicited response hunter2\n")
	if got := out.String(); !strings.Contains(got, "nil map") || !strings.Contains(got, "lambda/invoke_loop.go:106") || strings.Contains(got, "hunter2") {
		t.Errorf("logged %s, want Lambda's error with its text, and nothing else at INFO", got)
	}
}
