package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/cmd/postino/server"
	"github.com/postino/postino/cmd/postino/server/servertest"
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
	change = append([]func(*server.Config){servertest.StandStill, func(c *server.Config) { c.AdminKey = adminKey }}, change...)
	return local{servertest.Start(t, change...)}
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
