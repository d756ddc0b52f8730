package template

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The programs that a deployment calls, as far as it looks at what they say.
// Each writes its arguments to a log.
var fakes = map[string]string{
	"aws": `echo "aws $*" >>"$LOG"
case "$*" in
  *OutputKey*Endpoint*) echo https://api.example ;;
  *OutputKey*AdminKeySecret*) echo the-secret ;;
  *describe-stacks*) [ -n "$THERE" ] && echo "$THERE" ;;
  *get-account-settings*) echo "$FREE" ;;
  *get-secret-value*the-secret*) echo the-admin-key ;;
esac`,
	"sam":     `echo "sam $*" >>"$LOG"`,
	"postino": `echo "postino $* with $POSTINO_ADMIN_KEY" >>"$LOG"`,
}

// deploys runs infra/tools/deploy, and returns what it called and said.
func deploys(t *testing.T, free, there string, arguments ...string) (called, said string, err error) {
	t.Helper()
	bin := t.TempDir()
	for name, body := range fakes {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/usr/bin/env bash\n"+body+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	log := filepath.Join(t.TempDir(), "log")
	cmd := exec.CommandContext(t.Context(), "../../tools/deploy", arguments...)
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "LOG="+log, "FREE="+free, "THERE="+there, "SAM=sam", "POSTINO=postino")
	out, err := cmd.CombinedOutput()
	text, _ := os.ReadFile(log) // none if nothing was called
	return string(text), string(out), err
}

func TestADeploymentAsksForNothingAndChecksWhatItMade(t *testing.T) {
	for _, tt := range []struct {
		about       string
		free, there string
		arguments   []string
		want        []string // in what was called
		not         string
	}{
		{"the first", "1000", "", nil, []string{"sam deploy --stack-name postino --confirm-changeset", "postino check -endpoint https://api.example", "with the-admin-key"}, "--parameter-overrides"},
		{"a new account", "10", "", nil, []string{"FanoutConcurrency=2 DeliveryConcurrency=2 RetryConcurrency=2 ResendConcurrency=2"}, "guided"},
		{"a new account with a choice of its own", "10", "", []string{"FanoutConcurrency=3"}, []string{"DeliveryConcurrency=2 RetryConcurrency=2 ResendConcurrency=2 FanoutConcurrency=3"}, "FanoutConcurrency=2"},
		{"a profile", "1000", "", []string{"-profile", "isolated", "-stack", "other", "-yes", "Network=lambda"}, []string{"--stack-name other --no-confirm-changeset", "StrictTenants=on StrictTypes=on Network=lambda"}, "Network=fixed"},
		{"one whose change set nobody executed", "1000", "REVIEW_IN_PROGRESS", []string{"-profile", "trial"}, []string{"--parameter-overrides Alarms=off"}, "guided"},
		{"a later one", "10", "UPDATE_ROLLBACK_COMPLETE", []string{"AlarmEmail=a@b.example"}, []string{"--parameter-overrides AlarmEmail=a@b.example"}, "Concurrency=2"},
	} {
		called, said, err := deploys(t, tt.free, tt.there, tt.arguments...)
		if err != nil {
			t.Errorf("%s: %v\n%s", tt.about, err, said)
		}
		for _, want := range tt.want {
			if !strings.Contains(called, want) {
				t.Errorf("%s: called\n%s\nwant %q", tt.about, called, want)
			}
		}
		if strings.Contains(called, tt.not) {
			t.Errorf("%s: called\n%s\nwithout %q", tt.about, called, tt.not)
		}
	}
}

func TestADeploymentRefusesWhatItDoesNotUnderstand(t *testing.T) {
	for _, tt := range []struct {
		there     string
		arguments []string
		want      string
	}{
		{"CREATE_COMPLETE", []string{"-profile", "cheap"}, "there is no profile cheap"},
		{"CREATE_COMPLETE", []string{"production"}, "want -profile, -stack, -yes or"},
		{"CREATE_COMPLETE", []string{"-profile", "trial"}, "is there already and keeps its parameters"},
		{"ROLLBACK_COMPLETE", []string{"-profile", "trial"}, "Delete it: aws cloudformation delete-stack --stack-name postino"},
		{"ROLLBACK_FAILED", nil, "describe-stack-events --stack-name postino"},
		{"UPDATE_ROLLBACK_IN_PROGRESS", nil, "wait until that has ended"},
	} {
		called, said, err := deploys(t, "1000", tt.there, tt.arguments...)
		if err == nil || !strings.Contains(said, tt.want) || strings.Contains(called, "sam") {
			t.Errorf("%s, %v: %v, called %q, said %q, want %q before anything is deployed", tt.there, tt.arguments, err, called, said, tt.want)
		}
	}
}

// macOS has a bash of 2007.
func TestToolsOfUsersNeedNoNewBash(t *testing.T) {
	text, err := os.ReadFile("../../tools/deploy")
	if err != nil {
		t.Fatal(err)
	}
	for _, newer := range []string{"declare -A", "mapfile", "readarray", "${own[-1]}", ",,}", "^^}"} {
		if strings.Contains(string(text), newer) {
			t.Errorf("infra/tools/deploy has %q, which bash 3.2 does not know", newer)
		}
	}
}

// A profile names parameters of the template, and values that it allows.
func TestProfilesNameParametersThatAre(t *testing.T) {
	text, err := os.ReadFile("../../tools/deploy")
	if err != nil {
		t.Fatal(err)
	}
	parameters := read(t)["Parameters"].(object)
	seen := 0
	for line := range strings.Lines(string(text)) {
		_, list, is := strings.Cut(line, `) echo "`)
		if small, found := strings.CutPrefix(line, `small="`); found {
			list, is = small, true
		}
		if !is {
			continue
		}
		for _, one := range strings.Fields(strings.Split(list, `"`)[0]) {
			name, value, _ := strings.Cut(one, "=")
			seen++
			if allowed := words(at(parameters, name, "AllowedValues")); parameters[name] == nil || allowed != "" && !strings.Contains(allowed, " "+value+" ") {
				t.Errorf("%s is no parameter of the template, or does not allow %s", name, value)
			}
		}
	}
	if seen < 10 {
		t.Errorf("%d parameters were found in the profiles", seen)
	}
}

// words are the values of a list, between blanks; "" for none.
func words(v any) string {
	if v == nil {
		return ""
	}
	joined := " "
	for _, one := range list(v) {
		joined += fmt.Sprint(one) + " "
	}
	return joined
}
