//go:build unix

package testserver

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const (
	startDeadline = 60 * time.Second // a start takes 2-4 s, on a busy machine many times that
	portAttempts  = 3                // another process may take the port between our look and the server's
)

// watched runs its arguments in its own process and kills that when descriptor 3 reaches its end, which is when the
// test binary that holds the other side has gone.
const watched = `{ cat <&3 >/dev/null; kill -9 $$ 2>/dev/null; } & exec "$@" 3<&-`

// lifelines are the held sides of the pipes; kept so that none is collected, and closed, while the tests run.
var lifelines sync.Map // *os.File → nil

// start runs java on a free loopback port until this process ends, and returns the endpoint once it answers.
func start(name string, arguments func(port string) []string) (endpoint string, err error) {
	for range portAttempts {
		var port string
		if port, err = freePort(); err != nil {
			return "", err
		}
		if _, err = startOn(port, name, arguments(port)); err == nil {
			return "http://127.0.0.1:" + port, nil
		}
	}
	return "", err
}

// Ports that no system hands out by itself: one that is found free here is not
// another test's server a moment later, before ours listens on it.
const firstPort, ports = 20_000, 10_000

func freePort() (string, error) {
	var err error
	for range 100 {
		port := strconv.Itoa(firstPort + rand.IntN(ports))
		var l net.Listener
		if l, err = net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			return port, l.Close()
		}
	}
	return "", err
}

// startOn starts java on the port and returns once it answers there.
func startOn(port, name string, arguments []string) (pid int, err error) {
	output, err := os.CreateTemp("", name+"-*.log")
	if err != nil {
		return 0, err
	}
	defer os.Remove(output.Name())
	defer output.Close()
	if pid, err = spawn(output, arguments); err != nil {
		return 0, err
	}
	if err := untilAnswers("http://127.0.0.1:"+port, pid); err != nil {
		said, _ := os.ReadFile(output.Name())
		return 0, fmt.Errorf("%w; it said:\n%s", err, said)
	}
	return pid, nil
}

// spawn starts java with a small heap and the quick compiler, since it lives for seconds. Its output goes to a file:
// a pipe would need a goroutine, which tests that look for leaks would find.
func spawn(output *os.File, arguments []string) (pid int, err error) {
	end, lifeline, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer end.Close()
	java := []string{"-c", watched, "sh", "java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"}
	cmd := exec.Command("/bin/sh", append(java, arguments...)...)
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = output, output, []*os.File{end}
	cmd.Dir = os.TempDir()
	if err := cmd.Start(); err != nil {
		lifeline.Close()
		return 0, err
	}
	lifelines.Store(lifeline, nil)
	return cmd.Process.Pid, nil
}

// untilAnswers waits for any HTTP answer from the endpoint. It gives up when the process ended or the deadline passed.
func untilAnswers(endpoint string, pid int) error {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for deadline := time.Now().Add(startDeadline); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		answer, err := client.Get(endpoint)
		if err == nil {
			return answer.Body.Close()
		}
		var status syscall.WaitStatus
		if ended, _ := syscall.Wait4(pid, &status, syscall.WNOHANG, nil); ended == pid {
			return fmt.Errorf("the server ended with status %d", status.ExitStatus())
		}
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
	return fmt.Errorf("no answer from %s within %v", endpoint, startDeadline)
}
