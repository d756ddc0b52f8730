//go:build unix

package testserver

import (
	"net"
	"path/filepath"
	"syscall"
	"testing"
)

// Own is a server of one test, which keeps what it holds in files and so can be
// stopped and started again.
type Own struct {
	Endpoint string // the same after each Start

	t         testing.TB
	name      string
	port      string
	arguments []string
	pid       int // 0 while stopped
}

// OwnDynamoDB starts a DynamoDB Local that keeps its tables in a folder of the
// test. It ends with the test. For the environment see [DynamoDB].
func OwnDynamoDB(t testing.TB) *Own {
	t.Helper()
	dir, data := Require(t, dynamoDB.variable), t.TempDir()
	return own(t, "own-dynamodb-local", func(port string) []string {
		return []string{
			"-Djava.library.path=" + filepath.Join(dir, "DynamoDBLocal_lib"), "-jar", filepath.Join(dir, "DynamoDBLocal.jar"),
			"-dbPath", data, "-sharedDb", "-disableTelemetry", "-port", port,
		}
	})
}

func own(t testing.TB, name string, arguments func(port string) []string) *Own {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	o := &Own{Endpoint: "http://" + net.JoinHostPort("127.0.0.1", port), t: t, name: name, port: port, arguments: arguments(port)}
	t.Cleanup(o.Stop)
	o.Start()
	return o
}

// Start starts the server, which is stopped, and returns when it answers.
func (o *Own) Start() {
	o.t.Helper()
	pid, err := startOn(o.port, o.name, o.arguments)
	if err != nil {
		o.t.Fatalf("start %s: %v", o.name, err)
	}
	o.pid = pid
}

// Stop ends the server as a machine does that is shut down: what it has
// answered for is kept.
func (o *Own) Stop() {
	if o.pid == 0 {
		return
	}
	_ = syscall.Kill(o.pid, syscall.SIGTERM)
	var status syscall.WaitStatus
	_, _ = syscall.Wait4(o.pid, &status, 0, nil)
	o.pid = 0
}
