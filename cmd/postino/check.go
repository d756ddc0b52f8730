package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/postino/postino/cmd/postino/check"
	"github.com/postino/postino/shared/postino"
)

// runCheck proves an installation from outside, as publishers and subscribers
// see it.
func runCheck(ctx context.Context, args []string) error {
	c := check.Check{Out: os.Stdout, Version: postino.Version}
	flags := flag.NewFlagSet("postino check", flag.ContinueOnError)
	flags.StringVar(&c.Endpoint, "endpoint", "http://127.0.0.1:8080", "`address` of the API: the output Endpoint of the stack")
	flags.StringVar(&c.Key, "key", os.Getenv("POSTINO_ADMIN_KEY"), "admin `key`: the output AdminKeyCommand prints it; prefer the environment variable POSTINO_ADMIN_KEY, because other users of the machine can read arguments")
	flags.StringVar(&c.Listen, "listen", "127.0.0.1:0", "`host:port` on which to receive the callbacks")
	flags.StringVar(&c.Receiver, "receiver", "", "public `url` that leads to -listen, such as that of a tunnel; the default is -listen if the endpoint is on this machine, otherwise callbacks are pulled")
	flags.BoolVar(&c.Pull, "pull", false, "pull the callbacks, although a receiver could be reached")
	flags.DurationVar(&c.Wait, "wait", time.Minute, "maximum `duration` of each step")
	any := flags.Bool("any-version", false, "do not compare the version of the installation with this program")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: check has only flags; postino check -help lists them", flags.Arg(0))
	}
	if c.Key == "" {
		return errors.New("-key is missing: the stack's output AdminKeyCommand prints it")
	}
	if *any {
		c.Version = ""
	}
	return c.Run(ctx)
}
