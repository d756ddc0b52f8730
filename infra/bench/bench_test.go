package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/postino/postino/cmd/postino/server"
)

// TestMain makes the test binary the hostile servers too, as the program is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == hostileServers {
		if err := serveHostile(context.Background(), os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// startHere runs a server inside the test: to build one as a program takes
// longer than the test.
func startHere(t *testing.T) func(context.Context) (target, error) {
	return func(ctx context.Context) (target, error) { return startHereOn(ctx, t.TempDir()) }
}

func startHereOn(ctx context.Context, data string) (target, error) {
	s, err := server.Start(ctx, server.Config{
		Addr: "127.0.0.1:0", Data: data, EgressAllow: "127.0.0.0/8", Version: "test", Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return target{}, err
	}
	return target{url: s.URL(), key: s.AdminKey(), pid: os.Getpid(), stop: func() error {
		closing, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		return s.Close(closing)
	}, freeze: func(bool) {}}, nil
}

// TestEveryReadIsMeasuredWithFewAndWithMany runs small editions of the stocks.
func TestEveryReadIsMeasuredWithFewAndWithMany(t *testing.T) {
	r := result{Scenario: "reads"}
	if err := smallBench(t, 0).compareReads(t.Context(), &r, 300, 900, 3); err != nil {
		t.Fatal(err)
	}
	for _, route := range readRoutes[:len(readRoutes)-2] { // jobs and stats may be built without
		value(t, r, route.name+", p99")
	}
}

// TestEveryFunctionStartsAndIsSmall: how long a start takes is for the scenario,
// since it depends on the machine.
func TestEveryFunctionStartsAndIsSmall(t *testing.T) {
	r := result{Scenario: "coldstart"}
	if err := smallBench(t, 0).startFunctions(t.Context(), &r, 0, 2); err != nil {
		t.Fatal(err)
	}
	for _, name := range functions {
		if took := value(t, r, name+", start to first /next"); took <= 0 {
			t.Errorf("%s asked for work after %g ms", name, took)
		}
		if size := value(t, r, name+", zipped"); size <= 0 || size > maxZip {
			t.Errorf("%s zips to %.2f MiB, want at most %g", name, size, maxZip)
		}
	}
}

// TestASendIsExactAndPeopleAreMeasured runs a small edition: whom a send is for gets
// one callback, also if the server ends meanwhile.
func TestASendIsExactAndPeopleAreMeasured(t *testing.T) {
	r := result{Scenario: "people"}
	small := crowd{people: 900, conditions: 20, events: 3000, kills: 2, each: 5}
	if err := small.measure(t.Context(), smallBench(t, 0), &r); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a send", "… killed"} {
		for _, what := range []string{"counted as matched, less people", "counted as sent, less people", "people without a callback", "people with two callbacks", "callbacks not verified"} {
			if n := value(t, r, name+": "+what); n != 0 {
				t.Errorf("%s, %s: %g, want 0", name, what, n)
			}
		}
	}
	for _, what := range []string{"a send, events a second", "… ÷ on its data", "… p99", "a preview over 1,000 events, the slowest of ten"} {
		if n := value(t, r, what); n <= 0 {
			t.Errorf("%s: %g, want more", what, n)
		}
	}
}

func smallBench(t *testing.T, d time.Duration) *bench {
	on := func(ctx context.Context, data string) (target, error) { return startHereOn(ctx, data) }
	return &bench{start: startHere(t), startOn: on, dir: t.TempDir(), duration: d, progress: io.Discard}
}

func value(t *testing.T, r result, name string) float64 {
	t.Helper()
	for _, f := range r.Figures {
		if f.Name == name {
			return f.Value
		}
	}
	t.Fatalf("%s: no figure %q", r.Scenario, name)
	return 0
}

// TestAFlowLosesAndRepeatsNothing runs small editions of the flows: every
// callback arrives once, with a good signature, and the figures agree.
func TestAFlowLosesAndRepeatsNothing(t *testing.T) {
	judge := func(*result, *measured) {}
	for name, f := range map[string]flow{
		"single":  {subscribers: 1, batch: 1, connections: 8, judge: judge},
		"fanout":  {subscribers: 5, batch: 1, connections: 2, judge: judge},
		"batch":   {subscribers: 1, batch: 25, connections: 1, judge: judge},
		"latency": {subscribers: 1, batch: 1, connections: 8, rate: 100, judge: judge},
	} {
		t.Run(name, func(t *testing.T) {
			r := result{Scenario: name}
			if err := f.run(t.Context(), smallBench(t, 300*time.Millisecond), &r); err != nil {
				t.Fatal(err)
			}
			for _, none := range []string{"callbacks lost", "callbacks twice", "callbacks not verified", "events refused"} {
				if n := value(t, r, none); n != 0 {
					t.Errorf("%s: %g, want 0", none, n)
				}
			}
			accepted, arrived := value(t, r, "events accepted"), value(t, r, "callbacks")
			if accepted == 0 || arrived != accepted*float64(f.subscribers) {
				t.Errorf("%g events to %d subscribers gave %g callbacks", accepted, f.subscribers, arrived)
			}
		})
	}
}

// TestTroubleOfNeighboursLosesNothing measures the healthy subscriber beside
// one that fails, in turns with one that is alone.
func TestTroubleOfNeighboursLosesNothing(t *testing.T) {
	b := smallBench(t, 500*time.Millisecond)
	alone, err := b.place(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer alone.close()
	c, err := compare(t.Context(), b, alone, neighbours{name: "a failing one", n: 1, answer: failing, calm: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.alone) != pairs || len(c.beside) != pairs || c.ratio(0.5) <= 0 {
		t.Errorf("%d and %d halves with a ratio of %g, want %d pairs", len(c.alone), len(c.beside), c.ratio(0.5), pairs)
	}
}

// TestHostileNeighboursOfAnotherTenantLoseNothing: the same beside twenty that
// mean harm.
func TestHostileNeighboursOfAnotherTenantLoseNothing(t *testing.T) {
	b := smallBench(t, 500*time.Millisecond)
	alone, err := b.place(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer alone.close()
	if _, err := compare(t.Context(), b, alone, neighbours{name: "hostile ones", n: 20, tenant: "hostile", harm: true}); err != nil {
		t.Fatal(err)
	}
}

// TestASoakComparesItsThirds: a second of it in small.
func TestASoakComparesItsThirds(t *testing.T) {
	r := result{Scenario: "soak"}
	if err := soak(t.Context(), smallBench(t, time.Second), &r); err != nil {
		t.Fatal(err)
	}
	for _, none := range []string{"callbacks lost", "callbacks twice", "events refused"} {
		if n := value(t, r, none); n != 0 {
			t.Errorf("%s: %g, want 0", none, n)
		}
	}
	for _, some := range []string{"p99, first third", "p99, last third", "memory, last third", "goroutines, last third"} {
		if value(t, r, some) <= 0 {
			t.Errorf("%s is not known", some)
		}
	}
}

// TestTheLedgerTellsRepeatsFromArrivals: a second arrival is a duplicate, and
// what nobody published is refused.
func TestTheLedgerTellsRepeatsFromArrivals(t *testing.T) {
	l := newLedger(10, 2)
	first, ok := l.take(1)
	if !ok {
		t.Fatal("a new ledger is full")
	}
	if err := l.arrive(first, 0, "dlv_a", time.Now()); err == nil {
		t.Error("an event that nobody published was taken")
	}
	l.start(first, time.Now())
	for _, id := range []string{"dlv_a", "dlv_a", "dlv_b"} {
		if err := l.arrive(first, 0, id, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if n, d, r := l.arrived.Load(), l.duplicates.Load(), l.renamed.Load(); n != 1 || d != 2 || r != 1 {
		t.Errorf("%d arrivals, %d duplicates, %d renamed, want 1, 2 and 1", n, d, r)
	}
}
