package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/cmd/postino/check"
	"github.com/postino/postino/shared/postino"
)

// checked is what `postino check` says of a stack.
func checked(t *testing.T, s *stack, key string, wait time.Duration) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := (&check.Check{Endpoint: s.URL(), Key: key, Listen: "127.0.0.1:0", Version: postino.Version, Wait: wait, Out: &out}).Run(t.Context())
	return out.String(), err
}

func TestACheckOfTheFunctionsPassesEveryStep(t *testing.T) {
	t.Parallel()
	s := deploy(t, settings{})
	said, err := checked(t, s, adminKey, 3*time.Minute)
	if err != nil || strings.Count(said, "ok ") != 9 {
		t.Errorf("%v:\n%s\nwant nine steps that pass", err, said)
	}
	var out bytes.Buffer
	err = (&check.Check{Endpoint: s.URL(), Key: adminKey, Pull: true, Version: postino.Version, Wait: 3 * time.Minute, Out: &out}).Run(t.Context())
	if err != nil || strings.Count(out.String(), "ok ") != 9 {
		t.Errorf("by pulls: %v:\n%s\nwant nine steps that pass", err, out.String())
	}
}

// Each is something that a deployment can get wrong without an error of its
// own. A wrong clock is planted where the check is tested by itself.
func TestACheckFindsWhatIsPlantedInTheFunctions(t *testing.T) {
	t.Parallel()
	old := lagging(t)
	for about, tt := range map[string]struct {
		plant func(*stack, map[string]*rights)
		key   string
		want  string
	}{
		"a right that is taken away": {func(_ *stack, roles map[string]*rights) {
			for r := range roles["Delivery"].allowed {
				if strings.Contains(r.resource, "/index/") {
					delete(roles["Delivery"].allowed, r)
				}
			}
		}, adminKey, "AccessDenied perhaps"},
		"a queue that is not wired": {func(s *stack, _ map[string]*rights) {
			delete(s.template.Resources["Fanout"].Properties.Events, "Events")
		}, adminKey, "wait in the queue events"},
		"an alias that lags behind": {func(s *stack, _ map[string]*rights) {
			s.old = map[string]string{"Delivery": old}
		}, adminKey, "delivery runs version 0.0.9"},
		"a wrong key":  {nil, "the-key-of-another-stack", "The key is not the admin key"},
		"a dead sweep": {func(s *stack, _ map[string]*rights) { s.settings.still = true }, adminKey, "sweep has not run within"},
	} {
		t.Run(about, func(t *testing.T) {
			t.Parallel()
			said, err := checked(t, deploy(t, settings{plant: tt.plant}), tt.key, 30*time.Second)
			if err == nil || !strings.Contains(said, tt.want) {
				t.Errorf("%v:\n%s\nwant %q", err, said, tt.want)
			}
		})
	}
}

// lagging builds delivery as an older release.
func lagging(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "delivery")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-tags=lambda.norpc",
		"-ldflags=-s -w -X github.com/postino/postino/shared/postino.release=0.0.9", "-o", file, "./functions/delivery")
	cmd.Dir, cmd.Env = "../../..", append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return file
}
