package message

import (
	"strconv"
	"strings"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// Fire says that the delay of a trigger's start is over: its timer is to be
// looked at.
type Fire struct {
	Tenant       string `json:"tenant"`
	Subscription string `json:"sub"`
	Epoch        int64  `json:"epoch"`
	Key          string `json:"key"`  // hash
	Mark         string `json:"mark"` // the part of the state that tells of the start
}

// Encode writes the message as a body.
func (f Fire) Encode() []byte { return appendPart([]byte{byte(KindFire)}, mustJSON(f)) }

// DecodeFire reads what [Fire.Encode] wrote.
func DecodeFire(body []byte) (f Fire, err error) {
	if KindOf(body) != KindFire {
		return f, ErrMalformed
	}
	err = cutJSON(body[1:], &f)
	return f, err
}

// Due is the pointer by which sweep sends the message at a time that no queue
// can wait for.
func (f Fire) Due(at time.Time) webhook.Due {
	return webhook.Due{
		At: at, Kind: webhook.DueTimer, Tenant: f.Tenant, Subscription: f.Subscription,
		ID: strconv.FormatInt(f.Epoch, 10) + " " + f.Key + " " + f.Mark,
	}
}

// FireOf returns the message that [Fire.Due] made a pointer to, or
// [ErrMalformed].
func FireOf(due webhook.Due) (Fire, error) {
	parts := strings.SplitN(due.ID, " ", 3)
	if due.Kind != webhook.DueTimer || len(parts) != 3 {
		return Fire{}, ErrMalformed
	}
	epoch, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil {
		return Fire{}, ErrMalformed
	}
	return Fire{Tenant: due.Tenant, Subscription: due.Subscription, Epoch: epoch, Key: parts[1], Mark: parts[2]}, nil
}
