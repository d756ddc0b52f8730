// Package listen brings the callbacks of an installation to a server that only
// this machine can reach: it pulls them, posts them to the server, and reports the
// server's answers.
package listen

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/postino/postino/cmd/postino/call"
)

// Listener listens. Set its fields, then call Run once.
type Listener struct {
	Tenant  call.Tenant
	Forward string    // the url of the server that gets the requests
	Types   []string  // of events; nil means all
	Keep    bool      // leave the subscription at the end
	Out     io.Writer // gets a line for each delivery

	mu sync.Mutex // while a line is written
}

// What a pull asks for: a lease lasts longer than an answer and its report may take.
const (
	together = 8
	wait     = "20s"
	lease    = time.Minute
)

// The pauses after which a server that does not answer is asked again.
const (
	firstPause = 250 * time.Millisecond
	mostPause  = 5 * time.Second
)

// ID names the subscription: the same for the same server, types and machine, so
// that a listener that was killed goes on where it was.
func (l *Listener) ID() string {
	host, _ := os.Hostname() // without it, the rest is a good name
	types := slices.Sorted(slices.Values(l.Types))
	sum := sha256.Sum256([]byte(host + "\n" + l.Forward + "\n" + strings.Join(types, ",")))
	return "listen-" + hex.EncodeToString(sum[:5])
}

func (l *Listener) path() string { return "/subscriptions/" + l.ID() }

// Run listens until the context ends, or the installation refuses for good.
func (l *Listener) Run(ctx context.Context) error {
	if err := l.subscribe(ctx); err != nil {
		return err
	}
	err := l.forward(ctx)
	if ctx.Err() == nil || l.Keep {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), mostPause)
	defer cancel()
	if err := l.Tenant.Do(ctx, http.MethodDelete, l.path(), nil, nil); err != nil {
		return fmt.Errorf("the subscription %s is left: delete it, or listen again: %w", l.ID(), err)
	}
	return nil
}

// subscribe makes the subscription, or takes the one that is there, and shows what
// signs its requests.
func (l *Listener) subscribe(ctx context.Context) error {
	wish := map[string]any{
		"pull": true, "name": "postino listen", "description": "Made by postino listen for " + l.Forward + ". You can delete it.",
		"retry": map[string]any{"schedule": []string{"5s", "1m", "10m"}},
	}
	if len(l.Types) > 0 {
		wish["types"] = l.Types
	}
	var secret struct{ Secret string }
	err := l.insist(ctx, func() error {
		err := l.Tenant.Do(ctx, http.MethodPut, l.path(), wish, nil)
		if err == nil {
			err = l.Tenant.Do(ctx, http.MethodGet, l.path()+"/secret", nil, &secret)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("make the subscription: %w", err)
	}
	l.say("listening for %s of tenant %s, as the subscription %s", l.what(), l.Tenant.Name, l.ID())
	l.say("signing secret %s", secret.Secret)
	l.say("forwarding to %s", l.Forward)
	return nil
}

func (l *Listener) what() string {
	if len(l.Types) == 0 {
		return "all events"
	}
	return strings.Join(l.Types, ", ")
}

// say writes a line with the time.
func (l *Listener) say(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.Out, "%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}

// forward pulls and posts until the context ends.
func (l *Listener) forward(ctx context.Context) error {
	for ctx.Err() == nil {
		var got struct{ Deliveries []delivery }
		err := l.insist(ctx, func() error {
			return l.Tenant.Do(ctx, http.MethodPost, l.path()+"/pull", map[string]any{"max": together, "wait": wait, "lease": fmt.Sprintf("%ds", int(lease.Seconds()))}, &got)
		})
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("pull: %w", err)
		}
		var wg sync.WaitGroup
		for _, d := range got.Deliveries {
			wg.Go(func() { l.handOver(context.WithoutCancel(ctx), d) })
		}
		wg.Wait()
	}
	return nil
}

// insist makes a call until it succeeds, is refused for good, or the context ends.
func (l *Listener) insist(ctx context.Context, make func() error) error {
	told := false
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		err := make()
		var refused *call.Refusal
		if err == nil && told {
			l.say("the installation answers again")
		}
		if err == nil || ctx.Err() != nil || errors.As(err, &refused) && !refused.Passing() {
			return err
		}
		if !told {
			l.say("the installation does not answer, asking again: %v", err)
			told = true
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}
