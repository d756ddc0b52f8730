package simulation_test

import (
	"context"
	"slices"

	"github.com/postino/postino/infra/test/simulation"
	"github.com/postino/postino/shared/api/operational"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/webhook"
)

// bug is one that a test plants, to see that it is found.
type bug string

const (
	noBug             bug = ""
	ackBeforeEnqueue  bug = "a message is acknowledged before the next one is queued"
	dedupeIsDone      bug = "an event that is stored already is taken for handled"
	deleteBeforeQueue bug = "sweep deletes pointers before the queue confirms their messages"
	pagesSkip         bug = "a page of a list begins behind its first delivery"
	pagesLag          bug = "a list shows what was succeeded as pending"
	cancelsAreUnseen  bug = "a canceled delivery is read as one that waits"
	answersAreKind    bug = "a refusal is stored as an answer of 200"
	bodiesDiffer      bug = "the body that is stored is not the one that was posted"
	jobsBoast         bug = "a job counts one more than it sent"
	keysAreFree       bug = "an Idempotency-Key is bound to nothing"
	contentsDrift     bug = "an event is stored with other data than was published"
	arraysAreBags     bug = "the events of an array are counted backwards"
	timersAreHidden   bug = "who reads deliveries does not see timers"
	heldIsSent        bug = "what a pause holds is not judged before it is sent"
	changesWait       bug = "delays end as the version that began them"
)

// bugs are all that can be planted, with what the invariant says that finds them.
var bugs = map[bug]string{
	ackBeforeEnqueue:  "was never made",
	dedupeIsDone:      "was never made",
	deleteBeforeQueue: "in limbo",
	pagesSkip:         "the list ",
	pagesLag:          "the list ",
	cancelsAreUnseen:  "was posted after it had been canceled",
	answersAreKind:    "are stored as answered 200",
	bodiesDiffer:      "was posted as",
	jobsBoast:         "rounds began",
	keysAreFree:       "came with two contents",
	contentsDrift:     "nobody published",
	arraysAreBags:     "of its array",
	timersAreHidden:   "the list ",
	heldIsSent:        "was held and canceled",
	changesWait:       "had come to want something else",
}

// read is a delivery as a stage reads it.
func (b bug) read(d webhook.Delivery) webhook.Delivery {
	if b == cancelsAreUnseen && d.Status == webhook.Canceled && d.Digest != "" {
		d.Status, d.Waiting = webhook.Pending, webhook.WaitRetry
	}
	return d
}

// saved is a delivery with its parts as the store gets them.
func (b bug) saved(d webhook.Delivery, with webhook.Parts) (webhook.Delivery, webhook.Parts) {
	switch {
	case b == answersAreKind && with.Attempt != nil && with.Attempt.StatusCode == 429:
		kind := *with.Attempt
		kind.StatusCode = 200
		with.Attempt = &kind
	case b == bodiesDiffer && with.Content != nil:
		content := *with.Content
		content.Body.Plain += " "
		with.Content = &content
	}
	return d, with
}

// shelf is the store as the API's readers see it.
type shelf struct {
	*simulation.Store
	plant bug
}

// PageDeliveries lists deliveries.
func (s shelf) PageDeliveries(ctx context.Context, tenant string, f webhook.DeliveryFilter, page webhook.Page) ([]webhook.Delivery, string, error) {
	list, next, err := s.Store.PageDeliveries(ctx, tenant, f, page)
	if s.plant == pagesSkip && page.Position != "" && len(list) > 1 {
		list = list[1:]
	}
	for i := range list {
		if s.plant == pagesLag && list[i].Status == webhook.Succeeded {
			list[i].Status = webhook.Pending
		}
	}
	return list, next, err
}

// TriggerState reads state.
func (s shelf) TriggerState(ctx context.Context, refs []webhook.StateRef) ([]webhook.StateItem, error) {
	if s.plant == timersAreHidden {
		return make([]webhook.StateItem, len(refs)), nil
	}
	return s.Store.TriggerState(ctx, refs)
}

// state is what a process reads of triggers.
func (b bug) state(c *container, items []webhook.StateItem) []webhook.StateItem {
	if b == heldIsSent && c.delivers {
		return make([]webhook.StateItem, len(items))
	}
	return items
}

// job is a job as the store gets it.
func (b bug) job(j webhook.Job) webhook.Job {
	if b == jobsBoast && j.Kind == webhook.JobRecover && j.Status == webhook.JobDone {
		j.Counts.Matched++
		j.Counts.Sent++
	}
	return j
}

// event is an event as the store gets it.
func (b bug) event(e webhook.StoredEvent) webhook.StoredEvent {
	if b == contentsDrift && e.Source != operational.Source {
		e.Data = []byte(`{"n":"` + e.ID + `","drifted":true}`)
	}
	return e
}

// message is a message as a process gets it.
func (b bug) message(body []byte) []byte {
	if p, err := message.DecodeAs[message.Pack](body); b == arraysAreBags && err == nil {
		slices.Reverse(p.Events)
		return p.Encode()
	}
	return body
}
