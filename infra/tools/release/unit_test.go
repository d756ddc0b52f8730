package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/postino/postino/infra/tools/testserver"
)

// exposure is the most that systemd-analyze may find open in the unit, of 100:
// a service that serves the network has 10 at least.
const exposure = "15"

// unit copies the unit with another program, and returns the copy and its command.
func unit(t *testing.T, program string) (file, command string) {
	t.Helper()
	text, err := os.ReadFile("../../systemd/postino.service")
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.ReplaceAll(string(text), "/usr/local/bin/postino", program)
	file = filepath.Join(t.TempDir(), "postino.service")
	if err := os.WriteFile(file, []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	return file, regexp.MustCompile(`(?m)^ExecStart=(.*)$`).FindStringSubmatch(changed)[1]
}

func TestTheUnitIsValidAndClosed(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("systemd is for Linux")
	}
	analyze := testserver.Require(t, "POSTINO_SYSTEMD_ANALYZE")
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file, _ := unit(t, program)
	if said, err := exec.CommandContext(t.Context(), analyze, "verify", file).CombinedOutput(); err != nil || len(said) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, said)
	}
	if said, err := exec.CommandContext(t.Context(), analyze, "security", "--offline=true", "--threshold="+exposure, file).CombinedOutput(); err != nil {
		t.Errorf("the unit is open for more than %s of 100: %v\n%s", exposure, err, said)
	}
}

// systemd fills the command's variables as a shell does.
func TestTheUnitsCommandServes(t *testing.T) {
	program := filepath.Join(t.TempDir(), "postino")
	if said, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../../../cmd/postino").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, said)
	}
	_, command := unit(t, program)
	data := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "exec "+command)
	cmd.Env = append(os.Environ(), "STATE_DIRECTORY="+data, "POSTINO_FLAGS=-addr 127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.Contains(line, "listens on http://127.0.0.1:") {
		t.Errorf("it says %q, %v, want where it listens", line, err)
	}
	if _, err := os.Stat(filepath.Join(data, "sealing.key")); err != nil {
		t.Errorf("the data is not in the folder of its state: %v", err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v, want in peace", err)
	}
}
