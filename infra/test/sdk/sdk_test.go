package sdk

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// called is what the quick start of each SDK prints: the README's callback.
var called = []string{"/points", `"points":10`, `"reason":"flight 5, to LIS"`, `"user":"bob"`}

func TestThePythonPackageRunsTheQuickStartAndTests(t *testing.T) {
	p := play(t)
	pip := filepath.Dir(p.tool(t, "python", "bin", "pip"))
	checkout := stage(t, "../../../sdk", "sdk")
	p.environment = append(p.environment, "PATH="+pip+":"+os.Getenv("PATH"), "PIP_NO_INDEX=1", "PIP_NO_BUILD_ISOLATION=0")
	p.documented(t, "sdks.md", checkout, "pip wheel --no-deps --wheel-dir dist ./sdk/python")
	home := filepath.Join(t.TempDir(), "venv")
	p.run(t, checkout, "python3", "-m", "venv", "--without-pip", home)
	p.environment = append(p.environment, "PIP_PYTHON="+filepath.Join(home, "bin", "python"))
	p.documented(t, "sdks.md", checkout, "pip install ./dist/postino-0.1.0-py3-none-any.whl")
	folder := stage(t, "testdata/python", "")
	p.environment = append(p.environment, "PATH="+filepath.Join(home, "bin")+":"+os.Getenv("PATH"))
	p.quickStart(t, p.run(t, folder, "sh", "-c", "python quickstart.py"))
	p.documented(t, "testing-your-code.md", folder, "python -m unittest -q test_orders")
}

func TestTheTypeScriptPackageRunsTheQuickStartAndTests(t *testing.T) {
	p := play(t)
	modules := p.tool(t, "node_modules")
	p.environment = append(p.environment, "npm_config_offline=true", "npm_config_audit=false", "npm_config_fund=false", "npm_config_update_notifier=false")
	checkout := stage(t, "../../../sdk", "sdk")
	if err := os.RemoveAll(filepath.Join(checkout, "sdk/typescript/node_modules")); err != nil {
		t.Fatal(err)
	}
	link(t, modules, filepath.Join(checkout, "sdk/typescript/node_modules")) // for npm install --prefix sdk/typescript
	if err := os.Mkdir(filepath.Join(checkout, "dist"), 0o700); err != nil {
		t.Fatal(err)
	}
	p.documented(t, "sdks.md", checkout, "npm pack ./sdk/typescript --pack-destination dist")
	folder := stage(t, "testdata/typescript", "")
	write(t, filepath.Join(folder, "package.json"), `{"name":"orders","private":true,"type":"module"}`)
	link(t, filepath.Join(checkout, "dist"), filepath.Join(folder, "dist"))
	p.documented(t, "sdks.md", folder, "npm install ./dist/postino-sdk-0.1.0.tgz")
	for _, types := range []string{"@types", "undici-types"} { // what tests in TypeScript have anyway
		link(t, filepath.Join(modules, types), filepath.Join(folder, "node_modules", types))
	}
	p.run(t, folder, filepath.Join(modules, ".bin", "tsc"), "--strict", "--module", "nodenext", "--target", "es2022", "--lib", "es2022", "--types", "node", "quickstart.ts", "orders.test.ts")
	p.quickStart(t, p.run(t, folder, "node", "quickstart.js"))
	p.documented(t, "testing-your-code.md", folder, "node --test orders.test.js")
}

// quickStart looks for the README's callback in what a program printed.
func (p *player) quickStart(t *testing.T, printed string) {
	t.Helper()
	for _, part := range called {
		if !strings.Contains(printed, part) {
			t.Errorf("the quick start prints %s, without %s", printed, part)
		}
	}
}

// stage copies a folder into an empty one, there as name.
func stage(t *testing.T, from, name string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(filepath.Join(to, name), os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

func link(t *testing.T, to, name string) {
	t.Helper()
	if err := os.Symlink(to, name); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
