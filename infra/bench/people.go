package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// crowd is how many people the scenario people has, and what it does with them.
type crowd struct {
	people     int // profiles
	conditions int // subscriptions that ask for the profile
	events     int // stored, of which timelines are read
	kills      int // of the server, while a send is under way
	each       int // readings of a timeline, matchings
}

// everybody is what the targets are for.
var everybody = crowd{people: 100_000, conditions: 1_000, events: 1_000_000, kills: 10, each: 500}

// people measures a send to many, without and with kills of the server, timelines
// and previews over many events, and matching by many conditions on profiles.
func people(ctx context.Context, b *bench, r *result) error { return everybody.measure(ctx, b, r) }

func (c crowd) measure(ctx context.Context, b *bench, r *result) error {
	for _, part := range []func(context.Context, *bench, *result) error{c.matching, c.sending, c.killing, c.reading} {
		if err := part(ctx, b, r); err != nil {
			return err
		}
	}
	return nil
}

// profilesAtOnce is how many are written by one request.
const profilesAtOnce = 500

// introduce writes the profiles to a server.
func (c crowd) introduce(ctx context.Context, t target) error {
	for first := 0; first < c.people; first += profilesAtOnce {
		var list []string
		for n := first; n < min(c.people, first+profilesAtOnce); n++ {
			list = append(list, fmt.Sprintf(`{"subject":%q,"attributes":{"plan":"p%d","name":"Ada","consent":true}}`, person(n), n%c.conditions))
		}
		if _, err := t.call(ctx, http.MethodPost, route("/profiles"), `{"profiles":[`+strings.Join(list, ",")+`]}`); err != nil {
			return err
		}
	}
	return nil
}

func person(n int) string { return fmt.Sprintf("user-%06d", n) }

func route(path string) string { return "/v1/tenants/" + tenant + path }

// send begins one to everybody who consents, and returns the id of its job.
func send(ctx context.Context, t target) (job string, err error) {
	answer, err := t.call(ctx, http.MethodPost, route("/sends"), `{"subscription":"card","filter":{"profile":{"consent":[true]}},"data":{"card":"spring"}}`)
	if err != nil {
		return "", err
	}
	var got struct{ ID string }
	return got.ID, json.Unmarshal(answer, &got)
}

// progressOf is what a job says of itself.
type progressOf struct {
	Status string
	Counts struct{ Matched, Sent int }
}

func lookAt(ctx context.Context, t target, job string) (p progressOf, err error) {
	answer, err := t.call(ctx, http.MethodGet, route("/jobs/"+job), "")
	if err != nil {
		return p, err
	}
	return p, json.Unmarshal(answer, &p)
}

// begin starts a server with the people and a subscription for the send, whose
// callbacks the mailbox counts.
func (c crowd) begin(ctx context.Context, b *bench, data string, m *mailbox) (target, error) {
	t, err := b.startOn(ctx, data)
	if err != nil {
		return t, err
	}
	fmt.Fprintf(b.progress, "  writing %d profiles …\n", c.people)
	if err := c.introduce(ctx, t); err != nil {
		return t, err
	}
	secret, err := t.subscribe(ctx, "card", `{"url":"`+m.url+`","types":["postino.send"],"request":{"body":{"to":"{{ subject }}","name":"{{ profile.name }}"}}}`)
	if err != nil {
		return t, err
	}
	return t, m.trust(secret)
}

// reached waits until so many have been written to, or nothing more comes.
func (m *mailbox) reached(ctx context.Context, people int) error {
	seen, since := -1, time.Now()
	for {
		n := m.people()
		if n != seen {
			seen, since = n, time.Now()
		}
		if n >= people || time.Since(since) > quietAfter {
			return pause(ctx, lingering)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}
