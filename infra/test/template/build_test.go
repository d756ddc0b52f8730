package template

import (
	"archive/zip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postino/postino/infra/tools/testserver"
)

const maxFunctionZip = 6 << 20 // bytes; the start of a function includes fetching and unpacking it

func TestTemplateIsValid(t *testing.T) {
	inRoot(t, testserver.Require(t, "POSTINO_SAM"), "validate", "--lint", "--template", "template.yaml")
}

func TestTemplateHasNothingToLint(t *testing.T) {
	inRoot(t, testserver.Require(t, "POSTINO_CFN_LINT"), "template.yaml")
}

// The build cache looks only at a function's folder, and would keep a function whose packages have changed.
func TestBuildsAreNotCached(t *testing.T) {
	config, err := os.ReadFile("../../../samconfig.toml")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(config), "\ncached = false") {
		t.Error("samconfig.toml does not say cached = false")
	}
}

func TestFunctionsBuildAndStaySmall(t *testing.T) {
	sam, dir := testserver.Require(t, "POSTINO_SAM"), t.TempDir()
	inRoot(t, sam, "build", "--template", "template.yaml", "--build-dir", dir)
	for function := range functions(read(t)) {
		binary := filepath.Join(dir, function, "bootstrap")
		if size := zippedSize(t, binary); size > maxFunctionZip {
			t.Errorf("%s zips to %d bytes, want at most %d", function, size, maxFunctionZip)
		} else {
			t.Logf("%s zips to %.2f MiB", function, float64(size)/(1<<20))
		}
	}
}

// inRoot runs a command in the repository's root, with what `make build` sets.
func inRoot(t *testing.T, command string, arguments ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command, arguments...)
	cmd.Dir = "../../.."
	cmd.Env = append(os.Environ(), "SAM_CLI_TELEMETRY=0", "AWS_DEFAULT_REGION="+testserver.Region,
		"CGO_ENABLED=0", `GOFLAGS=-trimpath -tags=lambda.norpc "-ldflags=-s -w"`)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", command, arguments, err, said)
	}
}

// zippedSize returns what a file takes in the zip that SAM uploads.
func zippedSize(t *testing.T, file string) int {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var out counter
	archive := zip.NewWriter(&out)
	entry, err := archive.Create("bootstrap")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(entry, in); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return int(out)
}

// counter counts the bytes written to it.
type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
