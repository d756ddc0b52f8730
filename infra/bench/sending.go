package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"time"
)

// Of a send, as it goes on.
const (
	sendTime    = 10 * time.Minute // at most
	sampleEvery = 200 * time.Millisecond
)

// sending measures one send to everybody.
func (c crowd) sending(ctx context.Context, b *bench, r *result) (err error) {
	data, err := os.MkdirTemp(b.dir, "send-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	m, err := newMailbox()
	if err != nil {
		return err
	}
	defer m.close()
	t, err := c.begin(ctx, b, data, m)
	if t.stop != nil {
		defer func() { err = errors.Join(err, t.stop()) }()
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(b.progress, "  sending …")
	begun, before := time.Now(), usageOf(t.pid).cpu
	job, err := send(ctx, t)
	if err != nil {
		return err
	}
	published, memory, err := awaitJob(ctx, t, job)
	if err != nil {
		return err
	}
	if err := m.reached(ctx, c.people); err != nil {
		return err
	}
	took := time.Since(begun) - lingering
	r.atLeast("a send, events a second", float64(c.people)/published.Sub(begun).Seconds(), "/s", 2000)
	r.add("… callbacks a second, to the last arrival", float64(c.people)/took.Seconds(), "/s")
	r.add("… the server's processor time for each, callback included", microseconds(usageOf(t.pid).cpu-before)/float64(c.people), "µs")
	r.add("… the server's memory, at most", float64(usageOf(t.pid).peak)/1e6, "MB")
	if n := len(memory) / 3; n > 0 {
		first, last := float64(most(memory[:n])), float64(most(memory[2*n:]))
		r.atMost("… memory, most of the last third ÷ of the first, less 34 MB for caches", (last-cachesFill)/first, "", grownMemory)
	}
	return c.exact(ctx, t, job, m, r, "a send")
}

func most(values []int64) (n int64) {
	for _, v := range values {
		n = max(n, v)
	}
	return n
}

// awaitJob waits for a job's end, and notes the server's memory meanwhile.
func awaitJob(ctx context.Context, t target, job string) (ended time.Time, memory []int64, err error) {
	for deadline := time.Now().Add(sendTime); time.Now().Before(deadline); {
		p, err := lookAt(ctx, t, job)
		if err != nil {
			return ended, nil, err
		}
		memory = append(memory, usageOf(t.pid).memory)
		if p.Status != "running" {
			return time.Now(), memory, nil
		}
		if err := pause(ctx, sampleEvery); err != nil {
			return ended, nil, err
		}
	}
	return ended, nil, errors.New("the send did not end")
}

// exact adds what must be exact of a send, whatever happened meanwhile, and is an error
// if it is not, whoever judges.
func (c crowd) exact(ctx context.Context, t target, job string, m *mailbox, r *result, name string) error {
	p, err := lookAt(ctx, t, job)
	if err != nil {
		return err
	}
	if p.Status != "done" {
		return fmt.Errorf("the send is %s", p.Status)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	wrong := 0
	for _, must := range []struct {
		what string
		off  int
	}{
		{"counted as matched, less people", p.Counts.Matched - c.people},
		{"counted as sent, less people", p.Counts.Sent - c.people},
		{"people without a callback", c.people - len(m.to)},
		{"people with two callbacks", m.other},
		{"callbacks not verified", m.forged},
	} {
		r.atMost(name+": "+must.what, math.Abs(float64(must.off)), "", 0)
		if must.off != 0 {
			wrong++
		}
	}
	r.add(name+": attempts that were made again, under the same id", float64(m.twice), "")
	if wrong > 0 {
		r.print(os.Stdout)
		return fmt.Errorf("%s was not exact", name)
	}
	return nil
}

// killing measures that a send is exact although the server is killed over and over.
func (c crowd) killing(ctx context.Context, b *bench, r *result) (err error) {
	data, err := os.MkdirTemp(b.dir, "kill-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	m, err := newMailbox()
	if err != nil {
		return err
	}
	defer m.close()
	t, err := c.begin(ctx, b, data, m)
	defer func() {
		if t.stop != nil {
			err = errors.Join(err, t.stop())
		}
	}()
	if err != nil {
		return err
	}
	job, err := send(ctx, t)
	if err != nil {
		return err
	}
	fmt.Fprintf(b.progress, "  killing the server %d times …\n", c.kills)
	for n := range c.kills {
		if err := c.sentAbout(ctx, t, job, (n+1)*c.people/(c.kills+1)); err != nil {
			return err
		}
		if err := t.end(); err != nil {
			return err
		}
		t.stop = nil
		if t, err = b.startOn(ctx, data); err != nil {
			return err
		}
	}
	if _, _, err := awaitJob(ctx, t, job); err != nil {
		return err
	}
	if err := m.reached(ctx, c.people); err != nil {
		return err
	}
	r.add("a send with kills of the server", float64(c.kills), "")
	return c.exact(ctx, t, job, m, r, "… killed")
}

// sentAbout waits until a send has come so far.
func (c crowd) sentAbout(ctx context.Context, t target, job string, n int) error {
	for deadline := time.Now().Add(sendTime); time.Now().Before(deadline); {
		p, err := lookAt(ctx, t, job)
		if err != nil || p.Counts.Sent >= n || p.Status != "running" {
			return err
		}
		if err := pause(ctx, 2*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.New("the send did not go on")
}
