package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"github.com/postino/postino/shared/callback/egress/egresstest"
)

// hostileServers is this program's first argument when it is to be the hostile
// servers: a process of their own, which gives way to the others, because they
// stand for machines elsewhere, whose processors ours need not share.
const hostileServers = "hostile-servers"

// giveWay is how much a process gives way to others, of 19.
const giveWay = 10

// serveHostile serves as many as the argument says until the input ends, and prints where.
func serveHostile(_ context.Context, args []string) error {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	if err := syscall.Setpriority(syscall.PRIO_PROCESS, 0, giveWay); err != nil {
		return err
	}
	urls, stop, err := egresstest.Plain(n)
	if err != nil {
		return err
	}
	defer stop()
	for _, url := range urls {
		fmt.Println(url)
	}
	_, err = os.Stdin.Read(make([]byte, 1)) // ends with whoever started this
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// startHostile starts the process, and returns the servers' addresses and what
// stops it.
func startHostile(n int) (urls []string, stop func(), err error) {
	own, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.Command(own, hostileServers, strconv.Itoa(n))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	stop = func() {
		in.Close()
		_ = cmd.Wait()
	}
	for lines := bufio.NewScanner(out); len(urls) < n && lines.Scan(); {
		urls = append(urls, lines.Text())
	}
	if len(urls) < n {
		stop()
		return nil, nil, errors.New("the hostile servers did not start")
	}
	return urls, stop, nil
}
