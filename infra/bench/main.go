// Command bench measures Postino's local mode and compares it with the best
// that the machine can do: throughput, latency, isolation, and how fast the
// functions start.
//
// It starts the server as a process of its own, on loopback, with its data on
// the disk under -dir; publishes to it; verifies every callback; and in the
// same run posts the same bodies with a bare client, the floor. The machine is
// shared by all of them, and by what else it does: believe ratios first.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	others := map[string]func(context.Context, []string) error{profiledServer: serveProfiled, hostileServers: serveHostile}
	if len(os.Args) > 1 && others[os.Args[1]] != nil {
		exit(others[os.Args[1]](ctx, os.Args[2:]))
		return
	}
	exit(run(ctx))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	names := flag.String("scenario", "all", "what to measure: "+strings.Join(scenarioNames(), ", ")+", several with commas, or all")
	dir := flag.String("dir", filepath.Join(".cache", "bench"), "`folder`, on a real disk, for programs and data; what is put there is removed")
	jsonFile := flag.String("json", "", "`file` for the results as JSON")
	duration := flag.Duration("duration", 20*time.Second, "how long each scenario publishes")
	beside := flag.String("beside", "", "of noisy, only the neighbours whose names match this `pattern`")
	judge := flag.Bool("judge", false, "fail when a target is missed")
	profile := flag.String("cpuprofile", "", "`file` for a profile of the server, which then runs in this program's second process")
	flag.Parse()
	neighbours, err := regexp.Compile(*beside)
	if err != nil {
		return fmt.Errorf("-beside: %w", err)
	}
	chosen, err := choose(*names)
	if err != nil || flag.NArg() > 0 {
		return errors.Join(err, unexpected(flag.Args()))
	}
	if err := os.MkdirAll(*dir, 0o755); err != nil {
		return err
	}
	own, err := os.MkdirTemp(*dir, "run-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(own)
	b := &bench{dir: own, duration: *duration, beside: neighbours, progress: os.Stderr}
	program, err := b.server(ctx, *profile)
	if err != nil {
		return err
	}
	b.start = func(ctx context.Context) (target, error) { return start(ctx, program, own) }
	b.startOn = func(ctx context.Context, data string) (target, error) { return startOn(ctx, program, data, nil) }
	return b.measure(ctx, chosen, *jsonFile, *judge)
}

func unexpected(args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("unexpected argument %q", args[0])
}

func scenarioNames() []string {
	names := make([]string, len(scenarios))
	for i, s := range scenarios {
		names[i] = s.name
	}
	return names
}

func choose(names string) (chosen []scenario, err error) {
	if names == "all" { // but soak, which means little in less than ten minutes
		return slices.DeleteFunc(slices.Clone(scenarios), func(s scenario) bool { return s.name == "soak" }), nil
	}
	for name := range strings.SplitSeq(names, ",") {
		before := len(chosen)
		for _, s := range scenarios {
			if s.name == name {
				chosen = append(chosen, s)
			}
		}
		if len(chosen) == before {
			return nil, fmt.Errorf("no scenario %q: want %s or all", name, strings.Join(scenarioNames(), ", "))
		}
	}
	return chosen, nil
}

// server returns the program to start: the one that users start, or this one,
// which profiles itself.
func (b *bench) server(ctx context.Context, profile string) ([]string, error) {
	if profile != "" {
		own, err := os.Executable()
		return []string{own, profiledServer, profile}, err
	}
	fmt.Fprintln(b.progress, "building cmd/postino …")
	program := filepath.Join(b.dir, "postino")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/postino/postino/cmd/postino")
	build.Stderr = os.Stderr
	return []string{program, "serve"}, build.Run()
}

// measure runs the scenarios, prints what they gave, and fails if any could
// not be run. A missed target is one only if it is to judge: the table shows it.
func (b *bench) measure(ctx context.Context, chosen []scenario, jsonFile string, judge bool) error {
	m, err := describe(b.dir)
	if err != nil {
		return err
	}
	rep := &report{At: time.Now().UTC().Truncate(time.Second), Machine: m}
	fmt.Println(m)
	var errs []error
	for _, s := range chosen {
		fmt.Fprintf(b.progress, "\n%s: %s\n", s.name, s.about)
		r := result{Scenario: s.name, About: s.about}
		if err := s.run(ctx, b, &r); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.name, err))
			continue
		}
		r.print(os.Stdout)
		rep.Results = append(rep.Results, r)
	}
	if jsonFile != "" {
		errs = append(errs, rep.write(jsonFile))
	}
	if missed := rep.missed(); judge && len(missed) > 0 {
		errs = append(errs, fmt.Errorf("missed: %s", strings.Join(missed, "; ")))
	}
	return errors.Join(errs...)
}
