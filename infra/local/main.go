// Command local runs all of Postino in one process on one machine, with
// nothing else installed.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/postino/postino/infra/local/demo"
	"github.com/postino/postino/infra/local/server"
	"github.com/postino/postino/infra/recipes"
	"github.com/postino/postino/shared/postino"
	"github.com/postino/postino/shared/retry"
	"github.com/postino/postino/shared/stdlog"
	"github.com/postino/postino/shared/webhook"
)

// stopTime is how long the work in hand may take to end after SIGTERM.
const stopTime = 30 * time.Second

// garbagePercent lets the heap, which is small here, grow fivefold between two
// collections, which at 200 took 5 % of the processor time of a callback.
const garbagePercent = 400

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	takeFileSizeErrors()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "postino:", err)
		os.Exit(1)
	}
}

func run() error {
	c := server.Config{Version: postino.Version, AdminKey: os.Getenv("POSTINO_ADMIN_KEY"), MetricsKey: os.Getenv("POSTINO_METRICS_KEY")}
	var show demoFlag
	level := slog.LevelWarn
	flag.StringVar(&c.Addr, "addr", "127.0.0.1:8080", "`host:port` to listen on; port 0 takes any")
	flag.Func("hosts", "`names`, with commas, that requests may call this server beside localhost and addresses; on other addresses than loopback every name may be used unless some are given", func(list string) error {
		c.Hosts = strings.Split(strings.ToLower(list), ",")
		return nil
	})
	flag.StringVar(&c.Data, "data", "./postino-data", "`folder` of the database and the keys")
	flag.StringVar(&c.EgressAllow, "egress-allow", "127.0.0.0/8,::1/128", "`networks` that callbacks may reach although they are private, by http and on any port; \"\" allows none")
	flag.StringVar(&c.EgressPorts, "egress-ports", "443", "`ports` of public hosts that callbacks may reach, by https")
	flag.StringVar(&c.Resolver, "resolver", "", "`host:port` of the DNS server to ask instead of the system's")
	flag.IntVar(&c.MaxBacklog, "max-backlog", server.DefaultMaxBacklog, "`messages` that may wait before publishers get 503, and half of which one tenant may fill before it gets 429; 0 for no limit")
	c.Quota = webhook.DefaultQuota
	flag.IntVar(&c.Quota.Subscriptions, "max-subscriptions", c.Quota.Subscriptions, "how many `subscriptions` a tenant may have; 0 for any number")
	c.Retention = webhook.DefaultRetention
	flag.Var(days{&c.Retention.All}, "retention", "how `long` events and deliveries are kept once nothing waits for them, 15d to 365d")
	flag.Var(days{&c.Retention.Payload}, "payload-retention", "how `long` data, bodies and answers are kept, 1d or more; the retention if that is shorter")
	flag.Var(days{&c.Retention.Once}, "once-retention", "how `long` triggers hold what they hold for ever after it was last touched, 45d to 3650d")
	flag.BoolVar(&c.StrictTypes, "strict-types", false, "refuse events of types that their tenant has not registered")
	flag.BoolVar(&c.StrictTenants, "strict-tenants", false, "refuse tenants that nobody made by PUT /v1/tenants/{tenant}, instead of making them by their first use")
	flag.BoolVar(&c.TestClock, "test-clock", false, "let our clock stand still, to be moved by POST /v1/clock")
	flag.Var(&show, "demo", "show the main job, or a `recipe` by its name: on a clock that is moved for you and, without -data, on data that is removed afterwards")
	flag.TextVar(&level, "log-level", level, "DEBUG, INFO (a line per attempt), WARN or ERROR")
	flag.Parse()
	c.Retention.Payload = min(c.Retention.Payload, c.Retention.All)
	if flag.NArg() > 0 {
		return unexpected(flag.Arg(0), show.set)
	}
	c.Log = slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	stdlog.Route(c.Log)
	if err := show.load(); err != nil {
		return err
	}
	if show.recipe != nil { // it takes days, which no real data should have seen
		remove, err := aside(&c)
		if err != nil {
			return err
		}
		defer remove()
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := server.Start(ctx, c)
	if err != nil {
		return err
	}
	fmt.Printf("Postino %s listens on %s\n", postino.Version, s.URL())
	if file := s.KeyFile(); file != "" {
		fmt.Printf("Admin key in %s\n", file)
	} else {
		fmt.Println("Admin key from POSTINO_ADMIN_KEY")
	}
	if show.set {
		if err := show.run(ctx, s); err != nil && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "postino: demo:", err)
		}
	}
	<-ctx.Done()
	stop() // a second signal ends at once
	closing, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	return s.Close(closing)
}

// unexpected refuses an argument that belongs to no flag. The recipe of -demo
// may not stand apart from it, because -demo may stand alone.
func unexpected(argument string, demo bool) error {
	if demo && slices.Contains(recipes.Names(), argument) {
		return fmt.Errorf("unexpected argument %q: did you mean -demo=%s?", argument, argument)
	}
	return fmt.Errorf("unexpected argument %q: there are only flags; -help lists them", argument)
}

// aside makes a server stand apart from real data, unless -data says where it
// shall be, and its clock stand still.
func aside(c *server.Config) (remove func(), err error) {
	c.TestClock = true
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "data" })
	if given {
		return func() {}, nil
	}
	c.Data, err = os.MkdirTemp("", "postino-")
	return func() { os.RemoveAll(c.Data) }, err
}

// days is a duration as the API writes it, such as 30d.
type days struct{ d *time.Duration }

func (f days) String() string {
	if f.d == nil {
		return ""
	}
	return retry.FormatDuration(*f.d)
}

func (f days) Set(text string) (err error) {
	*f.d, err = retry.ParseDuration(text)
	return err
}

// demoFlag is -demo, which may stand alone or name a recipe.
type demoFlag struct {
	set    bool
	name   string
	recipe *recipes.Recipe // nil for the main job
}

func (d *demoFlag) String() string   { return d.name }
func (d *demoFlag) IsBoolFlag() bool { return true }

func (d *demoFlag) Set(value string) error {
	d.set = value != "false"
	if value != "true" && value != "false" {
		d.name = value
	}
	return nil
}

// load finds the recipe, before anything is opened for it.
func (d *demoFlag) load() error {
	if d.name == "" {
		return nil
	}
	r, err := recipes.Load(d.name)
	if err != nil {
		return fmt.Errorf("-demo: %w", err)
	}
	d.recipe = &r
	return nil
}

func (d *demoFlag) run(ctx context.Context, s *server.Server) error {
	if d.recipe != nil {
		return demo.Recipe(ctx, *d.recipe, s, os.Stdout)
	}
	return demo.Demo{URL: s.URL(), Key: s.AdminKey(), Out: os.Stdout}.Run(ctx)
}
