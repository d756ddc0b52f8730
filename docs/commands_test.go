package docs

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/postino/postino/cmd/postino/server/servertest"
)

var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// play runs the commands of a page one after the other in an empty folder, with
// ACME and KEY set, and returns all that they print. Each must succeed.
func play(t *testing.T, page, acme string) string {
	t.Helper()
	var script strings.Builder
	script.WriteString("set -eu\n")
	for _, block := range shellBlock.FindAllStringSubmatch(pages(t)[page], -1) {
		script.WriteString(block[1] + "echo\n")
	}
	command := exec.CommandContext(t.Context(), "sh", "-c", script.String())
	command.Dir = t.TempDir()
	command.Env = append(os.Environ(), "ACME="+acme, "KEY="+servertest.AdminKey)
	printed, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("the commands of %s: %v\n%s", page, err, printed)
	}
	return string(printed)
}

func TestTheCommandsOfPullingDoWhatThePageSays(t *testing.T) {
	s := servertest.Start(t)
	printed := play(t, "docs/pulling.md", s.URL()+"/v1/tenants/acme")
	for _, want := range []string{`"recorded":true,"status":"succeeded"`, `"recorded":true,"status":"pending"`} {
		if !strings.Contains(printed, want) {
			t.Errorf("the commands print\n%s\nwithout %s", printed, want)
		}
	}
	if strings.Contains(printed, `"deliveries":[]`) || strings.Contains(printed, `"recorded":false`) {
		t.Errorf("the commands print\n%s\nwant every pull to bring something, and all of it recorded", printed)
	}
}
