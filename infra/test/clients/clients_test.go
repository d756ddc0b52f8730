package clients

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

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

func TestTheGeneratedPythonClientsRunTheQuickStart(t *testing.T) {
	installed := generators(t)
	bin := filepath.Join(installed, "python", "bin")
	for _, tt := range []struct {
		program string
		make    func(t *testing.T, dir string)
	}{
		{"quickstart.py", func(t *testing.T, dir string) { openapiGenerator(t, dir, installed, "python") }},
		{"quickstart_httpx.py", func(t *testing.T, dir string) {
			run(t, dir, nil, filepath.Join(bin, "openapi-python-client"), documented(t, "uvx openapi-python-client@", installed)...)
		}},
	} {
		t.Run(tt.program, func(t *testing.T) {
			s := play(t)
			dir := workshop(t, s, installed)
			tt.make(t, dir)
			bring(t, filepath.Join(dir, tt.program), "testdata/"+tt.program)
			s.delivered(t, run(t, dir, []string{"PYTHONPATH=client"}, filepath.Join(bin, "python"), tt.program, s.URL(), adminKey, s.receiver))
		})
	}
}

func TestTheGeneratedJavaClientRunsTheQuickStart(t *testing.T) {
	installed := generators(t)
	s := play(t)
	dir := workshop(t, s, installed)
	openapiGenerator(t, dir, installed, "java")
	with := "classes"
	for _, jar := range glob(t, installed, "java", "*.jar") {
		if !strings.Contains(jar, "openapi-generator-cli") {
			with += ":" + jar
		}
	}
	bring(t, filepath.Join(dir, "Quickstart.java"), "testdata/Quickstart.java")
	made := filepath.Join(dir, "client/src/main/java/org/openapitools/client")
	sources := append(glob(t, made, "*.java"), glob(t, made, "*", "*.java")...)
	run(t, dir, nil, "javac", append([]string{"-nowarn", "-proc:none", "-d", "classes", "-cp", with, "Quickstart.java"}, sources...)...)
	s.delivered(t, run(t, dir, nil, "java", "-XX:TieredStopAtLevel=1", "-cp", with, "Quickstart", s.URL(), adminKey, s.receiver))
}

// No compiler of C# comes from the registries that the tests use, so this one
// is made and not compiled.
func TestAClientInCSharpCanBeGenerated(t *testing.T) {
	installed := generators(t)
	dir := workshop(t, play(t), installed)
	openapiGenerator(t, dir, installed, "csharp")
	api := read(t, filepath.Join(dir, "client/src/Postino/Api/EventsApi.cs"))
	if want := "PublishEventsAsync(string tenant, List<NewEvent> newEvent, Option<string> idempotencyKey"; !strings.Contains(api, want) {
		t.Errorf("EventsApi.cs has no %s", want)
	}
}

// TestLintersOfOpenAPIHaveNothingToSay runs Redocly and Spectral with the rules
// that they recommend. A warning counts.
func TestLintersOfOpenAPIHaveNothingToSay(t *testing.T) {
	installed := generators(t)
	dir := workshop(t, play(t), installed)
	bin := filepath.Join(installed, "node_modules", ".bin")
	quiet := []string{"REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true", "CI=true"}
	said := run(t, dir, quiet, filepath.Join(bin, "redocly"), "lint", "--extends=recommended", "--format=json", "openapi.json")
	var redocly struct {
		Problems []struct{ Message, RuleID string }
	}
	if err := json.Unmarshal([]byte(said[strings.Index(said, "{"):]), &redocly); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	for _, p := range redocly.Problems {
		t.Errorf("Redocly: %s: %s", p.RuleID, p.Message)
	}
	write(t, filepath.Join(dir, "rules.yaml"), "extends: ['spectral:oas']\n")
	run(t, dir, nil, filepath.Join(bin, "spectral"), "lint", "--ruleset", "rules.yaml", "--fail-severity", "hint", "openapi.json")
}
