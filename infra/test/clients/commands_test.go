package clients

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/infra/tools/testserver"
)

// openapiGenerator runs the command of docs/api.md for a language.
func openapiGenerator(t *testing.T, dir, installed, language string) {
	t.Helper()
	command := regexp.MustCompile(`(?m)^java -jar (openapi-generator-cli-\S+\.jar) (.* -g ` + language + `( .*)?)$`).FindStringSubmatch(read(t, "../../../docs/api.md"))
	if command == nil {
		t.Fatalf("docs/api.md has no command for %s", language)
	}
	jar := filepath.Join(installed, "java", command[1])
	said := run(t, dir, nil, "java", append([]string{"-XX:TieredStopAtLevel=1", "-jar", jar}, strings.Fields(command[2])...)...)
	if strings.Contains(said, " ERROR ") {
		t.Errorf("openapi-generator for %s says:\n%s", language, said)
	}
}

func glob(t *testing.T, pattern ...string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(pattern...))
	if err != nil || len(found) == 0 {
		t.Fatalf("%s: %v, %v", pattern, found, err)
	}
	return found
}

// generators is the folder in which they are installed.
func generators(t *testing.T) string {
	installed, err := filepath.Abs(testserver.Require(t, "POSTINO_CLIENT_GENERATORS"))
	if err != nil {
		t.Fatal(err)
	}
	return installed
}

// documented returns the arguments of the command in docs/api.md that begins
// so. The version there must be the one installed.
func documented(t *testing.T, begin, installed string) []string {
	t.Helper()
	line := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(begin) + `v?(\S+) (.*)$`).FindStringSubmatch(read(t, "../../../docs/api.md"))
	if line == nil {
		t.Fatalf("docs/api.md has no command %s…", begin)
	}
	pins := ""
	for _, file := range []string{"go.mod", "package.json", "requirements.txt"} {
		pins += read(t, filepath.Join(installed, file))
	}
	name := strings.TrimSuffix(strings.TrimPrefix(strings.Fields(begin)[len(strings.Fields(begin))-1], "github.com/"), "@")
	name = strings.TrimSuffix(name, "/cmd/oapi-codegen")
	if !regexp.MustCompile(regexp.QuoteMeta(name) + `(": "| v|==)` + regexp.QuoteMeta(line[1]) + `\b`).MatchString(pins) {
		t.Errorf("docs/api.md names version %s of %s, another is installed", line[1], name)
	}
	return strings.Fields(line[2])
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
