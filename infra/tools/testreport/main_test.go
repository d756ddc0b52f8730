package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReportFailsUnlessEveryTestRanAndPassed(t *testing.T) {
	const passing = `{"Action":"output","Package":"p","Test":"TestA","Output":"noise\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
`
	for _, tt := range []struct {
		name, in string
		ok       bool
		says     string
	}{
		{"all pass", passing + `{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}
`, true, "ok  \tp\t0.1s\n1 packages: 1 tests passed, 0 failed, 0 skipped\n"},
		{"one fails", passing + `{"Action":"output","Package":"p","Test":"TestB","Output":"got 1, want 2\n"}
{"Action":"fail","Package":"p","Test":"TestB"}
{"Action":"fail","Package":"p"}
`, false, "got 1, want 2\n"},
		{"one is skipped", passing + `{"Action":"output","Package":"p","Test":"TestB","Output":"no server\n"}
{"Action":"skip","Package":"p","Test":"TestB"}
{"Action":"pass","Package":"p"}
`, false, "no server\n"},
		{"a package does not compile", passing + `{"Action":"build-output","ImportPath":"q","Output":"q.go:1: no\n"}
{"Action":"fail","Package":"q"}
`, false, "q.go:1: no\n"},
		{"a package has no tests", passing + `{"Action":"skip","Package":"q"}
`, true, "0 skipped"},
		{"a panic outside of tests", passing + `{"Action":"output","Package":"q","Output":"panic: x\n"}
{"Action":"fail","Package":"q"}
`, false, "panic: x\n"},
		{"the go command cannot start", "go: no such module\n", false, "go: no such module\n"},
		{"nothing ran", "", false, "0 packages"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			ok, _, err := report(strings.NewReader(tt.in), &out)
			if ok != tt.ok || err != nil {
				t.Errorf("report: ok %v, error %v, want %v and none", ok, err, tt.ok)
			}
			if !strings.Contains(out.String(), tt.says) {
				t.Errorf("output %q, want it to contain %q", out.String(), tt.says)
			}
			if strings.Contains(out.String(), "noise") {
				t.Errorf("output %q contains that of a test that passed", out.String())
			}
		})
	}
}

func TestAFileThatCountsOtherTestsIsFound(t *testing.T) {
	file := filepath.Join(t.TempDir(), "README.md")
	if err := os.WriteFile(file, []byte("ends with `1 packages: 2 tests passed, 0 failed, 0 skipped`."), 0o600); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]bool{
		"1 packages: 2 tests passed, 0 failed, 0 skipped": true,
		"1 packages: 3 tests passed, 0 failed, 0 skipped": false,
	} {
		if got, err := said(file, line); got != want || err != nil {
			t.Errorf("said(%q) = %v, %v, want %v", line, got, err, want)
		}
	}
	if _, err := said(file+".missing", "line"); err == nil {
		t.Error("a file that is missing is no error")
	}
}
