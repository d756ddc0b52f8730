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
	flags.StringVar(&c.TLSCert, "tls-cert", "", "`file` of the certificate, and of those that signed it, in PEM; requests come by https then")
	flags.StringVar(&c.TLSKey, "tls-key", "", "`file` of the certificate's key")
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
	f.StringVar(&c.Addr, "addr", "127.0.0.1:8080", "listen on this `host:port`; port 0 means any free port")
	f.Func("hosts", "comma-separated host `names` that requests can use, besides localhost and IP addresses; on an address other than loopback, all names are allowed unless you set this", func(list string) error {
		c.Hosts = strings.Split(strings.ToLower(list), ",")
		return nil
	})
	f.StringVar(&c.Data, "data", "./postino-data", "`folder` of the data and the keys")
	f.StringVar(&c.EgressAllow, "egress-allow", "127.0.0.0/8,::1/128", "private `networks` to which callbacks can go, by http and on any port; \"\" allows none")
	f.StringVar(&c.EgressPorts, "egress-ports", "443", "`ports` of public hosts to which callbacks can go, by https")
	f.StringVar(&c.Resolver, "resolver", "", "use the DNS server at this `host:port` instead of the system's")
	f.IntVar(&c.MaxBacklog, "max-backlog", server.DefaultMaxBacklog, "number of waiting `messages` at which publishers get 503; a tenant that fills half of it gets 429; 0 means no limit")
	f.IntVar(&c.Quota.Subscriptions, "max-subscriptions", c.Quota.Subscriptions, "maximum number of `subscriptions` of a tenant; 0 means no limit")
	f.Var(days{&c.Retention.All}, "retention", "keep ended deliveries and their events for this `duration`, 15d to 365d")
	f.Var(days{&c.Retention.Payload}, "payload-retention", "keep data, bodies and answers for this `duration`, 1d to the retention")
	f.Var(days{&c.Retention.Once}, "once-retention", "keep counts, once and distinct values of triggers for this `duration` after their last change, 45d to 3650d")
	f.BoolVar(&c.StrictTypes, "strict-types", false, "refuse events whose type is not registered in their tenant")
	f.BoolVar(&c.StrictTenants, "strict-tenants", false, "refuse tenants that were not created with PUT /v1/tenants/{tenant}, instead of creating them on first use")
	f.BoolVar(&c.TestClock, "test-clock", false, "stop the clock; only POST /v1/clock advances it")
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
