package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/postino/postino/cmd/postino/inspect"
)

// runInspect prints what is stored in a data folder.
func runInspect(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("postino inspect", flag.ContinueOnError)
	data := flags.String("data", "postino-data", "`folder` of the data, of a server that runs or not")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 1 {
		return errors.New("want one prefix: write the flags before it, as in postino inspect -data folder d/acme")
	}
	if err := inspect.Run(ctx, os.Stdout, *data, flags.Arg(0)); err != nil {
		return fmt.Errorf("inspect %s: %w", *data, err)
	}
	return nil
}
