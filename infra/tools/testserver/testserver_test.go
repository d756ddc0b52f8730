package testserver_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/postino/postino/infra/tools/testserver"
)

// Tests that look for leaked goroutines may use a server.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOneServerServesAllTestsOfAProcess(t *testing.T) {
	for name, server := range servers {
		if first, second := server(t), server(t); first != second {
			t.Errorf("%s: endpoints %s and %s, want the same", name, first, second)
		}
	}
}

func TestServersEndWithTheTestBinaryHoweverItDies(t *testing.T) {
	for name, server := range servers {
		server(t) // skips where none is installed
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endpoint := killedTestBinary(t, name)
			awaitRefused(t, strings.TrimPrefix(endpoint, "http://"))
		})
	}
}

var servers = map[string]func(testing.TB) string{"dynamodb": testserver.DynamoDB, "sqs": testserver.SQS}

// TestHangWithAServer is the other process of killedTestBinary: it starts a server, says where it is, and hangs.
func TestHangWithAServer(t *testing.T) {
	name := os.Getenv("TESTSERVER_HANG_WITH")
	if name == "" {
		return
	}
	fmt.Printf("at %s\n", servers[name](t))
	select {}
}

// killedTestBinary kills a test binary that has started the named server, and returns the server's endpoint.
func killedTestBinary(t *testing.T, name string) (endpoint string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestHangWithAServer$", "-test.v")
	cmd.Env = append(os.Environ(), "TESTSERVER_HANG_WITH="+name)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); endpoint == "" && lines.Scan(); {
		if at, ok := strings.CutPrefix(lines.Text(), "at "); ok {
			endpoint = at
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // "signal: killed"
	if endpoint == "" {
		t.Fatal("the test binary started no server")
	}
	return endpoint
}

// awaitRefused returns once nothing listens at the address.
func awaitRefused(t *testing.T, address string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return
		}
		conn.Close()
	}
	t.Errorf("%s still answers after its test binary was killed", address)
}
