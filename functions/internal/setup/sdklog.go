package setup

import (
	"context"
	"log/slog"

	"github.com/aws/smithy-go/logging"
)

// sdkLog takes what the AWS SDK writes by itself into our own log: its words
// without what they were to be filled with, which came over the network.
type sdkLog struct{ to *slog.Logger }

// Logf logs; see [logging.Logger].
func (l sdkLog) Logf(class logging.Classification, format string, _ ...any) {
	level := slog.LevelDebug
	if class == logging.Warn {
		level = slog.LevelWarn
	}
	l.to.LogAttrs(context.Background(), level, "the AWS SDK logged", slog.String("text", format))
}
