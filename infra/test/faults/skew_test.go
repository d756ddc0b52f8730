package faults

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/postino/postino/cmd/postino/server"
)

// skewVariable makes the test binary the server, with a clock that is wrong by
// this duration. SIGUSR1 puts it forward by an hour, SIGUSR2 back.
const skewVariable = "POSTINO_FAULTS_SKEW"

func startSkewed(t *testing.T, data string, skew time.Duration) *process {
	t.Helper()
	cmd, stderr := command(data)
	cmd.Path = os.Args[0]
	cmd.Args = []string{os.Args[0], data}
	cmd.Env = append(cmd.Env, skewVariable+"="+skew.String())
	return launch(t, cmd, stderr)
}

// jump moves the clock of a process that startSkewed started.
func (p *process) jump(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// serveSkewed is the process: server.Start with a wrong clock, which sweeps
// each second.
func serveSkewed() (exit int) {
	var skew atomic.Int64
	d, err := time.ParseDuration(os.Getenv(skewVariable))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	skew.Store(int64(d))
	moves := make(chan os.Signal, 10)
	signal.Notify(moves, syscall.SIGUSR1, syscall.SIGUSR2)
	go func() {
		for s := range moves {
			if s == syscall.SIGUSR1 {
				skew.Add(int64(time.Hour))
			} else {
				skew.Add(-int64(time.Hour))
			}
		}
	}()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s, err := server.Start(ctx, server.Config{
		Addr: "127.0.0.1:0", Data: os.Args[1], AdminKey: adminKey, EgressAllow: "127.0.0.0/8", Version: "test",
		SweepEvery: time.Second, Skew: func() time.Duration { return time.Duration(skew.Load()) },
		Log: slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("listens on " + s.URL())
	<-ctx.Done()
	closing, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := s.Close(closing); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
