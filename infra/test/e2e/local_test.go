package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/cmd/postino/server"
)

func TestStoriesInOneProcess(t *testing.T) {
	for name, s := range stories(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, s, startLocal(t))
		})
	}
}

// local is local mode, on a clock that stands still.
type local struct{ *server.Server }

func startLocal(t *testing.T, change ...func(*server.Config)) local {
	t.Helper()
	config := server.Config{
		Addr: "127.0.0.1:0", Data: t.TempDir(), AdminKey: adminKey, EgressAllow: "127.0.0.0/8", TestClock: true,
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
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return local{s}
}

// Advance moves the clock.
func (l local) Advance(ctx context.Context, by time.Duration) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.URL()+"/v1/clock",
		strings.NewReader(fmt.Sprintf(`{"advance":"%dms"}`, by.Milliseconds())))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+adminKey)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the clock answers %s", resp.Status)
	}
	return nil
}

// Redrive moves messages.
func (l local) Redrive(ctx context.Context, n int) error {
	for moved := 0; moved < n; {
		m, err := l.Server.Redrive(ctx, n-moved)
		if err != nil {
			return err
		}
		moved += m
		if m == 0 && ctx.Err() != nil {
			return fmt.Errorf("%d messages in exhausted, want %d", moved, n)
		}
	}
	return nil
}
