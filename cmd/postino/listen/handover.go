package listen

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/postino/postino/shared/callback/egress"
	"github.com/postino/postino/shared/webhook"
)

// delivery is one that was pulled.
type delivery struct {
	ID, Event, Lease string
	Attempt          int
	Request          struct {
		Method, Body string
		Headers      map[string]string
	}
}

// report is what is said of one delivery.
type report struct {
	ID       string    `json:"id"`
	Lease    string    `json:"lease"`
	Took     int64     `json:"duration_ms"`
	Response *response `json:"response,omitempty"`
	Error    string    `json:"error,omitempty"`
}

type response struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

// The bounds of an answer. The time is less than a lease by what a report may take.
const (
	answerTime = 30 * time.Second
	keptBytes  = 4 << 10 // of a body, and of the headers
)

// server is asked without following redirects, as Postino asks subscribers.
var server = &http.Client{
	Timeout: answerTime, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// handOver posts a delivery and reports the answer, until the report is taken or
// the lease has ended.
func (l *Listener) handOver(ctx context.Context, d delivery) {
	ctx, cancel := context.WithTimeout(ctx, lease)
	defer cancel()
	began := time.Now()
	answer, err := l.post(ctx, d)
	said, how := report{ID: d.ID, Lease: d.Lease, Took: time.Since(began).Milliseconds(), Response: answer}, "/ack"
	if err != nil {
		how = "/nack"
		if said.Error = string(egress.Class(err)); !named[said.Error] {
			said.Error = string(webhook.ErrorReset)
		}
	}
	if answer != nil {
		l.say("%s  attempt %d  -> %d in %d ms", d.Event, d.Attempt, answer.Status, said.Took)
	} else {
		l.say("%s  attempt %d  -> %s: %v", d.Event, d.Attempt, said.Error, err)
	}
	var done struct {
		Deliveries []struct{ Recorded bool }
	}
	err = l.insist(ctx, func() error {
		return l.Tenant.Do(ctx, http.MethodPost, l.path()+how, map[string]any{"deliveries": []report{said}}, &done)
	})
	switch {
	case err != nil:
		l.say("%s  the answer could not be reported, so it comes again: %v", d.Event, err)
	case len(done.Deliveries) == 1 && !done.Deliveries[0].Recorded:
		l.say("%s  the answer came too late, so it comes again", d.Event)
	}
}

// named are the errors that a nack may name.
var named = map[string]bool{"connect": true, "dns": true, "reset": true, "timeout": true, "tls": true}

// post makes the request as it was signed.
func (l *Listener) post(ctx context.Context, d delivery) (*response, error) {
	req, err := http.NewRequestWithContext(ctx, d.Request.Method, l.Forward, bytes.NewReader([]byte(d.Request.Body)))
	if err != nil {
		return nil, err
	}
	for name, value := range d.Request.Headers {
		req.Header.Set(name, value)
	}
	resp, err := server.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return nil, err
	}
	return &response{resp.StatusCode, kept(resp.Header), text(body)}, nil
}

// kept are the headers of an answer that are reported.
func kept(h http.Header) map[string]string {
	some, room := map[string]string{}, keptBytes
	for name, values := range h {
		value := strings.ToValidUTF8(strings.Join(values, ", "), "\uFFFD")
		if room -= len(name) + len(value); room < 0 || len(some) == 50 {
			break
		}
		some[name] = value
	}
	return some
}

// text is the beginning of a body.
func text(body []byte) string {
	n := min(len(body), keptBytes)
	for n < len(body) && n > 0 && !utf8.RuneStart(body[n]) {
		n--
	}
	return strings.ToValidUTF8(string(body[:n]), "\uFFFD")
}
