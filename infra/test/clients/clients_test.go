package clients

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/cmd/postino/server"
	"github.com/postino/postino/infra/tools/testserver"
	"github.com/postino/postino/verify"
)

const adminKey = "admin-key-of-the-test"

func TestTheGeneratedGoClientRunsTheQuickStart(t *testing.T) {
	installed := generators(t)
	s := play(t)
	dir := workshop(t, s, installed, "go.mod", "go.sum")
	run(t, dir, nil, filepath.Join(installed, "bin", "oapi-codegen"), documented(t, "go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@", installed)...)
	bring(t, filepath.Join(dir, "main.go"), "testdata/main.go")
	offline := []string{"GOPROXY=off", "GOFLAGS=-mod=readonly", "GOWORK=off"}
	run(t, dir, offline, "go", "build", "-o", "quickstart", ".")
	file := filepath.Join(dir, "subscription.json")
	write(t, file, strings.Replace(readme(t), "http://127.0.0.1:9000", s.receiver, 1))
	s.delivered(t, run(t, dir, nil, "./quickstart", s.URL(), adminKey, file))
}

func TestTheGeneratedTypeScriptClientRunsTheQuickStart(t *testing.T) {
	installed := generators(t)
	s := play(t)
	dir := workshop(t, s, installed, "package.json")
	modules := filepath.Join(installed, "node_modules")
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	run(t, dir, nil, filepath.Join(modules, ".bin", "openapi-typescript"), documented(t, "npx openapi-typescript@", installed)...)
	bring(t, filepath.Join(dir, "quickstart.ts"), "testdata/quickstart.ts")
	run(t, dir, nil, filepath.Join(modules, ".bin", "tsc"), "--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes",
		"--module", "nodenext", "--target", "es2022", "--lib", "es2022,dom", "quickstart.ts")
	s.delivered(t, run(t, dir, nil, "node", "quickstart.js", s.URL(), adminKey, s.receiver))
}

// generators is the folder in which they are installed.
func generators(t *testing.T) string {
	installed, err := filepath.Abs(testserver.Require(t, "POSTINO_CLIENT_GENERATORS"))
	if err != nil {
		t.Fatal(err)
	}
	return installed
}

// stage is a server and a receiver of what it calls.
type stage struct {
	*server.Server
	receiver string
	came     chan callback
}

type callback struct {
	header http.Header
	path   string
	body   []byte
}

func play(t *testing.T) *stage {
	s := &stage{came: make(chan callback, 10)}
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.came <- callback{r.Header, r.URL.Path, body}
	}))
	t.Cleanup(receiver.Close)
	s.receiver = receiver.URL
	var err error
	if s.Server, err = server.Start(t.Context(), server.Config{
		Addr: "127.0.0.1:0", Data: t.TempDir(), AdminKey: adminKey, EgressAllow: "127.0.0.0/8", Version: "test", Log: slog.New(slog.DiscardHandler),
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

// delivered holds what a client printed, a delivery's id and the secret, to
// what the receiver got.
func (s *stage) delivered(t *testing.T, printed string) {
	t.Helper()
	var id, secret string
	if _, err := fmt.Sscan(printed, &id, &secret); err != nil {
		t.Fatalf("the client printed %q: %v", printed, err)
	}
	if len(s.came) != 1 {
		t.Fatalf("%d callbacks came, want 1", len(s.came))
	}
	c := <-s.came
	verifier, err := verify.New(secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := verifier.Verify(c.header, c.body); err != nil {
		t.Error(err)
	}
	if got := c.header.Get("Webhook-Id"); got != id {
		t.Errorf("delivery %s came, the client read %s", got, id)
	}
	var got map[string]any // a client may write the keys of the subscription's body in another order
	if err := json.Unmarshal(c.body, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"user": "bob", "points": 10.0, "reason": "flight 5, to LIS"}, got); diff != "" || c.path != "/points" {
		t.Errorf("%s got (-want +got):\n%s", c.path, diff)
	}
}

// workshop is a new folder that holds the document as it is served, and copies
// of some files.
func workshop(t *testing.T, s *stage, from string, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	answer, err := http.Get(s.URL() + "/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	document, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatal(answer.Status, err)
	}
	write(t, filepath.Join(dir, "openapi.json"), string(document))
	if err := os.Mkdir(filepath.Join(dir, "postino"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		bring(t, filepath.Join(dir, name), filepath.Join(from, name))
	}
	return dir
}

// documented returns the arguments of the command in docs/api.md that begins
// so. The version there must be the one installed.
func documented(t *testing.T, begin, installed string) []string {
	t.Helper()
	line := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(begin) + `v?(\S+) (.*)$`).FindStringSubmatch(read(t, "../../../docs/api.md"))
	if line == nil {
		t.Fatalf("docs/api.md has no command %s…", begin)
	}
	pins := read(t, filepath.Join(installed, "go.mod")) + read(t, filepath.Join(installed, "package.json"))
	name := strings.TrimSuffix(strings.TrimPrefix(strings.Fields(begin)[len(strings.Fields(begin))-1], "github.com/"), "@")
	name = strings.TrimSuffix(name, "/cmd/oapi-codegen")
	if !regexp.MustCompile(regexp.QuoteMeta(name) + `(": "| v)` + regexp.QuoteMeta(line[1]) + `\b`).MatchString(pins) {
		t.Errorf("docs/api.md names version %s of %s, another is installed", line[1], name)
	}
	return strings.Fields(line[2])
}

// readme returns the subscription that the README begins with.
func readme(t *testing.T) string {
	t.Helper()
	_, text, found := strings.Cut(read(t, "../../../README.md"), "<!-- subscription -->\n```json\n")
	text, _, ends := strings.Cut(text, "```")
	if !found || !ends {
		t.Fatal("the README has no subscription")
	}
	return text
}

// run runs a command in a folder and returns what it printed.
func run(t *testing.T, dir string, environment []string, name string, arguments ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // of a machine that does much else
	defer cancel()
	cmd := exec.CommandContext(ctx, name, arguments...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), environment...)
	var trouble strings.Builder
	cmd.Stderr = &trouble
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", filepath.Base(name), err, out, trouble.String())
	}
	return string(out)
}

func bring(t *testing.T, to, from string) { t.Helper(); write(t, to, read(t, from)) }

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
