package module

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"
)

const (
	root     = "../../.."
	program  = "github.com/postino/postino"
	receiver = program + "/verify"
	sdk      = program + "/sdk/go"
	version  = "v0.99.0" // of what the tests publish
)

// TestTheProgramInstallsWithoutACheckout publishes the module to a proxy and
// asks Go to install the program from there. That refuses what only holds in a
// checkout: a replace directive, or a package of the module in verify/.
func TestTheProgramInstallsWithoutACheckout(t *testing.T) {
	proxy := t.TempDir()
	publish(t, proxy, module.Version{Path: program, Version: version}, root)
	install := outside(t, t.TempDir(), proxy, "install", "-n", program+"/cmd/postino@"+version)
	if out, err := install.CombinedOutput(); err != nil {
		t.Errorf("go install %s/cmd/postino@%s: %v\n%.2000s", program, version, err, out)
	}
}

// TestReceiversNeedNothingButAnOldGo holds the module for receivers to the
// standard library, and to a Go that its users may still have.
func TestReceiversNeedNothingButAnOldGo(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "verify", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "module " + receiver + "\n\ngo 1.22\n"; string(text) != want {
		t.Errorf("verify/go.mod is\n%s\nwant\n%s", text, want)
	}
	proxy, folder := t.TempDir(), t.TempDir()
	publish(t, proxy, module.Version{Path: receiver, Version: version}, filepath.Join(root, "verify"))
	for name, text := range map[string]string{
		"go.mod":  "module example.com/receiver\n\ngo 1.22\n\nrequire " + receiver + " " + version + "\n",
		"main.go": "package main\n\nimport \"" + receiver + "\"\n\nfunc main() { _, _ = verify.New(\"\") }\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := outside(t, folder, proxy, "build", "-mod=mod", "-o", os.DevNull, ".").CombinedOutput(); err != nil {
		t.Errorf("a receiver of Go 1.22 does not build: %v\n%.2000s", err, out)
	}
}

// outside is the go command for somebody without this checkout, who finds our
// modules in a proxy.
func outside(t *testing.T, folder, proxy string, args ...string) *exec.Cmd {
	cmd := exec.Command("go", args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOSUMDB=off", "GOFLAGS=-modcacherw", "GOMODCACHE="+t.TempDir(),
		"GOPROXY=file://"+proxy+",file://"+goenv(t, "GOMODCACHE")+"/cache/download,"+goenv(t, "GOPROXY"))
	return cmd
}

// publish puts the module of a folder into a proxy.
func publish(t *testing.T, proxy string, m module.Version, folder string) {
	t.Helper()
	versions := filepath.Join(proxy, m.Path, "@v")
	if err := os.MkdirAll(versions, 0o755); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(versions, m.Version)
	goMod, err := os.ReadFile(filepath.Join(folder, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	info := fmt.Sprintf(`{"Version":%q,"Time":%q}`, m.Version, time.Unix(0, 0).UTC().Format(time.RFC3339))
	archive, err := os.Create(name + ".zip")
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	if err := modzip.Create(archive, m, files(t, folder)); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string][]byte{
		name + ".mod": goMod, name + ".info": []byte(info), filepath.Join(versions, "list"): []byte(m.Version + "\n"),
	} {
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// files are those of the module in a folder: what git knows or would add, but
// no module within it.
func files(t *testing.T, folder string) (list []modzip.File) {
	t.Helper()
	cmd := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard")
	cmd.Dir = folder
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		if folder == root && (strings.HasPrefix(name, "verify/") || strings.HasPrefix(name, "sdk/go/")) {
			continue
		}
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			continue // deleted in the checkout, and not yet in git
		}
		list = append(list, file{folder, name})
	}
	return list
}

// file is one of a module.
type file struct{ folder, name string }

func (f file) Path() string                 { return path.Clean(f.name) }
func (f file) Lstat() (os.FileInfo, error)  { return os.Lstat(filepath.Join(f.folder, f.name)) }
func (f file) Open() (io.ReadCloser, error) { return os.Open(filepath.Join(f.folder, f.name)) }

func goenv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
