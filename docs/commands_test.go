package docs

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/cmd/postino/server/servertest"
)

var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// play runs the commands of a page one after the other in an empty folder, with
// ACME and KEY set, and returns all that they print. Each must succeed.
func play(t *testing.T, page, acme string) string {
	t.Helper()
	var script strings.Builder
	script.WriteString("set -eu\n")
	for _, block := range shellBlock.FindAllStringSubmatch(pages(t)[page], -1) {
		script.WriteString(block[1] + "echo\n")
	}
	command := exec.CommandContext(t.Context(), "sh", "-c", script.String())
	command.Dir = t.TempDir()
	command.Env = append(os.Environ(), "ACME="+acme, "KEY="+servertest.AdminKey)
	printed, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("the commands of %s: %v\n%s", page, err, printed)
	}
	return string(printed)
}

func TestTheCommandsOfPullingDoWhatThePageSays(t *testing.T) {
	s := servertest.Start(t)
	printed := play(t, "docs/pulling.md", s.URL()+"/v1/tenants/acme")
	for _, want := range []string{`"recorded":true,"status":"succeeded"`, `"recorded":true,"status":"pending"`} {
		if !strings.Contains(printed, want) {
			t.Errorf("the commands print\n%s\nwithout %s", printed, want)
		}
	}
	if strings.Contains(printed, `"deliveries":[]`) || strings.Contains(printed, `"recorded":false`) {
		t.Errorf("the commands print\n%s\nwant every pull to bring something, and all of it recorded", printed)
	}
}

// buildProgram builds the program that a page runs, and returns the folder that it is in.
func buildProgram(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", folder, "./cmd/postino")
	build.Dir = root
	if printed, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, printed)
	}
	return folder
}

// written is what a command has written so far.
type written struct {
	mu   sync.Mutex
	text strings.Builder
}

func (w *written) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

// waitFor waits until the command has written something.
func (w *written) waitFor(t *testing.T, what string, times int) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		w.mu.Lock()
		text := w.text.String()
		w.mu.Unlock()
		if strings.Count(text, what) >= times {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the command wrote\n%s\nwithout %q", text, what)
		}
	}
}

func TestTheCommandsOfListeningBringCallbacksToThisMachine(t *testing.T) {
	s := servertest.Start(t)
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer hook.Close()
	environment := append(os.Environ(), "PATH="+buildProgram(t)+":"+os.Getenv("PATH"), "POSTINO_ENDPOINT="+s.URL(), "POSTINO_KEY="+servertest.AdminKey)
	command := func(text string) (*exec.Cmd, *written) {
		c, out := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(text, "http://localhost:3000/hook", hook.URL)), &written{}
		c.Env, c.Dir, c.Stdout, c.Stderr = environment, t.TempDir(), out, out
		return c, out
	}
	blocks := shellBlock.FindAllStringSubmatch(pages(t)["docs/listening.md"], -1)
	listen, said := command("exec " + blocks[0][1])
	if err := listen.Start(); err != nil {
		t.Fatal(err)
	}
	said.waitFor(t, "forwarding to", 1)
	for _, block := range blocks[1:] {
		c, printed := command("set -eu\n" + block[1])
		if err := c.Run(); err != nil {
			t.Fatalf("%s: %v\n%s", block[1], err, printed.text.String())
		}
	}
	said.waitFor(t, "attempt 1  -> 200 in", 2)
	listen.Process.Signal(os.Interrupt)
	if err := listen.Wait(); err != nil {
		t.Errorf("listen ends with %v:\n%s", err, said.text.String())
	}
}

func TestTheCommandsOfImportingDoWhatThePageSays(t *testing.T) {
	s := servertest.Start(t)
	printed := play(t, "docs/importing.md", s.URL()+"/v1/tenants/acme")
	for _, want := range []string{`"created":2,"exists":0,"refused":1`, `"created":1,"exists":2,"refused":0`, `"created":1,"exists":0,"refused":0`} {
		if !strings.Contains(printed, want) {
			t.Errorf("the commands print\n%s\nwithout %s", printed, want)
		}
	}
}
