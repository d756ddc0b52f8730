package webhook

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"strings"
	"time"
)

// encoding is base32 with an alphabet that keeps byte order, in lower case.
var encoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// hash is SHA-256 over length-prefixed parts, so that ("a","bc") and
// ("ab","c") differ.
func hash(parts ...string) [sha256.Size]byte {
	var buf [256]byte
	b := buf[:0]
	for _, p := range parts {
		b = binary.AppendUvarint(b, uint64(len(p)))
		b = append(b, p...)
	}
	return sha256.Sum256(b)
}

// Hash returns n bytes (at most 32) of the hash over parts as lower-case
// base32. Parts that callers choose are hashed into keys, never joined raw.
func Hash(n int, parts ...string) string {
	sum := hash(parts...)
	return encoding.EncodeToString(sum[:n])
}

// EventKey names an event within its tenant: 32 characters, a pure function
// of source and id.
func EventKey(source, id string) string { return Hash(20, "event", source, id) }

// RepeatableID is the event id made for the n-th event of a request that
// carried an Idempotency-Key. Other content gets another id, so that it is never
// taken for a repeat, however late it comes.
func RepeatableID(tenant, idempotencyKey string, n int, content string) string {
	var num [binary.MaxVarintLen64]byte
	return "evt_" + Hash(16, "idempotency", tenant, idempotencyKey, string(binary.AppendUvarint(num[:0], uint64(n))), content)
}

// RepeatableReplay is the id of a replay whose request carried an
// Idempotency-Key.
func RepeatableReplay(tenant, eventKey, subscription, idempotencyKey string) string {
	return "rpl_" + Hash(16, "replay", tenant, eventKey, subscription, idempotencyKey)
}

const deliveryPrefix = "dlv_"

// DeliveryID is the identity of a delivery: a pure function of tenant, event,
// subscription and occasion, ordered by the event's acceptance or, if a replay
// is the occasion, by when that was asked for. It is "dlv_" and 32 characters:
// 48 bits of that time (ms), 48 bits that name tenant and subscription (see
// [DeliveryTag]), 20 bits of [Group], none here, and 44 bits of hash.
func DeliveryID(tenant, eventKey string, created time.Time, subscription, occasion string) string {
	return deliveryID(tenant, eventKey, created, subscription, occasion, 0)
}

// DeliveryID is the id of what an entry of the event's plan owes. It also has
// the entry's group.
func (e Event) DeliveryID(entry PlanEntry) string {
	return deliveryID(e.Tenant, e.Key(), e.AcceptedAt, entry.Subscription, "", entry.Group)
}

func deliveryID(tenant, eventKey string, created time.Time, subscription, occasion string, group Group) string {
	var b [20]byte
	putMillis(b[:6], created)
	tag := hash("tag", tenant, subscription)
	copy(b[6:12], tag[:6])
	own := hash("delivery", tenant, eventKey, subscription, occasion)
	bits := binary.BigEndian.Uint64(own[:])>>groupBits | uint64(group&MaxGroup)<<(64-groupBits)
	binary.BigEndian.PutUint64(b[12:], bits)
	return deliveryPrefix + encoding.EncodeToString(b[:])
}

// Group names the deliveries of one subscription that were planned together, so
// that a store can keep their outcomes together. It is part of their ids. 0 means
// none.
type Group uint32

// GroupSpan numbers the stretches of about a second in which the events of one
// group were accepted: a group and its span are unique within a subscription.
func GroupSpan(accepted time.Time) int64 { return accepted.UnixMilli() >> 10 }

// NewGroup returns a group that begins with an event.
func NewGroup(e Event) Group {
	sum := hash("group", e.Tenant, e.Source, e.ID)
	return 1 + Group(binary.BigEndian.Uint32(sum[:]))%MaxGroup
}

const groupBits = 20

// MaxGroup is the greatest group.
const MaxGroup Group = 1<<groupBits - 1

// GroupOf returns the group that a delivery id names; 0 for what is no id.
func GroupOf(id string) Group {
	raw, ok := strings.CutPrefix(id, deliveryPrefix)
	if !ok || len(raw) != 32 {
		return 0
	}
	b, err := encoding.DecodeString(raw)
	if err != nil {
		return 0
	}
	return Group(binary.BigEndian.Uint64(b[12:]) >> (64 - groupBits))
}

func putMillis(b []byte, t time.Time) {
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(t.UnixMilli()))
	copy(b, ms[2:])
}

// DeliveryTag returns the 48 bits, as lower-case base32, that every delivery
// id of this tenant and subscription carries: id and subscription name the
// same partition, so neither look-up needs an index.
func DeliveryTag(tenant, subscription string) string {
	tag := hash("tag", tenant, subscription)
	return encoding.EncodeToString(tag[:6])
}

// ErrBadID reports a string that cannot be a delivery id.
var ErrBadID = errors.New("not a delivery id")

// ParseDeliveryID takes a delivery id apart: when the delivery came to be owed
// (whole milliseconds) and the tag of [DeliveryTag]. It returns [ErrBadID] for any
// string that [DeliveryID] cannot have made.
func ParseDeliveryID(id string) (created time.Time, tag string, err error) {
	raw, ok := strings.CutPrefix(id, deliveryPrefix)
	if !ok || len(raw) != 32 {
		return time.Time{}, "", ErrBadID
	}
	b, err := encoding.DecodeString(raw)
	if err != nil || encoding.EncodeToString(b) != raw { // the decoder passes over line breaks
		return time.Time{}, "", ErrBadID
	}
	var ms [8]byte
	copy(ms[2:], b[:6])
	return time.UnixMilli(int64(binary.BigEndian.Uint64(ms[:]))).UTC(), encoding.EncodeToString(b[6:12]), nil
}

// DeliveryIDBound returns the least string not below the ids of deliveries
// that came to be owed at t or later, for range queries by id.
func DeliveryIDBound(t time.Time) string {
	if t.UnixMilli() < 0 {
		return deliveryPrefix
	}
	var b [20]byte
	putMillis(b[:6], t)
	return deliveryPrefix + encoding.EncodeToString(b[:])
}
