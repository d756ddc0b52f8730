// Package architecture tests which packages may import which, by the actual
// imports.
package architecture

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/postino/postino/"

// listed is one package as go list tells of it.
type listed struct {
	ImportPath string
	Standard   bool
	Imports    []string // direct
	Deps       []string // all
}

// packages lists the module's packages by path within it, and all they depend
// on by import path.
func packages(t *testing.T) (own, all map[string]listed) {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Standard,Imports,Deps", "./...", "./verify/...")
	cmd.Dir = "../../.."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, stderr.String())
	}
	own, all = map[string]listed{}, map[string]listed{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return own, all
		} else if err != nil {
			t.Fatal(err)
		}
		all[p.ImportPath] = p
		if path, ours := strings.CutPrefix(p.ImportPath, module); ours {
			own[path] = p
		}
	}
}

// within reports whether an import path of ours is one of the folders or lies
// below it.
func within(path string, folders ...string) bool {
	path, ours := strings.CutPrefix(path, module)
	return ours && slices.ContainsFunc(folders, func(f string) bool { return path == f || strings.HasPrefix(path, f+"/") })
}

var (
	stages   = []string{"shared/stage/ingest", "shared/stage/fanout", "shared/stage/delivery", "shared/stage/manage", "shared/stage/sweep", "shared/stage/job"}
	adapters = []string{
		"shared/platform/aws/dynamostore", "shared/platform/local/localstore", "shared/platform/aws/sqsqueue", "shared/platform/local/localqueue",
		"shared/platform/aws/awslambda", "shared/platform/aws/awssecret", "shared/platform/aws/adminkey", "shared/platform/local/engine", "shared/platform/local/localtable",
	}
	sdks = []string{"github.com/aws/"}
)

// isSDK reports whether a package belongs to a cloud's SDK.
func isSDK(path string) bool {
	return slices.ContainsFunc(sdks, func(sdk string) bool { return strings.HasPrefix(path, sdk) })
}

func TestNothingImportsFunctionsOrInfra(t *testing.T) {
	own, _ := packages(t)
	for path, p := range own {
		for _, dep := range p.Imports {
			if within(dep, "functions") && !strings.HasPrefix(path, "functions/") || within(dep, "infra") && !strings.HasPrefix(path, "infra/") {
				t.Errorf("%s imports %s", path, dep)
			}
		}
	}
}

func TestStagesKnowNoOtherStageNoAdapterAndNoSDK(t *testing.T) {
	own, _ := packages(t)
	for _, stage := range stages {
		p, found := own[stage]
		if !found {
			t.Errorf("there is no %s", stage)
		}
		others := slices.DeleteFunc(slices.Clone(stages), func(other string) bool { return other == stage })
		for _, dep := range p.Deps {
			if within(dep, others...) || within(dep, adapters...) || isSDK(dep) {
				t.Errorf("%s depends on %s", stage, dep)
			}
		}
	}
}

func TestAdaptersKnowNoStage(t *testing.T) {
	own, _ := packages(t)
	for _, adapter := range adapters {
		p, found := own[adapter]
		if !found {
			t.Errorf("there is no %s", adapter)
		}
		for _, dep := range p.Deps {
			if within(dep, stages...) {
				t.Errorf("%s depends on %s", adapter, dep)
			}
		}
	}
}

func TestCorePackagesUseOnlyTheStandardLibraryAndTheNouns(t *testing.T) {
	own, all := packages(t)
	for path, p := range own {
		core := within(module+path, "shared/webhook", "shared/callback/signature", "shared/callback/retry", "shared/language/pattern", "shared/language/liquid", "shared/language/suggest")
		verify := within(module+path, "verify")
		if !core && !verify || strings.HasPrefix(path, "shared/language/pattern/oracle") {
			continue
		}
		for _, dep := range p.Deps {
			known := all[dep].Standard || strings.HasPrefix(dep, "vendor/") || within(dep, path) || core && within(dep, "shared/webhook", "shared/language/suggest")
			if !known {
				t.Errorf("%s depends on %s", path, dep)
			}
		}
	}
}

func TestLocalModeLinksNoSDK(t *testing.T) {
	own, _ := packages(t)
	for _, dep := range own["cmd/postino"].Deps {
		if isSDK(dep) {
			t.Errorf("cmd/postino depends on %s", dep)
		}
	}
}

// A first build compiles all that is linked. Pebble's own requirements would be a
// sixth of it: see shared/platform/local/engine/light.
func TestLocalModeLinksNoProtocolBuffers(t *testing.T) {
	own, _ := packages(t)
	for _, dep := range own["cmd/postino"].Deps {
		if strings.Contains(dep, "protobuf") || strings.HasPrefix(dep, "github.com/getsentry/") || dep == "go/parser" {
			t.Errorf("cmd/postino depends on %s, want nothing that Pebble does not use itself", dep)
		}
	}
}

func TestOnlyAwslambdaKnowsEventShapes(t *testing.T) {
	own, _ := packages(t)
	for path, p := range own {
		if path == "shared/platform/aws/awslambda" || strings.HasPrefix(path, "functions/") {
			continue
		}
		if slices.Contains(p.Imports, "github.com/aws/aws-lambda-go/events") {
			t.Errorf("%s imports the events of Lambda", path)
		}
	}
}
