package main

import (
	"context"
	"time"
)

// scenario is one thing to measure.
type scenario struct {
	name, about string
	run         func(ctx context.Context, b *bench, r *result) error
}

// scenarios are all there are, in the order of -scenario all. Their targets
// are for a machine with two cores that the server, the generator and the
// receiver share.
var scenarios = []scenario{
	{"single", "single publishes of 1 KB from 64 connections, one subscriber", flow{
		subscribers: 1, batch: 1, connections: 64, judge: func(r *result, m *measured) {
			r.atLeast("callbacks a second, sustained", m.perSecond, "/s", 3000)
			r.atMost("backlog at the end, in time", m.drained.Seconds(), "s", 1)
			r.atLeast("callbacks ÷ floor", m.perSecond/m.floor, "", 0.10)
		}}.run},
	{"fanout", "single publishes of 1 KB from 16 connections, 20 subscribers each", flow{
		subscribers: 20, batch: 1, connections: 16, judge: func(r *result, m *measured) {
			r.add("callbacks a second, sustained", m.perSecond, "/s")
			r.add("backlog at the end, in time", m.drained.Seconds(), "s")
			r.atLeast("callbacks ÷ floor", m.perSecond/m.floor, "", 0.30)
		}}.run},
	{"batch", "arrays of 25 events of 1 KB from 4 connections, one subscriber", flow{
		subscribers: 1, batch: 25, connections: 4, judge: func(r *result, m *measured) {
			r.add("callbacks a second, sustained", m.perSecond, "/s")
			r.add("backlog at the end, in time", m.drained.Seconds(), "s")
			r.add("callbacks ÷ floor", m.perSecond/m.floor, "")
		}}.run},
	{"latency", "200 single publishes of 1 KB a second, whatever the answers, one subscriber", flow{
		subscribers: 1, batch: 1, connections: 64, rate: 200, judge: func(r *result, m *measured) {
			r.atMost("p50", milliseconds(percentile(m.latencies, 0.50)), "ms", 4)
			r.atMost("p99", milliseconds(percentile(m.latencies, 0.99)), "ms", 25)
			r.add("floor p50", milliseconds(percentile(m.floorTimes, 0.50)), "ms")
			r.add("floor p99", milliseconds(percentile(m.floorTimes, 0.99)), "ms")
		}}.run},
	{"noisy", "a healthy subscriber at 50/s, alone and beside others with 1,000 events waiting on each", noisy},
	{"reads", "every read with 10,000 deliveries stored and with 1,000,000", reads},
	{"people", "a send to 100,000 people, and again with ten kills; matching by 1,000 conditions on profiles; timelines of 1,000,000 events", people},
	{"soak", "single publishes at 70 % of the ceiling for the whole duration, its first third against its last", soak},
	{"coldstart", "the five functions, from process start to the first request for work", coldstart},
}

// report adds the figures of a flow, its own first.
func (f flow) report(r *result, m *measured) {
	l := m.ledger
	f.judge(r, m)
	if f.rate == 0 {
		r.add("floor, bare posts a second", m.floor, "/s")
		r.add("p50, publish to arrival", milliseconds(percentile(m.latencies, 0.50)), "ms")
		r.add("p99, publish to arrival", milliseconds(percentile(m.latencies, 0.99)), "ms")
	}
	r.add("p90, publish to arrival", milliseconds(percentile(m.latencies, 0.90)), "ms")
	r.add("events accepted a second", float64(l.accepted.Load())/m.took.Seconds(), "/s")
	r.add("events accepted", float64(l.accepted.Load()), "")
	r.add("callbacks", float64(l.arrived.Load()), "")
	r.atMost("callbacks lost", float64(m.lost), "", 0)
	r.atMost("callbacks twice", float64(l.duplicates.Load()), "", 0)
	r.atMost("twice, under another id", float64(l.renamed.Load()), "", 0)
	r.atMost("callbacks not verified", float64(m.forged), "", 0)
	r.atMost("events refused", float64(l.refused.Load()), "", 0)
	r.add("server, processor time a callback", microseconds(m.serverCost), "µs")
	r.add("generator and receiver, likewise", microseconds(m.ownCost), "µs")
	r.add("floor, processor time a post", microseconds(m.floorCost), "µs")
	r.add("server, most memory", float64(m.peak)/1e6, "MB")
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
