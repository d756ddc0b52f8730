package message

import (
	"strconv"
	"strings"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// dues are the messages that due pointers stand for: sweep sends them at times
// that no queue can wait for.
var dues = map[webhook.DueKind]func(webhook.Due) (Message, error){
	webhook.DueRetry: func(d webhook.Due) (Message, error) {
		return Attempt{Tenant: d.Tenant, Subscription: d.Subscription, Delivery: d.ID, Round: d.Round, Step: d.Step}, nil
	},
	webhook.DueLine: func(d webhook.Due) (Message, error) {
		return AuditLine{Tenant: d.Tenant, Subscription: d.Subscription}, nil
	},
	webhook.DueJob: func(d webhook.Due) (Message, error) {
		return AuditJob{Tenant: d.Tenant, Subscription: d.Subscription, Job: d.ID, Slice: d.Step}, nil
	},
	webhook.DueTimer: fireOf,
}

// OfDue returns the message that one of the methods called Due made a pointer
// to, or [ErrMalformed].
func OfDue(due webhook.Due) (Message, error) {
	of, known := dues[due.Kind]
	if !known {
		return nil, ErrMalformed
	}
	return of(due)
}

// Due is the pointer to the task at a time.
func (a Attempt) Due(at time.Time) webhook.Due {
	return webhook.Due{At: at, Kind: webhook.DueRetry, Tenant: a.Tenant, Subscription: a.Subscription, ID: a.Delivery, Round: a.Round, Step: a.Step}
}

// Due is the pointer to the task at a time.
func (a AuditLine) Due(at time.Time) webhook.Due {
	return webhook.Due{At: at, Kind: webhook.DueLine, Tenant: a.Tenant, Subscription: a.Subscription}
}

// Due is the pointer to the task at a time.
func (a AuditJob) Due(at time.Time) webhook.Due {
	return webhook.Due{At: at, Kind: webhook.DueJob, Tenant: a.Tenant, Subscription: a.Subscription, ID: a.Job, Step: a.Slice}
}

// Due is the pointer to the task at a time.
func (f Fire) Due(at time.Time) webhook.Due {
	return webhook.Due{
		At: at, Kind: webhook.DueTimer, Tenant: f.Tenant, Subscription: f.Subscription,
		ID: strconv.FormatInt(f.Epoch, 10) + " " + f.Key + " " + f.Mark,
	}
}

func fireOf(due webhook.Due) (Message, error) {
	parts := strings.SplitN(due.ID, " ", 3)
	if len(parts) != 3 {
		return nil, ErrMalformed
	}
	epoch, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil {
		return nil, ErrMalformed
	}
	return Fire{Tenant: due.Tenant, Subscription: due.Subscription, Epoch: epoch, Key: parts[1], Mark: parts[2]}, nil
}
