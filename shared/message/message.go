// Package message is the language that the stages speak over the queues: what
// each message says, and how it is written as bytes.
//
// A body is one kind byte followed by that kind's fields: numbers as varints,
// everything else as a length (uvarint) and bytes, so that an event's data
// arrives exactly as published. Messages that are rare are JSON.
package message

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// Kind is the first byte of a body.
type Kind byte

// The kinds, and the queues that carry them.
const (
	KindPack    Kind = 'P' // events: published events
	KindPart    Kind = 'Q' // events: those of a large array, one part of it
	KindLeaf    Kind = 'L' // events: one page of a large plan
	KindFire    Kind = 'F' // events: a trigger's delay is over
	KindReplay  Kind = 'R' // events: an event is to be sent again
	KindFirst   Kind = 'D' // deliveries: the first attempt, with its rendered request
	KindFirsts  Kind = 'M' // deliveries: first attempts of one subscription, several
	KindRetry   Kind = '{' // retries: a later attempt; plain JSON, as is all that people may read in a console
	kindUnknown Kind = 0
)

// ErrMalformed reports a body that no stage of ours wrote.
var ErrMalformed = errors.New("malformed message")

// KindOf returns the body's kind.
func KindOf(body []byte) Kind {
	if len(body) == 0 {
		return kindUnknown
	}
	return Kind(body[0])
}

// appendPart appends a length and the bytes.
func appendPart(b, part []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(part)))
	return append(b, part...)
}

// cutPart takes one part off the front of b. The part shares b's memory.
func cutPart(b []byte) (part, rest []byte, err error) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)-w) {
		return nil, nil, ErrMalformed
	}
	return b[w : w+int(n) : w+int(n)], b[w+int(n):], nil
}

// cutJSON reads one JSON part from the front of b into v.
func cutJSON(b []byte, v any) error {
	part, _, err := cutPart(b)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(part, v); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

// mustJSON marshals one of our own structs, which cannot fail.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("message: " + err.Error())
	}
	return b
}

// AppendEvent appends e, field by field, its data last.
func AppendEvent(b []byte, e webhook.Event) []byte {
	for _, text := range []string{e.Tenant, e.ID, e.Source, e.Type, e.Subject, e.Nonce} {
		b = appendText(b, text)
	}
	b = appendTime(appendTime(b, e.Time), e.AcceptedAt)
	b = binary.AppendUvarint(b, uint64(e.Order))
	return appendPart(appendPart(b, e.Extensions), e.Data)
}

// CutEvent takes one event off the front of b. Its data and extensions share
// b's memory.
func CutEvent(b []byte) (e webhook.Event, rest []byte, err error) {
	f := fields{rest: b}
	e.Tenant, e.ID, e.Source, e.Type, e.Subject, e.Nonce = f.text(), f.text(), f.text(), f.text(), f.text(), f.text()
	e.Time, e.AcceptedAt = f.time(), f.time()
	e.Order = f.order()
	e.Extensions, e.Data = f.part(), f.part()
	return e, f.rest, f.err
}

// Leaf asks for one page of an event's plan to be carried out.
type Leaf struct {
	Tenant string `json:"tenant"`
	Source string `json:"source"`
	Event  string `json:"event"`
	Key    string `json:"key"` // of the plan's pages
	Page   int    `json:"page"`
	Replay string `json:"replay,omitempty"` // whose plan it is; "" for the event's own
	Order  uint32 `json:"order,omitempty"`  // of the event
	Plain  bool   `json:"plain,omitempty"`  // leaves triggers out: those of an array are asked in order, elsewhere
}

// Encode writes the leaf as a message body.
func (l Leaf) Encode() []byte { return appendPart([]byte{byte(KindLeaf)}, mustJSON(l)) }

// DecodeLeaf reads what [Leaf.Encode] wrote.
func DecodeLeaf(body []byte) (l Leaf, err error) {
	if KindOf(body) != KindLeaf {
		return l, ErrMalformed
	}
	err = cutJSON(body[1:], &l)
	return l, err
}

// SubscriptionGroup is the group of a subscription's messages, whose owner is
// the tenant: fair turns are taken between tenants, then between subscriptions.
// A subscription's name that is too long beside its tenant's is hashed.
func SubscriptionGroup(tenant, subscription string) string {
	if len(tenant)+1+len(subscription) > queue.MaxGroup {
		return tenant + "/" + webhook.Hash(20, "group", tenant, subscription)
	}
	return tenant + "/" + subscription
}
