package job

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/people"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

const (
	// sendSlice is how many profiles a send looks at in one slice: their subjects
	// have at most 2 KB each, and a job has room for 400 KB.
	sendSlice = 100
	// longestWait is how long a send that begins later sleeps at once.
	longestWait = queue.MaxDelay
)

// sends publishes an event for each profile of a group.
type sends struct{ *Worker }

// decide looks at the next profiles and notes whom the send is for.
func (w sends) decide(ctx context.Context, j *webhook.Job) (found, error) {
	if wait := due(*j).Sub(w.now()); wait > 0 && j.Position == "" && j.Stage == 0 {
		return found{pause: min(wait, longestWait)}, nil
	}
	if j.Stage > 0 {
		return found{over: !nextTurn(j)}, nil
	}
	surveys := j.Send.LocalTime != "" && !j.Send.Surveyed
	subjects, err := w.group(ctx, j)
	if err != nil || j.Status != webhook.JobRunning {
		return found{over: true}, err
	}
	if surveys && !j.DryRun {
		return found{}, nil
	}
	j.Counts.Matched += int64(len(subjects))
	if !j.DryRun {
		for _, subject := range subjects {
			j.Decided = append(j.Decided, webhook.JobTarget{Subject: subject})
		}
	}
	return found{}, nil
}

// group returns the next subjects that the send is for, and moves the job on behind
// them; at the end to its next stage.
func (w sends) group(ctx context.Context, j *webhook.Job) ([]string, error) {
	if j.Send.Subjects != nil {
		return w.named(ctx, j)
	}
	d, err := w.defined(ctx, j.Tenant)
	if err != nil {
		return nil, err
	}
	in, err := w.wanted(d, j)
	if err != nil || in == nil {
		return nil, err
	}
	profiles, next, err := w.Store.PageProfiles(ctx, j.Tenant, webhook.Page{Limit: sendSlice, Position: j.Position})
	if err != nil {
		return nil, fmt.Errorf("list profiles: %s", err) // not even a position is anybody's but ours
	}
	var subjects []string
	for _, p := range profiles {
		is, err := in(p)
		if err != nil {
			return nil, err
		}
		if is {
			is, err = w.inTurn(j, p, d)
		}
		if err != nil {
			return nil, err
		}
		if is {
			subjects = append(subjects, p.Subject)
		}
	}
	if j.Position = next; next == "" {
		j.Stage++
	}
	return subjects, nil
}

// named returns the next of the subjects that the send names.
func (w sends) named(ctx context.Context, j *webhook.Job) ([]string, error) {
	done, _ := strconv.Atoi(j.Position)
	rest := j.Send.Subjects[min(done, len(j.Send.Subjects)):]
	page := rest[:min(sendSlice, len(rest))]
	if j.Position = strconv.Itoa(done + len(page)); len(page) == len(rest) {
		j.Stage++
	}
	if j.Send.LocalTime == "" || len(page) == 0 {
		return page, nil
	}
	known, err := w.Store.Profiles(ctx, j.Tenant, page)
	if err != nil {
		return nil, fmt.Errorf("read profiles: %w", err)
	}
	d, err := w.defined(ctx, j.Tenant)
	if err != nil {
		return nil, err
	}
	var subjects []string
	for _, subject := range page {
		p := known[subject]
		p.Tenant, p.Subject = j.Tenant, subject
		is, err := w.inTurn(j, p, d)
		if err != nil {
			return nil, err
		}
		if is {
			subjects = append(subjects, subject)
		}
	}
	return subjects, nil
}

// defined is what the tenant has defined of profiles.
func (w sends) defined(ctx context.Context, tenant string) (*people.Definitions, error) {
	rules, segments, err := people.ReadAll(ctx, w.Store, tenant)
	if err != nil {
		return nil, err
	}
	return people.Define(rules, segments)
}

// wanted returns what tells whether a profile is in the send's group. If the segment
// is no more, the job stops, and it is nil.
func (w sends) wanted(d *people.Definitions, j *webhook.Job) (func(webhook.Profile) (bool, error), error) {
	if j.Send.Segment != "" {
		if !d.Has(j.Send.Segment) {
			j.Status, j.Detail = webhook.JobStopped, "The segment was deleted."
			return nil, nil
		}
		return func(p webhook.Profile) (bool, error) {
			v, err := d.ViewOf(p)
			if err != nil {
				return false, err
			}
			in, err := d.SegmentsOf(p.Subject, v)
			return slices.Contains(in, j.Send.Segment), err
		}, nil
	}
	filter, err := pattern.CompileOver(pattern.OfProfiles, j.Send.Filter, "filter")
	if err != nil {
		return nil, fmt.Errorf("filter of a send: %w", err)
	}
	return func(p webhook.Profile) (bool, error) { return d.Meets(filter, p) }, nil
}

// carryOut publishes an event for each subject that was decided. Each has an id of
// its own that a repeat has too, so that nobody gets two.
func (w sends) carryOut(ctx context.Context, j *webhook.Job) (time.Duration, error) {
	var messages []queue.Message
	body, n := []byte{byte(message.KindPack)}, 0
	end := func() {
		messages = append(messages, queue.Message{Body: body, Group: j.Tenant})
		body, n = []byte{byte(message.KindPack)}, 0
	}
	for _, target := range j.Decided {
		e := sent(*j, target.Subject)
		next := message.AppendEvent(nil, e)
		if n > 0 && len(body)+len(next) > message.MaxPack {
			end()
		}
		body = append(body, next...)
		n++
	}
	end()
	if err := w.Events.Send(ctx, messages); err != nil {
		return 0, fmt.Errorf("publish: %w", err)
	}
	took := time.Duration(0)
	if j.Send.Rate > 0 {
		took = time.Duration(len(j.Decided)) * time.Second / time.Duration(j.Send.Rate)
	}
	j.Counts.Sent += int64(len(j.Decided))
	j.Decided = nil
	return took, nil
}

// sent is the event of a send for a subject. Its nonce is of this publication: of
// two workers that publish the same event, one has its plan carried out.
func sent(j webhook.Job, subject string) webhook.Event {
	data, _ := json.Marshal(map[string]any{"send": j.ID, "data": j.Send.Data}) // of strings and JSON that was checked
	key := webhook.Hash(20, "send", j.Tenant, j.ID, subject)
	return webhook.Event{
		Tenant: j.Tenant, ID: "snd_" + key, Source: "/sends/" + j.ID, Type: webhook.SendType, Subject: subject, Only: j.Send.Subscription,
		Time: due(j), AcceptedAt: due(j), Nonce: rand.Text(), Data: data,
	}
}

// begins is when a send begins, at which all of its events happen.
func begins(j webhook.Job) time.Time {
	if j.Send.At.After(j.CreatedAt) {
		return j.Send.At
	}
	return j.CreatedAt
}
