// Command walks measures how far one has to walk through the code to follow an
// event to its callback, a retry, a drain and a change of a subscription.
//
//	go run ./infra/tools/walks [folder of the module]
//
// A walk begins at the functions that handle it and goes on to every function
// that these mention, and so on: by name, as a method, or as a value that is put
// into a field which is mentioned, by a package that the walk can reach. So it holds whatever may happen on the way,
// not only what happens as a rule. It ends at interfaces, and stays within the
// logic; see logic. Lines are those of the functions, without empty lines and
// comments. A switch is a call from one file into another: each pair of caller
// and callee counts once.
package main

import (
	"fmt"
	"log"
	"os"
)

// walks are the walks by name, with the functions where each begins, as they
// were and as they are called.
var walks = []struct {
	name  string
	roots []string
}{
	{"event to callback", []string{
		"ingest.Handler.publish", "fanout.Fanout.pack", "delivery.Deliverer.firstAttempt", "delivery.attempts.first",
	}},
	{"retry", []string{"delivery.Deliverer.retry", "delivery.attempts.retry"}},
	{"drain", []string{"delivery.Deliverer.drain", "delivery.lines.drain"}},
	{"PATCH", []string{"manage.Handler.patchSubscription", "manage.subscriptions.patch"}},
}

func main() {
	dir := "."
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	code, err := read(dir)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%-20s %9s %7s %7s %9s\n", "walk", "functions", "lines", "files", "switches")
	for _, w := range walks {
		m := code.walk(w.roots)
		fmt.Printf("%-20s %9d %7d %7d %9d\n", w.name, m.functions, m.lines, m.files, m.switches)
		if os.Getenv("WALKS_LIST") != "" {
			for _, name := range m.names {
				fmt.Println("   ", name)
			}
		}
	}
	fmt.Println("\nmethods of the largest types:")
	for _, t := range code.largest(6) {
		fmt.Printf("%4d  %s\n", t.methods, t.name)
	}
}
