package server

import (
	"context"
	"errors"
	"time"

	"github.com/postino/postino/shared/platform/local/localqueue"
)

// maxReceive is the number of receipts after which a message that crashes us
// is set aside, as in template.yaml.
const maxReceive = 20

// Visibility timeouts: longer than a handler may take.
const (
	eventsHidden   = time.Minute
	attemptsHidden = time.Minute // an attempt takes up to 25 s, and some time to record
)

// queueTable is the local counterpart of template.yaml's queues.
var queueTable = []struct {
	name   string
	config localqueue.QueueConfig
}{
	{"events", localqueue.QueueConfig{Durable: true, Visibility: eventsHidden, MaxReceive: maxReceive, DeadLetter: "events-dead"}},
	{"deliveries", localqueue.QueueConfig{RedoneBy: "events", Visibility: attemptsHidden, MaxReceive: maxReceive, DeadLetter: "deliveries-dead"}},
	{"retries", localqueue.QueueConfig{Background: true, Visibility: attemptsHidden, MaxReceive: maxReceive, DeadLetter: "retries-dead"}},
	{"exhausted", localqueue.QueueConfig{Background: true}},
	{"resend", localqueue.QueueConfig{Background: true, Visibility: attemptsHidden, MaxReceive: maxReceive, DeadLetter: "exhausted"}},
}

// fanoutGrace is how long fan-out goes on when the server is closed: nobody
// waits for it, and what it was at comes again.
const fanoutGrace = 2 * time.Second

// workers are the consumers: of deliveries many, since each mostly waits for a
// subscriber; of later attempts their own, so that failing subscribers do not hold
// up first attempts. One tenant gets half of each at most: of events, where the
// tenant is the group, because nobody gets more than is left free.
var workers = map[string]localqueue.Options{
	"events":     {Workers: 8, Batch: 32, OwnerShare: 8, Grace: fanoutGrace},
	"deliveries": {Workers: 384, Batch: 1, OwnerShare: 192, GroupShare: 64},
	"retries":    {Workers: 128, Batch: 1, OwnerShare: 64, GroupShare: 16},
	"resend":     {Workers: 16, Batch: 1, OwnerShare: 8, GroupShare: 4},
}

// consume starts the consumers.
func (s *Server) consume(ctx context.Context) (err error) {
	for name, options := range workers {
		handle := s.delivery.Handle
		if name == "events" {
			handle = s.fanout.Handle
		}
		err = errors.Join(err, s.byName[name].Consume(ctx, options, handle))
	}
	return err
}

func (s *Server) openQueues(ctx context.Context) (err error) {
	s.queues, err = localqueue.New(ctx, s.db, localqueue.Config{Now: s.now(), Log: s.config.Log})
	if err != nil {
		return err
	}
	s.byName = map[string]*localqueue.Queue{}
	for _, q := range queueTable {
		if s.byName[q.name], err = s.queues.Queue(ctx, q.name, q.config); err != nil {
			return err
		}
	}
	return nil
}

// now is the queues' clock: nil, which they take for the real one, unless it
// stands still, or was wrong when we started.
func (s *Server) now() func() time.Time {
	if s.config.TestClock {
		return s.clock.Now
	}
	if s.config.Skew == nil {
		return nil
	}
	began, shown := time.Now(), s.clock.Now()
	return func() time.Time { return shown.Add(time.Since(began)) }
}

// Redrive moves up to limit pointers from exhausted to resend, as the SQS
// console does on AWS, and returns how many.
func (s *Server) Redrive(ctx context.Context, limit int) (int, error) {
	return s.byName["exhausted"].Move(ctx, s.byName["resend"], limit)
}
