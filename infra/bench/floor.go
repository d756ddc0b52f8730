package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postino/postino/shared/callback/signature"
	"github.com/postino/postino/shared/webhook"
)

// floor is the least that a callback costs on this machine: the same bodies,
// signed with the same secrets, posted to the same receiver by a bare client
// that stores nothing and decides nothing.
type floor struct {
	receiver *receiver
	keys     []signature.Key // by subscriber
	load     *load           // whose events are posted
	client   *http.Client
	posted   atomic.Int64
}

func newFloor(r *receiver, secrets []string, l *load) (*floor, error) {
	f := &floor{receiver: r, load: l}
	for _, s := range secrets {
		key, err := signature.ParseSecret(s)
		if err != nil {
			return nil, err
		}
		f.keys = append(f.keys, key)
	}
	f.client = &http.Client{Transport: &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		MaxIdleConns:        1024,
		MaxIdleConnsPerHost: 1024,
		DisableCompression:  true,
	}}
	return f, nil
}

// closed posts until ctx ends, over as many connections as the load has.
func (f *floor) closed(ctx context.Context) {
	var done sync.WaitGroup
	for range f.load.connections {
		done.Go(func() {
			for ctx.Err() == nil {
				event, ok := f.load.ledger.take(1)
				if !ok {
					return
				}
				now := time.Now()
				f.load.ledger.start(event, now)
				for s := range f.keys {
					f.post(event, s)
				}
			}
		})
	}
	done.Wait()
	f.client.CloseIdleConnections()
}

// open posts at the rate until ctx ends.
func (f *floor) open(ctx context.Context, rate float64) {
	var done sync.WaitGroup
	onSchedule(ctx, rate, func(at time.Time) {
		if event, ok := f.load.ledger.take(1); ok {
			f.load.ledger.start(event, at)
			done.Go(func() { f.post(event, 0) })
		}
	})
	done.Wait()
	f.client.CloseIdleConnections()
}

// post sends what Postino would send for the event.
func (f *floor) post(event, subscriber int) {
	now := time.Now()
	id := idPrefix + f.load.run + "-" + strconv.Itoa(event)
	delivery := webhook.DeliveryID(tenant, id, now, strconv.Itoa(subscriber), "")
	body := f.load.appendEvent(nil, event)
	ctx, cancel := context.WithTimeout(context.Background(), answerTime)
	defer cancel()
	url := f.receiver.url + "/" + strconv.Itoa(subscriber)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return
	}
	keys := f.keys[subscriber : subscriber+1]
	for name, value := range map[string]string{
		"Content-Type": "application/json", "User-Agent": "Postino/bench", "Postino-Event-Id": id, "Postino-Attempt": "1",
		"Webhook-Id": delivery, "Webhook-Timestamp": strconv.FormatInt(now.Unix(), 10),
		"Webhook-Signature": signature.Header(keys, delivery, now, body),
	} {
		req.Header[name] = []string{value}
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxBody)); err == nil && resp.StatusCode == http.StatusNoContent {
		f.posted.Add(1)
	}
}
