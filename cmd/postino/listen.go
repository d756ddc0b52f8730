package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/postino/postino/cmd/postino/call"
	"github.com/postino/postino/cmd/postino/listen"
)

// tenantFlags reads where a tenant is.
func tenantFlags(flags *flag.FlagSet, t *call.Tenant) {
	flags.StringVar(&t.Endpoint, "endpoint", cmp.Or(os.Getenv("POSTINO_ENDPOINT"), "http://127.0.0.1:8080"), "`address` of the API: the output Endpoint of the stack; by default POSTINO_ENDPOINT, or local mode's")
	flags.StringVar(&t.Name, "tenant", "acme", "`name` of the tenant")
	flags.StringVar(&t.Key, "key", os.Getenv("POSTINO_KEY"), "`key` with the role manage, or the admin key; prefer the environment variable POSTINO_KEY, because other users of the machine can read arguments")
}

// complete refuses what no request can be made with.
func complete(t call.Tenant) error {
	if u, err := url.Parse(t.Endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("-endpoint %q: want an address, such as http://127.0.0.1:8080", t.Endpoint)
	}
	if t.Key == "" {
		return errors.New("-key is missing: set POSTINO_KEY to a key with the role manage, or to the admin key")
	}
	return nil
}

// runListen brings callbacks to a server on this machine.
func runListen(ctx context.Context, args []string) error {
	l := listen.Listener{Out: os.Stdout}
	flags := flag.NewFlagSet("postino listen", flag.ContinueOnError)
	tenantFlags(flags, &l.Tenant)
	flags.StringVar(&l.Forward, "forward", "", "`url` of the server that gets the requests, such as http://localhost:3000/hook")
	types := flags.String("types", "", "event `types` with commas between them, exact or with a * at the end; all by default")
	flags.BoolVar(&l.Keep, "keep", false, "leave the subscription at the end, so that events wait for the next time")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: listen has only flags; postino listen -help lists them", flags.Arg(0))
	}
	if u, err := url.Parse(l.Forward); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("-forward %q: want a url, such as http://localhost:3000/hook", l.Forward)
	}
	if *types != "" {
		l.Types = strings.Split(*types, ",")
	}
	if err := complete(l.Tenant); err != nil {
		return err
	}
	return l.Run(ctx)
}

// runTrigger publishes one event.
func runTrigger(ctx context.Context, args []string) error {
	var t call.Tenant
	flags := flag.NewFlagSet("postino trigger", flag.ContinueOnError)
	tenantFlags(flags, &t)
	data := flags.String("data", "", "the event's `data` as JSON; the sample of the event type by default")
	subject := flags.String("subject", "", "the event's `subject`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("want one argument, the type of the event, such as postino trigger order.paid")
	}
	if *data != "" && !json.Valid([]byte(*data)) {
		return errors.New("-data: want JSON")
	}
	if err := complete(t); err != nil {
		return err
	}
	var given json.RawMessage
	if *data != "" {
		given = json.RawMessage(*data)
	}
	return listen.Trigger(ctx, t, flags.Arg(0), *subject, given, os.Stdout)
}

// runTail shows what becomes of deliveries.
func runTail(ctx context.Context, args []string) error {
	var t call.Tenant
	flags := flag.NewFlagSet("postino tail", flag.ContinueOnError)
	tenantFlags(flags, &t)
	every := flags.Duration("every", 2*time.Second, "`duration` between two looks")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: tail has only flags; postino tail -help lists them", flags.Arg(0))
	}
	if *every < 100*time.Millisecond {
		return errors.New("-every: want at least 100ms")
	}
	if err := complete(t); err != nil {
		return err
	}
	return listen.Tail(ctx, t, *every, os.Stdout)
}
