package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/postino/postino/cmd/postino/server"
	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/measure/stdlog"
	"github.com/postino/postino/shared/postino"
	"github.com/postino/postino/shared/webhook"
)

// stopTime is how long the work in hand may take to end after SIGTERM.
const stopTime = 30 * time.Second

func runServe(ctx context.Context, args []string) error {
	c := configuration()
	flags := serveFlags("serve", &c)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: serve has only flags; postino serve -help lists them", flags.Arg(0))
	}
	return serve(ctx, c, func(context.Context, *server.Server) error { return nil })
}

// serve runs a server until the context ends. Then is called once it listens.
func serve(ctx context.Context, c server.Config, then func(context.Context, *server.Server) error) error {
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
	if err := then(ctx, s); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "postino: demo:", err)
	}
	<-ctx.Done()
	closing, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	return s.Close(closing)
}

// configuration is that of a server without flags. Keys come from the
// environment, because other users of a machine can read arguments.
func configuration() server.Config {
	return server.Config{
		Version:    postino.Version,
		AdminKey:   os.Getenv("POSTINO_ADMIN_KEY"),
		MetricsKey: os.Getenv("POSTINO_METRICS_KEY"),
		Quota:      webhook.DefaultQuota,
		Retention:  webhook.DefaultRetention,
	}
}

// serveFlags are the flags that fill c, whose logger is set when they have
// been parsed.
func serveFlags(name string, c *server.Config) *parsed {
	f := flag.NewFlagSet("postino "+name, flag.ContinueOnError)
	p := &parsed{FlagSet: f, config: c, level: slog.LevelWarn}
	f.StringVar(&c.Addr, "addr", "127.0.0.1:8080", "`host:port` to listen on; port 0 takes any")
	f.Func("hosts", "`names`, with commas, that requests may call this server beside localhost and addresses; on other addresses than loopback every name may be used unless some are given", func(list string) error {
		c.Hosts = strings.Split(strings.ToLower(list), ",")
		return nil
	})
	f.StringVar(&c.Data, "data", "./postino-data", "`folder` of the database and the keys")
	f.StringVar(&c.EgressAllow, "egress-allow", "127.0.0.0/8,::1/128", "`networks` that callbacks may reach although they are private, by http and on any port; \"\" allows none")
	f.StringVar(&c.EgressPorts, "egress-ports", "443", "`ports` of public hosts that callbacks may reach, by https")
	f.StringVar(&c.Resolver, "resolver", "", "`host:port` of the DNS server to ask instead of the system's")
	f.IntVar(&c.MaxBacklog, "max-backlog", server.DefaultMaxBacklog, "`messages` that may wait before publishers get 503, and half of which one tenant may fill before it gets 429; 0 for no limit")
	f.IntVar(&c.Quota.Subscriptions, "max-subscriptions", c.Quota.Subscriptions, "how many `subscriptions` a tenant may have; 0 for any number")
	f.Var(days{&c.Retention.All}, "retention", "how `long` events and deliveries are kept once nothing waits for them, 15d to 365d")
	f.Var(days{&c.Retention.Payload}, "payload-retention", "how `long` data, bodies and answers are kept, 1d or more; the retention if that is shorter")
	f.Var(days{&c.Retention.Once}, "once-retention", "how `long` triggers hold what they hold for ever after it was last touched, 45d to 3650d")
	f.BoolVar(&c.StrictTypes, "strict-types", false, "refuse events of types that their tenant has not registered")
	f.BoolVar(&c.StrictTenants, "strict-tenants", false, "refuse tenants that nobody made by PUT /v1/tenants/{tenant}, instead of making them by their first use")
	f.BoolVar(&c.TestClock, "test-clock", false, "let our clock stand still, to be moved by POST /v1/clock")
	f.TextVar(&p.level, "log-level", p.level, "DEBUG, INFO (a line per attempt), WARN or ERROR")
	return p
}

// parsed is a set of flags that completes a configuration.
type parsed struct {
	*flag.FlagSet
	config *server.Config
	level  slog.Level
}

// Parse reads the arguments and opens the log.
func (p *parsed) Parse(args []string) error {
	if err := p.FlagSet.Parse(args); err != nil {
		return err
	}
	c := p.config
	c.Retention.Payload = min(c.Retention.Payload, c.Retention.All)
	c.Log = slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: p.level}))
	stdlog.Route(c.Log)
	return nil
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
