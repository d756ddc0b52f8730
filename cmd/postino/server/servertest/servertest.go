// Package servertest starts local mode for a test, and stops it when the test
// ends.
package servertest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/postino/postino/cmd/postino/server"
)

// AdminKey is the administrator's key of a server that [Start] starts.
const AdminKey = "admin-key-of-the-test"

// Start starts a server on a free port of this machine, with a new folder for
// its data. Its log, from warnings on, goes to the test's output. It may call
// receivers on this machine.
func Start(t *testing.T, change ...func(*server.Config)) *server.Server {
	t.Helper()
	config := server.Config{
		Addr: "127.0.0.1:0", Data: t.TempDir(), AdminKey: AdminKey, EgressAllow: "127.0.0.0/8",
		Version: "test", Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	for _, c := range change {
		c(&config)
	}
	s, err := server.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

// StandStill stops the clock, which then moves by POST /v1/clock alone.
func StandStill(c *server.Config) { c.TestClock = true }

// Quiet drops the log.
func Quiet(c *server.Config) { c.Log = slog.New(slog.DiscardHandler) }
