package sdk

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/cmd/postino/server/servertest"
	"github.com/postino/postino/infra/tools/testserver"
)

const adminKey = servertest.AdminKey

// player runs programs that find a server for the quick start, and the program
// postino for their tests.
type player struct {
	installed   string // folder of the tools
	environment []string
}

func play(t *testing.T) *player {
	t.Helper()
	installed, err := filepath.Abs(testserver.Require(t, "POSTINO_CLIENT_GENERATORS"))
	if err != nil {
		t.Fatal(err)
	}
	p := &player{installed: installed, environment: os.Environ()}
	program := filepath.Join(t.TempDir(), "postino")
	p.run(t, "../../..", "go", "build", "-o", program, "./cmd/postino") // as docs/testing-your-code.md says
	p.environment = append(p.environment, "POSTINO_PROGRAM="+program, "POSTINO_URL="+serve(t), "POSTINO_KEY="+adminKey, "PYTHONDONTWRITEBYTECODE=1")
	return p
}

func serve(t *testing.T) string {
	return servertest.Start(t, servertest.Quiet).URL()
}

// tool is the path of one that is installed.
func (p *player) tool(t *testing.T, path ...string) string {
	t.Helper()
	file := filepath.Join(append([]string{p.installed}, path...)...)
	if _, err := os.Stat(file); err != nil {
		t.Fatal(err)
	}
	return file
}

// run runs a command in a folder and returns what it printed.
func (p *player) run(t *testing.T, dir, name string, arguments ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // of a machine that does much else
	defer cancel()
	cmd := exec.CommandContext(ctx, name, arguments...)
	cmd.Dir, cmd.Env = dir, p.environment
	var trouble strings.Builder
	cmd.Stderr = &trouble
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", filepath.Base(name), strings.Join(arguments, " "), err, out, trouble.String())
	}
	return string(out)
}

// documented runs a command that a page of docs/ shows.
func (p *player) documented(t *testing.T, page, dir, command string) {
	t.Helper()
	text, err := os.ReadFile("../../../docs/" + page)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "\n"+command+"\n") {
		t.Errorf("docs/%s does not show the command %s", page, command)
	}
	p.run(t, dir, "sh", "-c", command)
}
