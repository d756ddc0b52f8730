// Package examples contains subscribers to copy. Its test sends real callbacks
// to each of them.
package examples

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/cmd/postino/server/servertest"
	"github.com/postino/postino/infra/tools/testserver"
)

const key = servertest.AdminKey

func TestTheGoReceiverTakesCallbacksAndNothingElse(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "receiver")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./receiver-go").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	receive(t, exec.CommandContext(t.Context(), binary))
}

func TestTheJavaScriptReceiverTakesCallbacksAndNothingElse(t *testing.T) {
	modules, err := filepath.Abs(testserver.Require(t, "POSTINO_NODE_MODULES"))
	if err != nil {
		t.Fatal(err)
	}
	node := exec.CommandContext(t.Context(), "node", "receiver-js/receiver.js")
	node.Env = append(os.Environ(), "NODE_PATH="+modules)
	receive(t, node)
}

// receive starts a receiver, has an event delivered to it twice, and tries to
// fool it.
func receive(t *testing.T, cmd *exec.Cmd) {
	s := servertest.Start(t, servertest.Quiet)
	address := freeAddress(t)
	tenant := s.URL() + "/v1/tenants/acme"
	status, created := request(t, "POST", tenant+"/subscriptions", key, `{"url":"http://`+address+`/hook"}`)
	if status != 201 {
		t.Fatalf("subscribe = %d %v", status, created)
	}
	lines := run(t, cmd, address, created["secret"].(string))

	body := `{"type":"flight.booked","data":{"to":"Curaçao"}}`
	if status, answer := request(t, "POST", tenant+"/events", key, body); status != 202 {
		t.Fatalf("publish = %d %v", status, answer)
	}
	got := next(t, lines)
	if !strings.HasPrefix(got, "dlv_") || !strings.Contains(got, " /hook {") || !strings.Contains(got, `"data":{"to":"Curaçao"}`) {
		t.Errorf("the receiver shows %q", got)
	}

	if status, _ := request(t, "POST", "http://"+address+"/hook", "", body); status != 401 {
		t.Errorf("an unsigned request is answered %d, want 401", status)
	}
	id, _, _ := strings.Cut(got, " ")
	waitFor(t, tenant, id, 1)
	if status, answer := request(t, "POST", tenant+"/deliveries/"+id+"/retry", key, ""); status != 202 {
		t.Fatalf("retry = %d %v", status, answer)
	}
	if status, _ := request(t, "POST", tenant+"/events", key, `{"type":"last","data":1}`); status != 202 {
		t.Fatal("publish")
	}
	waitFor(t, tenant, id, 2)
	if got := next(t, lines); !strings.Contains(got, `"type":"last"`) {
		t.Errorf("after a repeat the receiver shows %q, want only the event after it", got)
	}
	select {
	case line := <-lines:
		t.Errorf("the receiver shows %q too", line)
	default:
	}
}

// waitFor returns when so many attempts of a delivery are known.
func waitFor(t *testing.T, tenant, id string, attempts float64) {
	for {
		_, d := request(t, "GET", tenant+"/deliveries/"+id, key, "")
		if n, _ := d["attempt_count"].(float64); n >= attempts {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// run starts the receiver and returns the lines that it prints once it waits.
func run(t *testing.T, cmd *exec.Cmd, address, secret string) <-chan string {
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, "ADDR="+address, "WEBHOOK_SECRET="+secret)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	if first := next(t, lines); !strings.HasPrefix(first, "waiting for callbacks") {
		t.Fatalf("the receiver begins with %q", first)
	}
	return lines
}

func next(t *testing.T, lines <-chan string) string {
	t.Helper()
	select {
	case line := <-lines:
		return line
	case <-time.After(30 * time.Second):
		t.Fatal("the receiver shows nothing")
		return ""
	}
}

func request(t *testing.T, method, url, bearer, body string) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	json.Unmarshal(text, &fields) // what is no object has no fields
	return resp.StatusCode, fields
}

// freeAddress finds a port that nobody listens on, below those that systems
// give to whoever asks for any, so that nobody takes it meanwhile.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", 20_000+rand.N(12_000)))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no free port")
	return ""
}
