package sweep

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// The reach of a sweep.
const (
	ahead    = 2 * time.Minute  // so that what falls due before the next sweep is on its way, whatever the schedule's jitter
	behind   = 20 * time.Minute // how far the low-water mark stays back: each minute is looked at a second time then, for a writer that was slow
	stride   = 30               // minutes of an outage that are worked through between two marks
	distrust = 24 * time.Hour   // how far back a process looks once if the mark is in the future
	pageSize = 500              // pointers read at once
)

// Sweeper turns due pointers into messages. Its fields are set once; only one
// Sweep runs at a time in a process.
type Sweeper struct {
	Store   Store
	Retries Sender
	Resend  Sender
	Events  Sender
	Now     func() time.Time
	Count   func(name string, n int)           // see package metric; nil for none
	Observe func(name string, d time.Duration) // likewise
	Log     *slog.Logger

	through time.Time // the last minute that this process swept; zero at first
	late    lateness
}

// Sweep sends all that is due by the coming minutes and deletes what the queue
// confirmed. After an outage it works through every minute since the low-water
// mark, and keeps its progress when ctx ends before it is through.
func (s *Sweeper) Sweep(ctx context.Context) error {
	now := s.Now().UTC().Truncate(time.Minute)
	edge := now.Add(-behind)
	mark, err := s.Store.LowWater(ctx)
	if err != nil {
		return fmt.Errorf("read low-water mark: %w", err)
	}
	switch {
	case mark.IsZero():
		mark = edge.Add(-time.Minute)
	case mark.After(now) && s.through.IsZero(): // a clock went back, or was a test's: the mark says nothing
		mark = now.Add(-distrust)
	}
	for ; mark.Before(edge); mark = mark.Add(time.Minute) {
		if err := s.minute(ctx, mark); err != nil {
			return err
		}
		if next := mark.Add(time.Minute); next.Equal(edge) || next.Minute()%stride == 0 {
			if err := s.Store.RaiseLowWater(ctx, next); err != nil {
				return fmt.Errorf("raise low-water mark: %w", err)
			}
		}
	}
	from := edge
	last := now.Add(ahead)
	if s.through.After(edge) && !s.through.After(last) {
		from = s.through.Add(time.Minute)
	}
	for minute := from; !minute.After(last); minute = minute.Add(time.Minute) {
		if err := s.minute(ctx, minute); err != nil {
			return err
		}
	}
	s.through = last
	if late := s.late.take(); s.Observe != nil {
		s.Observe("sweep_lag", late)
	}
	return nil
}

// minute sweeps all shards of one minute at once.
func (s *Sweeper) minute(ctx context.Context, minute time.Time) error {
	g, ctx := errgroup.WithContext(ctx)
	for shard := range webhook.DueShards {
		g.Go(func() error { return s.shard(ctx, minute, shard) })
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("sweep %s: %w", minute.Format(time.RFC3339), err)
	}
	return nil
}

func (s *Sweeper) shard(ctx context.Context, minute time.Time, shard int) error {
	position := ""
	for {
		dues, next, err := s.Store.DueAt(ctx, minute, shard, position, pageSize)
		if err != nil {
			return err
		}
		if err := s.send(ctx, dues); err != nil {
			return err
		}
		if position = next; next == "" {
			return nil
		}
	}
}

// send queues the pointers' messages, and only then deletes the pointers. One
// that this version does not know stays: a newer one will.
func (s *Sweeper) send(ctx context.Context, dues []webhook.Due) error {
	var retries, resend, events []queue.Message
	var sent []webhook.Due
	for _, due := range dues {
		asked, err := message.OfDue(due)
		if err != nil {
			s.Log.Error("unknown due pointer", "kind", string(due.Kind), "tenant", due.Tenant)
			continue
		}
		sent = append(sent, due)
		ahead := due.At.Sub(s.Now())
		s.late.note(-ahead)
		switch asked := asked.(type) {
		case message.Fire:
			events = append(events, queue.Message{Group: due.Tenant, Body: asked.Encode(), Delay: min(max(0, ahead), queue.MaxDelay)})
		case message.Attempt:
			retries = append(retries, message.Queued(asked, ahead))
		case message.Task:
			resend = append(resend, message.Queued(asked, ahead))
		}
	}
	if len(sent) == 0 {
		return nil
	}
	for _, out := range []struct {
		to       Sender
		messages []queue.Message
	}{{s.Retries, retries}, {s.Resend, resend}, {s.Events, events}} {
		if len(out.messages) == 0 {
			continue
		}
		if err := out.to.Send(ctx, out.messages); err != nil {
			return fmt.Errorf("queue: %w", err)
		}
	}
	if s.Count != nil {
		s.Count("due_swept", len(sent))
	}
	return s.Store.DeleteDue(ctx, sent)
}
