// Package check proves an installation of Postino from outside: it publishes
// events, receives what comes of them, and says of what does not come where to
// look.
package check

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Check is one look at an installation. Set its fields, then call Run once.
type Check struct {
	Endpoint string        // of the API, without a path
	Key      string        // the admin key
	Listen   string        // host:port on which callbacks are received
	Receiver string        // the address by which the installation reaches it; "" is Listen for an endpoint on this machine, else callbacks are pulled
	Pull     bool          // pull them in any case
	Version  string        // that the installation must have; "" is any
	Wait     time.Duration // for what each step waits for
	Out      io.Writer     // gets a line for each step

	api      *api
	receiver *receiver
	over     context.Context // ends with the check
	since    time.Time       // when it began
}

// step is one thing to see.
type step struct {
	name string
	run  func(*Check, context.Context) (said string, err error)
}

// steps in their order. Each but the first few is worth a look even if the one
// before failed: together they tell what is broken.
var steps = []step{
	{"answers", (*Check).answers},
	{"key", (*Check).key},
	{"sweep", (*Check).sweep},
	{"callback", (*Check).callback},
	{"pull", (*Check).pull},
	{"retry", (*Check).retry},
	{"trigger", (*Check).trigger},
	{"recover", (*Check).recover},
	{"delete", (*Check).delete},
}

// needed is how many of the first steps must pass for others to make sense.
const needed = 2

// Run makes all steps, and returns an error that counts those that failed.
func (c *Check) Run(ctx context.Context) error {
	c.since = time.Now()
	var end context.CancelFunc
	c.over, end = context.WithCancel(ctx)
	defer end()
	endpoint, err := address(c.Endpoint)
	if err = errors.Join(err, usable(c.Key)); err != nil {
		return err
	}
	c.api = &api{endpoint: endpoint, key: c.Key, tenant: "postino-check-" + strings.ToLower(rand.Text()[:8])}
	stop, err := c.listen()
	if err != nil {
		return err
	}
	defer stop()
	failed := 0
	for i, s := range steps {
		began, before := time.Now(), c.spent()
		said, err := s.run(c, ctx)
		switch took := time.Since(began).Seconds(); {
		case err == nil:
			fmt.Fprintf(c.Out, "ok      %-9s %6.2f s  %s (%s)\n", s.name, took, said, c.spent().since(before))
		default:
			failed++
			fmt.Fprintf(c.Out, "FAILED  %-9s %6.2f s  %v (%s)\n", s.name, took, err, c.spent().since(before))
			if i < needed {
				return errors.New("fix this first: the other steps depend on it")
			}
		}
	}
	fmt.Fprintf(c.Out, "        in all    %6.2f s  %s; what they use of functions, queues and the table is on the bill of AWS\n", time.Since(c.since).Seconds(), c.spent())
	if failed > 0 {
		return fmt.Errorf("%d of %d steps failed", failed, len(steps))
	}
	return nil
}

// pause is between two looks at what changes by itself.
const pause = 250 * time.Millisecond

// until looks again and again until done, an error, or the end of the time that
// a step has, of which done is false.
func (c *Check) until(ctx context.Context, look func() (done bool, err error)) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Wait)
	defer cancel()
	for {
		done, err := look()
		if done || err != nil {
			return done, err
		}
		select {
		case <-ctx.Done():
			return false, nil
		case <-time.After(pause):
		}
	}
}
