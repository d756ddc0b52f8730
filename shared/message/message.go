// Package message defines the messages that stages send to each other through
// queues: their content, and their encoding as bytes.
//
// The messages that every event causes are binary: one kind byte, then fields
// in a fixed order, numbers as varints, everything else as a length (uvarint)
// and bytes, so that an event's data arrives exactly as published. All others
// are JSON with one member, whose name says what is asked, so that people can
// read them in a console and move them about:
//
//	{"attempt":{"tenant":"acme","subscription":"crm","delivery":"dlv_…","round":0,"step":2}}
package message

import "errors"

// Message is what one stage asks of another.
type Message interface {
	// Encode writes the message as the body of a queue's message.
	Encode() []byte
}

// Kind is the first byte of a body.
type Kind byte

// The kinds, and the queues that carry them.
const (
	KindPack          Kind = 'P' // events: published events
	KindPart          Kind = 'Q' // events: those of a large array, one part of it
	KindFirstAttempt  Kind = 'D' // deliveries: the first attempt, with its rendered request
	KindFirstAttempts Kind = 'M' // deliveries: first attempts of one subscription, several
	KindJSON          Kind = '{' // any: its one member says what it is; see names
	kindUnknown       Kind = 0
)

// kinds are the decoders of bodies, by their first byte.
var kinds = map[Kind]func(body []byte) (Message, error){
	KindPack:          decoder(decodePack),
	KindPart:          decoder(decodePack),
	KindFirstAttempt:  decoder(decodeFirstAttempt),
	KindFirstAttempts: decoder(decodeFirstAttempts),
	KindJSON:          decodeJSON,
}

// ErrMalformed reports a body that no stage of this version wrote. The message
// comes again, in case that a newer version wrote it, and then goes to where
// the queue puts what fails.
var ErrMalformed = errors.New("malformed message")

// KindOf returns the body's kind.
func KindOf(body []byte) Kind {
	if len(body) == 0 {
		return kindUnknown
	}
	return Kind(body[0])
}

// Decode reads what any message's Encode wrote.
func Decode(body []byte) (Message, error) {
	decode, known := kinds[KindOf(body)]
	if !known {
		return nil, ErrMalformed
	}
	return decode(body)
}

func decoder[M Message](decode func([]byte) (M, error)) func([]byte) (Message, error) {
	return func(body []byte) (Message, error) {
		m, err := decode(body)
		if err != nil {
			return nil, err
		}
		return m, nil
	}
}

// DecodeAs reads a message of one type; any other is malformed.
func DecodeAs[M Message](body []byte) (m M, err error) {
	decoded, err := Decode(body)
	if err != nil {
		return m, err
	}
	m, is := decoded.(M)
	if !is {
		return m, ErrMalformed
	}
	return m, nil
}
