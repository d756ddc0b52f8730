package message

// Replay asks for a stored event to be sent again to those whom it matches
// when the message is handled.
type Replay struct {
	ID           string `json:"id"` // names this replay; part of the identity of what it sends
	Tenant       string `json:"tenant"`
	Source       string `json:"source"`
	Event        string `json:"event"`
	Subscription string `json:"sub,omitempty"` // the only one to receive it; "" for all
}

// Encode writes the message as a body.
func (r Replay) Encode() []byte { return appendPart([]byte{byte(KindReplay)}, mustJSON(r)) }

// DecodeReplay reads what [Replay.Encode] wrote.
func DecodeReplay(body []byte) (r Replay, err error) {
	if KindOf(body) != KindReplay {
		return r, ErrMalformed
	}
	err = cutJSON(body[1:], &r)
	return r, err
}
