package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// tenant is whose events this program publishes.
const tenant = "bench"

// target is a running server.
type target struct {
	url  string
	key  string // its admin key
	pid  int
	data string // its folder; "" if that is not known
	stop func() error
	kill func() error // at once, whatever it is doing; nil where that cannot be
	// freeze lets the server stand still, or go on.
	freeze func(still bool)
}

// end kills the server, or stops it where it cannot be killed.
func (t target) end() error {
	if t.kill == nil {
		return t.stop()
	}
	return t.kill()
}

// start runs the program as a server with its data in an own folder of dir,
// which is removed when the target stops.
func start(ctx context.Context, program []string, dir string) (target, error) {
	data, err := os.MkdirTemp(dir, "data-")
	if err != nil {
		return target{}, err
	}
	return startOn(ctx, program, data, func() error { return os.RemoveAll(data) })
}

// startOn runs the program as a server on a data folder. Then, unless it is
// nil, is called when it has stopped.
func startOn(ctx context.Context, program []string, data string, then func() error) (target, error) {
	args := append(program[1:len(program):len(program)], "-addr", "127.0.0.1:0", "-data", data)
	cmd := exec.CommandContext(ctx, program[0], args...)
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 40 * time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return target{}, err
	}
	if err := cmd.Start(); err != nil {
		return target{}, err
	}
	t := target{pid: cmd.Process.Pid, data: data, stop: func() error {
		err := cmd.Process.Signal(syscall.SIGTERM)
		err = errors.Join(err, cmd.Wait())
		if then != nil {
			err = errors.Join(err, then())
		}
		return err
	}, kill: func() error {
		err := cmd.Process.Kill()
		_ = cmd.Wait() // it says that it was killed
		return err
	}, freeze: func(still bool) {
		signal := syscall.SIGCONT
		if still {
			signal = syscall.SIGSTOP
		}
		_ = cmd.Process.Signal(signal) // one that has ended is noticed by who calls it
	}}
	if t.url, err = listening(out); err != nil {
		return target{}, errors.Join(err, t.stop())
	}
	key, err := os.ReadFile(filepath.Join(data, "admin.key"))
	if err != nil {
		return target{}, errors.Join(err, t.stop())
	}
	t.key = strings.TrimSpace(string(key))
	return t, nil
}

// listening reads the server's address and lets it print on.
func listening(out io.Reader) (string, error) {
	lines := bufio.NewScanner(out)
	found := ""
	for found == "" && lines.Scan() {
		if _, after, ok := strings.Cut(lines.Text(), "http://"); ok {
			found = "http://" + after
		}
	}
	if found == "" {
		return "", errors.New("the server ended before it listened")
	}
	if !lines.Scan() { // the key file's line: by then it is there
		return "", errors.New("the server named no key")
	}
	go io.Copy(io.Discard, out)
	return found, nil
}

// call asks the API; answers above 299 are errors.
func (t target) call(ctx context.Context, method, route, body string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, t.url+route, bytes.NewReader([]byte(body)))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+t.key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s: %s", method, route, resp.Status, answer)
	}
	return answer, err
}

// subscribe makes a subscription with the fields given as JSON and returns the
// secret that signs for it.
func (t target) subscribe(ctx context.Context, id, fields string) (secret string, err error) {
	route := "/v1/tenants/" + tenant + "/subscriptions/" + id
	if _, err := t.call(ctx, http.MethodPut, route, fields); err != nil {
		return "", err
	}
	answer, err := t.call(ctx, http.MethodGet, route+"/secret", "")
	if err != nil {
		return "", err
	}
	var got struct{ Secret string }
	return got.Secret, json.Unmarshal(answer, &got)
}
