// Command postino is the whole program: it serves everything in one process,
// and has commands that show how Postino works.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	_ "golang.org/x/crypto/x509roots/fallback" // for images, which have no certificates

	"github.com/postino/postino/cmd/postino/heap"
	"github.com/postino/postino/shared/language/suggest"
	"github.com/postino/postino/shared/postino"
)

// command is one job of the program.
type command struct {
	name, args string // args is what may follow the name, as help shows it
	about      string
	run        func(ctx context.Context, args []string) error
}

// commands in the order in which help lists them. It is a function because
// help, one of them, lists them.
func commands() []command {
	return []command{
		{"demo", "[flags] [recipe]", "run a server, publish sample events, print the verified callbacks", runDemo},
		{"serve", "[flags]", "run a server", runServe},
		{"listen", "-forward url [-types …]", "post callbacks to a server on this machine, and report its answers", runListen},
		{"trigger", "[flags] type", "publish an event with the sample of its type", runTrigger},
		{"tail", "[flags]", "show what becomes of deliveries", runTail},
		{"check", "[flags]", "test an installation: callbacks, retries, triggers, recover", runCheck},
		{"inspect", "-data folder [prefix]", "print what local mode has stored, as lines of JSON", runInspect},
		{"backup", "-data folder -to file", "write the data of local mode into a file, also while a server runs", runBackup},
		{"restore", "-from file -data folder", "make a data folder of such a file", runRestore},
		{"version", "", "print the version", runVersion},
		{"help", "", "print this list", runHelp},
	}
}

func main() {
	heap.Tune()
	takeFileSizeErrors()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	switch err := run(ctx, os.Args[1:]); {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "postino:", err)
		os.Exit(1)
	}
}

// run runs the command that the first argument names.
func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		help(os.Stderr)
		return errors.New("want a command, such as postino serve")
	}
	var names []string
	for _, c := range commands() {
		if c.name == strings.TrimLeft(args[0], "-") {
			return c.run(ctx, args[1:])
		}
		names = append(names, c.name)
	}
	if strings.HasPrefix(args[0], "-") {
		return fmt.Errorf("%s comes before the command: write it after, as in postino serve %s", args[0], args[0])
	}
	return fmt.Errorf("there is no command %q%s; postino help lists all", args[0], suggest.Hint(args[0], names))
}

func runHelp(context.Context, []string) error {
	help(os.Stdout)
	return nil
}

func help(w io.Writer) {
	fmt.Fprint(w, "Postino turns events into signed HTTP callbacks.\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  postino %-33s %s\n", strings.TrimSpace(c.name+" "+c.args), c.about)
	}
	fmt.Fprint(w, "\npostino serve -help lists the flags of serve; so does each command.\n")
}

func runVersion(context.Context, []string) error {
	fmt.Println("Postino", postino.Version)
	return nil
}
