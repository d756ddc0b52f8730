package module

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postino/postino/cmd/postino/server/servertest"
	"golang.org/x/mod/module"
)

// TestTheGoModuleRunsTheQuickStartAndTests publishes the SDK and the module for
// receivers to a proxy, and has a module that requires both run the quick start
// and the tests of docs/testing-your-code.md.
func TestTheGoModuleRunsTheQuickStartAndTests(t *testing.T) {
	if text, err := os.ReadFile(filepath.Join(root, "sdk/go/go.mod")); err != nil || strings.Contains(string(text), "require") {
		t.Errorf("sdk/go/go.mod is %s, %v, want no requirement", text, err)
	}
	proxy, folder := t.TempDir(), t.TempDir()
	publish(t, proxy, module.Version{Path: sdk, Version: version}, filepath.Join(root, "sdk/go"))
	publish(t, proxy, module.Version{Path: receiver, Version: version}, filepath.Join(root, "verify"))
	if err := os.CopyFS(folder, os.DirFS("../sdk/testdata/go")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(folder, "go.mod.txt"), filepath.Join(folder, "go.mod")); err != nil {
		t.Fatal(err)
	}
	postino := filepath.Join(t.TempDir(), "postino")
	build := exec.Command("go", "build", "-o", postino, "./cmd/postino")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, args := range [][]string{{"run", "-mod=mod", "."}, {"test", "-mod=mod", "-count=1", "."}} {
		cmd := outside(t, folder, proxy, args...)
		cmd.Env = append(cmd.Env, "POSTINO_PROGRAM="+postino, "POSTINO_URL="+serve(t), "POSTINO_KEY="+adminKey)
		out, err := cmd.CombinedOutput()
		if err != nil || args[0] == "run" && !strings.Contains(string(out), `/points {`) {
			t.Errorf("go %s: %v\n%s", args[0], err, out)
		}
	}
}

const adminKey = servertest.AdminKey

// serve starts a server for the quick start.
func serve(t *testing.T) string {
	return servertest.Start(t, servertest.Quiet).URL()
}
