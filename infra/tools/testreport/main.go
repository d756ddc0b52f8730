// Command testreport reads `go test -json` from its standard input and prints what plain `go test` would, but fails also when a test was skipped.
//
// A skipped test proves nothing, and in a long run nobody sees that it was skipped. With -said FILE it fails, too, unless FILE
// has the closing line that counts: a file that says how many tests run says so truly.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	file := flag.String("said", "", "`file` that must have the closing line")
	flag.Parse()
	ok, line, err := report(os.Stdin, os.Stdout)
	if ok && err == nil && *file != "" {
		ok, err = said(*file, line)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "testreport: %v\n", err)
	}
	if !ok || err != nil {
		os.Exit(1)
	}
}

// said tells whether a file has the line.
func said(file, line string) (bool, error) {
	text, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(text), line) {
		return err == nil, err
	}
	fmt.Printf("FAIL: %s counts other tests. Write into it: %s\n", file, line)
	return false, nil
}

// event is one line of `go test -json`, as `go doc test2json` describes it. Test is empty in what a package says.
type event struct {
	Action, Package, Test, Output string
}

// counts are what the closing line tells.
type counts struct {
	packages, passed, failed, skipped int
	broken                            bool // a package failed, perhaps outside of any test
}

// report copies to out the output of packages and of tests that failed or were skipped, and a closing line, which it
// returns. ok is false when any did, or when nothing ran.
func report(in io.Reader, out io.Writer) (ok bool, line string, err error) {
	var total counts
	said := map[string][]string{} // by package and test, until its end is known
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			break
		}
		if err != nil {
			return false, "", err
		}
		var e event
		if json.Unmarshal([]byte(line), &e) != nil {
			fmt.Fprint(out, line) // said by the go command itself
			continue
		}
		total.add(e, said, out)
	}
	line = fmt.Sprintf("%d packages: %d tests passed, %d failed, %d skipped", total.packages, total.passed, total.failed, total.skipped)
	fmt.Fprintln(out, line)
	if total.skipped > 0 {
		fmt.Fprintln(out, "FAIL: here no test may be skipped")
	}
	return total.passed > 0 && total.failed == 0 && total.skipped == 0 && !total.broken, line, nil
}

// add counts e, and prints it or keeps it in said.
func (c *counts) add(e event, said map[string][]string, out io.Writer) {
	test := e.Package + "\x00" + e.Test
	switch {
	case e.Action == "build-output", e.Action == "output" && e.Test == "" && closing(e.Output):
		fmt.Fprint(out, e.Output)
	case e.Action == "output":
		said[test] = append(said[test], e.Output)
	case e.Action == "fail", e.Action == "skip" && e.Test != "":
		fmt.Fprint(out, strings.Join(said[test], ""))
		fallthrough
	case e.Action == "pass", e.Action == "skip":
		delete(said, test)
		c.count(e)
	}
}

func (c *counts) count(e event) {
	switch {
	case e.Test == "":
		c.packages++
		c.broken = c.broken || e.Action == "fail"
	case e.Action == "pass":
		c.passed++
	case e.Action == "fail":
		c.failed++
	case e.Action == "skip":
		c.skipped++
	}
}

// closing tells a package's last line, such as "ok  	example/shared/callback/retry	0.012s".
func closing(line string) bool {
	for _, start := range []string{"ok  \t", "FAIL\t", "?   \t"} {
		if strings.HasPrefix(line, start) {
			return true
		}
	}
	return false
}
