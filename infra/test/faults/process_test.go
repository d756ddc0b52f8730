package faults

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// binary is the program under test, built once by TestMain.
var binary string

func TestMain(m *testing.M) {
	if os.Getenv(skewVariable) != "" {
		os.Exit(serveSkewed())
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "postino-faults-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "postino")
	build := exec.Command("go", "build", "-o", binary, "github.com/postino/postino/cmd/postino")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v: %s", err, out)
		return 1
	}
	return m.Run()
}

const adminKey = "the-admin-key-of-the-tests"

// process is a running Postino.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	url    string
	stderr *bytes.Buffer
	waited chan error
}

func command(data string, more ...string) (*exec.Cmd, *bytes.Buffer) {
	cmd := exec.Command(binary, append([]string{"serve", "-addr", "127.0.0.1:0", "-data", data, "-log-level", "ERROR"}, more...)...)
	cmd.Env = append(os.Environ(), "POSTINO_ADMIN_KEY="+adminKey)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	return cmd, &stderr
}

// start starts Postino on a data folder and waits until it listens.
func start(t *testing.T, data string, more ...string) *process {
	t.Helper()
	cmd, stderr := command(data, more...)
	return launch(t, cmd, stderr)
}

// launch starts a command that says where it listens.
func launch(t *testing.T, cmd *exec.Cmd, stderr *bytes.Buffer) *process {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: cmd, stderr: stderr, waited: make(chan error, 1)}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, url, found := strings.Cut(lines.Text(), "listens on "); found {
			p.url = url
			break
		}
	}
	go func() {
		_, _ = io.Copy(io.Discard, out)
		p.waited <- cmd.Wait()
	}()
	if p.url == "" {
		<-p.waited
		t.Fatalf("it does not listen: %s", stderr)
	}
	return p
}

// kill ends the process as a power cut would, as far as a process can tell.
func (p *process) kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.waited
}

// terminate asks the process to end and returns how it did.
func (p *process) terminate() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-p.waited:
		return err
	case <-time.After(40 * time.Second):
		p.kill()
		return fmt.Errorf("still running 40 s after SIGTERM")
	}
}

// refusesToStart starts Postino on data that it must not touch, and returns what it
// said.
func refusesToStart(t *testing.T, data string) string {
	t.Helper()
	cmd, stderr := command(data)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("it ended well")
		}
	case <-time.After(30 * time.Second):
		_ = cmd.Process.Kill()
		<-ended
		t.Error("it runs")
	}
	return stderr.String()
}

// call makes an API request; status 0 means that there was no answer.
func (p *process) call(ctx context.Context, client *http.Client, method, path, body string) (status int, answer []byte) {
	r, err := http.NewRequestWithContext(ctx, method, p.url+"/v1/tenants/acme"+path, strings.NewReader(body))
	if err != nil {
		return 0, nil
	}
	r.Header.Set("Authorization", "Bearer "+adminKey)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := client.Do(r)
	if err != nil {
		return 0, nil
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil
	}
	return resp.StatusCode, answer
}
