package message

import (
	"encoding/binary"

	"github.com/postino/postino/shared/webhook"
)

// Pack is a batch of published events of one tenant, in the order of their
// array: all that came in one request, or one part of it.
type Pack struct {
	Request string // names the array of a part; "" if the pack is the whole
	First   int    // the place in the array of the first event
	Last    bool   // no part comes after this one
	Holds   int    // how often the part has gone back into the queue, to wait for those before it
	Events  []webhook.Event
}

// MaxPack is the size in bytes at which a pack with more than one event is
// full: about three of SQS's 64 KiB billing units before compression.
const MaxPack = 192 << 10

// Encode writes the pack as a message body.
func (p Pack) Encode() []byte {
	b := []byte{byte(KindPack)}
	if p.Request != "" {
		b = p.Head()
	}
	for _, e := range p.Events {
		b = AppendEvent(b, e)
	}
	return b
}

// Head begins the body of a part; its events follow.
func (p Pack) Head() []byte {
	b := appendText([]byte{byte(KindPart)}, p.Request)
	last := uint64(0)
	if p.Last {
		last = 1
	}
	for _, n := range []uint64{uint64(p.First), last, uint64(p.Holds)} {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

// decodePack reads what [Pack.Encode] wrote.
func decodePack(body []byte) (p Pack, err error) {
	f := fields{rest: body[1:]}
	if KindOf(body) == KindPart {
		p.Request, p.First, p.Last, p.Holds = f.text(), f.place(), f.place() == 1, f.place()
		if f.err == nil && (p.Request == "" || len(f.rest) == 0) {
			f.err = ErrMalformed
		}
	}
	for f.err == nil && len(f.rest) > 0 {
		var e webhook.Event
		e, f.rest, f.err = CutEvent(f.rest)
		p.Events = append(p.Events, e)
	}
	if f.err != nil {
		return Pack{}, f.err
	}
	return p, nil
}

// AppendEvent appends e, field by field, its data last.
func AppendEvent(b []byte, e webhook.Event) []byte {
	for _, text := range []string{e.Tenant, e.ID, e.Source, e.Type, e.Subject, e.Nonce, e.Only} {
		b = appendText(b, text)
	}
	b = appendTime(appendTime(b, e.Time), e.AcceptedAt)
	b = binary.AppendUvarint(b, uint64(e.Order))
	b = append(b, byte(e.History), e.Depth)
	return appendPart(appendPart(b, e.Extensions), e.Data)
}

// CutEvent takes one event off the front of b. Its data and extensions share
// b's memory.
func CutEvent(b []byte) (e webhook.Event, rest []byte, err error) {
	f := fields{rest: b}
	e.Tenant, e.ID, e.Source, e.Type, e.Subject, e.Nonce, e.Only = f.text(), f.text(), f.text(), f.text(), f.text(), f.text(), f.text()
	e.Time, e.AcceptedAt = f.time(), f.time()
	e.Order = f.order()
	e.History, e.Depth = webhook.History(f.octet()), f.octet()
	e.Extensions, e.Data = f.part(), f.part()
	return e, f.rest, f.err
}
