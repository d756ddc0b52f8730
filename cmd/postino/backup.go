package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/postino/postino/cmd/postino/backup"
	"github.com/postino/postino/shared/postino"
)

// runBackup writes a data folder into a file.
func runBackup(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("postino backup", flag.ContinueOnError)
	data := flags.String("data", "postino-data", "`folder` of the data, of a server that runs or not")
	to := flags.String("to", "", "`file` to write, which must not exist; it has the keys too, so keep it secret")
	if err := onlyFlags(flags, args); err != nil {
		return err
	}
	if *to == "" {
		return errors.New("-to is missing: name the file to write, as in postino backup -data folder -to postino.backup")
	}
	w, err := backup.Write(ctx, *data, *to, postino.Version)
	if err != nil {
		return fmt.Errorf("back up %s: %w", *data, err)
	}
	fmt.Printf("%s has %d rows of %s, in %d bytes\n", *to, w.Rows, *data, w.Bytes)
	return nil
}

// runRestore makes a data folder of such a file.
func runRestore(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("postino restore", flag.ContinueOnError)
	from := flags.String("from", "", "`file` that postino backup wrote")
	data := flags.String("data", "postino-data", "`folder` to make; it must be empty or not exist")
	if err := onlyFlags(flags, args); err != nil {
		return err
	}
	if *from == "" {
		return errors.New("-from is missing: name the file that postino backup wrote, as in postino restore -from postino.backup -data folder")
	}
	r, err := backup.Restore(ctx, *from, *data)
	if err != nil {
		return fmt.Errorf("restore %s: %w", *data, err)
	}
	fmt.Printf("%s has %d rows, as of %s; Postino %s wrote them\n", *data, r.Rows, r.MadeAt.Format(time.RFC3339), r.Version)
	return nil
}

// onlyFlags parses the flags of a command that takes nothing else.
func onlyFlags(flags *flag.FlagSet, args []string) error {
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: there are only flags; %s -help lists them", flags.Arg(0), flags.Name())
	}
	return nil
}
