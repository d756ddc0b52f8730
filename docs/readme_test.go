package docs

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestTheREADMEDoesWhatItSays runs the demo and the first callback by the
// README's own commands, and compares what they print with what stands there.
func TestTheREADMEDoesWhatItSays(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("POSTINO_REQUIRE") != "" {
			t.Fatal("curl is not installed")
		}
		t.Skip("curl is not installed")
	}
	readme := pages(t)["README.md"]
	dir := t.TempDir()
	address, receiver := freeAddress(t), freeAddress(t)
	real := strings.NewReplacer("127.0.0.1:8080", address, "127.0.0.1:9000", receiver, "postino-data", dir)

	// Built as other tests build it: the variable only leaves out C.
	command, output, _ := strings.Cut(block(t, readme, "console", "$ CGO_ENABLED=0 go run ./cmd/postino demo"), "\n")
	server := start(t, strings.Fields(strings.TrimPrefix(command, "$ CGO_ENABLED=0 ")), "-addr", address, "-data", dir)
	want := strings.Split(strings.TrimSpace(real.Replace(output)), "\n")
	if got := server.lines(t, len(want)); !slices.Equal(withoutIDs(got), withoutIDs(want)) {
		t.Fatalf("the demo prints\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	subscription := real.Replace(marked.FindStringSubmatch(readme)[1])
	if err := os.WriteFile(filepath.Join(dir, "fifth-flight.json"), []byte(subscription), 0o600); err != nil {
		t.Fatal(err)
	}
	variables := block(t, readme, "sh", "KEY=")
	secret := strings.Split(block(t, readme, "sh", "export WEBHOOK_SECRET"), "\n")
	publish := block(t, readme, "sh", "for n in")
	said := strings.Fields(shell(t, dir, real.Replace(variables+secret[0]+"\necho; echo $WEBHOOK_SECRET")))

	t.Setenv("WEBHOOK_SECRET", said[len(said)-1])
	t.Setenv("ADDR", receiver)
	shown := start(t, strings.Fields(strings.TrimSuffix(secret[1], " &")))
	waiting := shown.lines(t, 1)
	shell(t, dir, real.Replace(variables+publish))
	got := append(waiting, shown.lines(t, 1)...)
	want = strings.Split(strings.TrimSpace(real.Replace(block(t, readme, "", "waiting for callbacks"))), "\n")
	if !slices.Equal(withoutIDs(got), withoutIDs(want)) {
		t.Errorf("the receiver shows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	first := strings.TrimSpace(block(t, readme, "", "POST /points"))
	if body := first[strings.LastIndex(first, "\n")+1:]; !strings.HasSuffix(got[len(got)-1], body) {
		t.Errorf("the first screen shows %s, and what arrives is %s", body, got[len(got)-1])
	}
}

// block returns the code block of a language that begins so.
func block(t *testing.T, text, language, begin string) string {
	t.Helper()
	for _, m := range regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		if m[1] == language && strings.HasPrefix(m[2], begin) {
			return m[2]
		}
	}
	t.Fatalf("no block of %q begins with %q", language, begin)
	return ""
}

var madeID = regexp.MustCompile(`(dlv_|pk_)[0-9a-z]{32}`)

// withoutIDs drops what differs from run to run: ids, keys and the order of arrival.
func withoutIDs(lines []string) []string {
	var plain []string
	for _, line := range lines {
		plain = append(plain, madeID.ReplaceAllString(line, "$1"))
	}
	slices.Sort(plain)
	return plain
}

// shell runs commands as a reader would, but fails where curl does.
func shell(t *testing.T, dir, commands string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", "curl() { command curl -sS -f \"$@\"; }\n"+commands)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, commands, out)
	}
	return string(out)
}

// program is one that was started from the repository's root.
type program struct{ out chan string }

// start builds and runs what "go run" would.
func start(t *testing.T, goRun []string, more ...string) *program {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "program")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, goRun[2])
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", goRun[2], err, out)
	}
	cmd := exec.Command(binary, append(goRun[3:], more...)...)
	cmd.Stderr = t.Output()
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &program{make(chan string, 1000)}
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(p.out)
		for scanner := bufio.NewScanner(pipe); scanner.Scan(); {
			p.out <- scanner.Text()
		}
	}()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		<-read
		cmd.Wait()
	})
	return p
}

// lines waits for the next n lines that it prints.
func (p *program) lines(t *testing.T, n int) (lines []string) {
	t.Helper()
	deadline := time.After(time.Minute)
	for len(lines) < n {
		select {
		case line, ok := <-p.out:
			if !ok {
				t.Fatalf("it ended after\n%s", strings.Join(lines, "\n"))
			}
			lines = append(lines, line)
		case <-deadline:
			t.Fatalf("it printed only\n%s", strings.Join(lines, "\n"))
		}
	}
	return lines
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
