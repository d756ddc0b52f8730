package console

import (
	"os/exec"
	"testing"

	"github.com/postino/postino/infra/tools/testserver"
)

// A user of Go has no Node, so the built files are committed, and this holds
// them to their source.
func TestTheCommittedFilesAreWhatTheSourceMakes(t *testing.T) {
	packages := testserver.Require(t, "POSTINO_CONSOLE_PACKAGES")
	cmd := exec.CommandContext(t.Context(), "node", "../../../console/build.mjs", "--check")
	cmd.Env = append(cmd.Environ(), "POSTINO_CONSOLE_PACKAGES="+packages)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}
