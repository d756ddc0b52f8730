package main

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// load publishes events of one type to a server.
type load struct {
	target      target
	ledger      *ledger
	run         string // tells the ids of this run from those of others
	kind        string // the events' type
	size        int    // bytes of one event as published
	batch       int    // events in one request; 1 publishes them singly
	connections int
}

// head is the request up to its length.
func (l *load) head() string {
	address := strings.TrimPrefix(l.target.url, "http://")
	return "POST /v1/tenants/" + tenant + "/events HTTP/1.1\r\nHost: " + address +
		"\r\nAuthorization: Bearer " + l.target.key + "\r\nContent-Type: application/json\r\n"
}

func (l *load) connection() *connection {
	return &connection{address: strings.TrimPrefix(l.target.url, "http://")}
}

// appendEvent appends the event of this number.
func (l *load) appendEvent(b []byte, number int) []byte {
	start := len(b)
	b = append(b, `{"id":"`+idPrefix...)
	b = append(append(b, l.run...), '-')
	b = append(strconv.AppendInt(b, int64(number), 10), `","type":"`...)
	b = append(append(b, l.kind...), `","subject":"user-`...)
	b = append(strconv.AppendInt(b, int64(number%1000), 10), `","data":{"pad":"`...)
	const end = `"}}`
	for len(b)-start+len(end) < l.size {
		b = append(b, "The quick brown fox. "[:min(21, l.size-len(end)-len(b)+start)]...)
	}
	return append(b, end...)
}

// publish posts one request with the events first to first+batch-1, whose
// publishing began at the time.
func (l *load) publish(c *connection, head string, body []byte, first int, began time.Time) []byte {
	body = body[:0]
	if l.batch > 1 {
		body = append(body, '[')
	}
	for i := range l.batch {
		if i > 0 {
			body = append(body, ',')
		}
		l.ledger.start(first+i, began)
		body = l.appendEvent(body, first+i)
	}
	if l.batch > 1 {
		body = append(body, ']')
	}
	status, err := c.post(head, body)
	if err != nil || status != http.StatusAccepted {
		l.ledger.refused.Add(int64(l.batch))
		time.Sleep(10 * time.Millisecond) // what a polite client does at least
		return body
	}
	l.ledger.accepted.Add(int64(l.batch))
	return body
}

// closed publishes until ctx ends, the next request of a connection as soon as
// the last is answered.
func (l *load) closed(ctx context.Context) {
	var done sync.WaitGroup
	for range l.connections {
		done.Go(func() {
			c, head, body := l.connection(), l.head(), []byte(nil)
			defer c.close()
			for ctx.Err() == nil {
				first, ok := l.ledger.take(l.batch)
				if !ok {
					return
				}
				body = l.publish(c, head, body, first, time.Now())
			}
		})
	}
	done.Wait()
}

// open publishes rate requests a second until ctx ends, however slowly they
// are answered. Each counts from when it was due, so that a wait for a free
// connection is not left out.
func (l *load) open(ctx context.Context, rate float64) {
	due := make(chan time.Time, l.connections) // when full, the schedule still counts
	var done sync.WaitGroup
	for range l.connections {
		done.Go(func() {
			c, head, body := l.connection(), l.head(), []byte(nil)
			defer c.close()
			for at := range due {
				if first, ok := l.ledger.take(l.batch); ok {
					body = l.publish(c, head, body, first, at)
				}
			}
		})
	}
	onSchedule(ctx, rate, func(at time.Time) { due <- at })
	close(due)
	done.Wait()
}

// onSchedule calls f rate times a second, with the time at which it was due.
func onSchedule(ctx context.Context, rate float64, f func(at time.Time)) {
	began := time.Now()
	for n := 0; ctx.Err() == nil; n++ {
		at := began.Add(time.Duration(float64(n) / rate * float64(time.Second)))
		sleep(time.Until(at))
		f(at)
	}
}
