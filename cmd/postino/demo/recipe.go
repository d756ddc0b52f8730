package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/postino/postino/cmd/postino/recipes"
)

// showTime bounds the showing of a recipe.
const showTime = time.Minute

// Recipe plays a recipe on a server whose clock stands still, for a tenant of
// its own, and prints each event and each verified request that follows.
func Recipe(ctx context.Context, r recipes.Recipe, s recipes.Server, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, showTime)
	defer cancel()
	fmt.Fprintf(out, "\n%s\n%s\n", r.Title, wrap(r.About, "  "))
	show := &show{out: out}
	tenant := fmt.Sprintf("%s-%d", r.Name, time.Now().UnixMilli()) // a second showing begins anew
	if err := (recipes.Player{Watch: show}).Play(ctx, r, s, tenant); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s signed, verified and as the recipe expects. The server keeps running; everything is in tenant %s. Stop it with Ctrl-C.\n", count(show.requests), tenant)
	return nil
}

func count(requests int) string {
	if requests == 1 {
		return "1 request,"
	}
	return fmt.Sprintf("%d requests, each", requests)
}

// show prints a play.
type show struct {
	out      io.Writer
	requests int
}

// Step prints what happens.
func (w *show) Step(s recipes.Step, since time.Duration) {
	fmt.Fprintf(w.out, "\n%s  %s\n", elapsed(since), s.About)
	for _, c := range s.Calls {
		fmt.Fprintf(w.out, "  call: %s %s\n", c.Call, recipes.Compact(c.Body))
	}
	for _, text := range s.Events {
		var e struct {
			Type, Subject string
			Data          json.RawMessage
		}
		if json.Unmarshal(text, &e) != nil {
			continue // the player says what is wrong with it
		}
		times := ""
		if s.Times > 1 {
			times = fmt.Sprintf(" %d times", s.Times)
		}
		fmt.Fprintf(w.out, "  event%s: %s %s %s\n", times, e.Type, e.Subject, recipes.Compact(e.Data))
	}
	for _, r := range s.Reasons {
		fmt.Fprintf(w.out, "  not for %s: %s, %s\n", r.Subscription, r.Event, r.Reason)
	}
}

// Request prints a request.
func (w *show) Request(r recipes.Shown) {
	w.requests++
	again := ""
	if r.Attempt != "1" {
		again = ", attempt " + r.Attempt
	}
	fmt.Fprintf(w.out, "  ✓ %s %s  (%s%s)\n", r.Method, r.URL, r.Subscription, again)
	for _, header := range r.Headers {
		fmt.Fprintf(w.out, "      %s\n", header)
	}
	fmt.Fprintf(w.out, "      %s\n", r.Body)
}

// elapsed writes the time since the recipe began.
func elapsed(d time.Duration) string {
	const day = 24 * time.Hour
	d = d.Round(time.Second)
	if d < day {
		return "+" + d.String()
	}
	return fmt.Sprintf("+%dd%s", d/day, strings.TrimPrefix((d%day).String(), "0s"))
}

// lineWidth is where lines of prose end.
const lineWidth = 100

// wrap breaks prose into lines.
func wrap(text, indent string) string {
	var b strings.Builder
	width := 0
	for _, word := range strings.Fields(text) {
		switch {
		case width == 0:
			b.WriteString(indent)
		case width+1+len(word) > lineWidth:
			b.WriteString("\n" + indent)
			width = 0
		default:
			b.WriteString(" ")
			width++
		}
		b.WriteString(word)
		width += len(word)
	}
	return b.String()
}
