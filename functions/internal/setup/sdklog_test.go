package setup

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/smithy-go/logging"
)

func TestWhatTheSDKLogsComesWithoutWhatItWasTold(t *testing.T) {
	var out bytes.Buffer
	l := sdkLog{slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	l.Logf(logging.Debug, "Request %s", "hunter2")
	l.Logf(logging.Warn, "failed to parse response Date header value, got %v", "hunter2")
	if got := out.String(); strings.Contains(got, "hunter2") || strings.Count(got, "\n") != 1 || !strings.Contains(got, `"level":"WARN"`) || !strings.Contains(got, "Date header value") {
		t.Errorf("logged %s, want one warning without what was told", got)
	}
}
