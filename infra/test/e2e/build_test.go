package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
)

var programs struct {
	once sync.Once
	dir  string
	err  error
}

// build compiles the functions, once, as `make build` does but for this
// machine, and returns the folder where they are.
func build(t *testing.T) string {
	t.Helper()
	programs.once.Do(func() {
		if programs.dir, programs.err = os.MkdirTemp("", "postino-functions-"); programs.err != nil {
			return
		}
		cmd := exec.Command("go", "build", "-trimpath", "-tags=lambda.norpc", "-ldflags=-s -w", "-o", programs.dir+"/", "./functions/...")
		cmd.Dir = "../../.."
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			programs.err = fmt.Errorf("%w:\n%s", err, out)
		}
	})
	if programs.err != nil {
		t.Fatalf("build the functions: %v", programs.err)
	}
	return programs.dir
}

func TestMain(m *testing.M) {
	code := m.Run()
	if whole := flag.Lookup("test.run").Value.String() == ""; whole && code == 0 {
		for _, right := range unused() {
			fmt.Printf("template.yaml: %s, and never does\n", right)
			code = 1
		}
	}
	os.RemoveAll(programs.dir)
	os.Exit(code)
}
