package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"runtime/pprof"
	"time"

	"github.com/postino/postino/cmd/postino/heap"
	"github.com/postino/postino/cmd/postino/server"
	"github.com/postino/postino/shared/postino"
)

// profiledServer is this program's first argument when it is to be the server.
const profiledServer = "profiled-server"

// serveProfiled is postino serve in short, under a processor profile that
// is written when it ends: args are the profile's file and the flags of postino serve.
func serveProfiled(ctx context.Context, args []string) error {
	c := server.Config{
		EgressAllow: "127.0.0.0/8", Version: postino.Version,
		Log: slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	flags := flag.NewFlagSet(profiledServer, flag.ExitOnError)
	flags.StringVar(&c.Addr, "addr", "", "")
	flags.StringVar(&c.Data, "data", "", "")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	f, err := os.Create(fmt.Sprint(args[0], ".", os.Getpid()))
	if err != nil {
		return err
	}
	heap.Tune()
	s, err := server.Start(ctx, c)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	fmt.Printf("listens on %s\nkey in %s\n", s.URL(), s.KeyFile())
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	<-ctx.Done()
	pprof.StopCPUProfile()
	closing, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return errors.Join(f.Close(), s.Close(closing))
}
