package e2e

import (
	"context"
	"net/http/httptest"
	"slices"
	"time"
)

// run starts API, mappings and schedule, and ends them with the test.
func (s *stack) run() {
	behind := map[string]*function{}
	for key, id := range s.template.routes() {
		behind[key] = s.functions[id]
	}
	s.api = httptest.NewServer(newGateway(behind))
	ctx, stop := context.WithCancel(context.Background())
	s.ctx = ctx
	s.t.Cleanup(func() {
		s.api.Close()
		stop()
		for _, f := range s.functions {
			f.kill() // a batch at work fails
		}
		s.polls.Wait()
		if s.t.Failed() {
			s.t.Logf("the functions wrote:\n%s", s.log)
		}
	})
	if !s.settings.asleep {
		s.wake("Fanout", "Delivery")
	}
	if s.settings.meter == nil && !s.settings.still { // a sweep costs the same with traffic and without
		s.polls.Go(func() { s.schedule(ctx) })
	}
}

// wake starts the mappings of functions.
func (s *stack) wake(functions ...string) {
	for _, id := range functions {
		for _, e := range s.template.Resources[id].Properties.Events {
			queue := named(e.Properties.Queue)
			m := &mapping{
				sqs: s.sqs, queue: s.queues[queue], arn: s.queueARN(queue), function: s.functions[id], batch: e.Properties.BatchSize,
				partial: slices.Contains(e.Properties.ResponseTypes, "ReportBatchItemFailures"),
			}
			for range max(2, s.settings.containers/2) {
				s.polls.Go(func() { m.poll(s.ctx) })
			}
		}
	}
}

// between is the time between two sweeps; on AWS it is a minute.
const between = 5 * time.Second

func (s *stack) schedule(ctx context.Context) {
	for ctx.Err() == nil {
		s.functions["Sweep"].invoke(ctx, []byte(`{"version":"0","source":"aws.scheduler","detail-type":"Scheduled Event","detail":{}}`))
		select {
		case <-ctx.Done():
		case <-time.After(between):
		}
	}
}
