package message

// FirstAttempts are several first attempts of one subscription, as
// [FirstAttempt.Encode] wrote each, in one message.
type FirstAttempts [][]byte

// Encode writes them as one message body.
func (f FirstAttempts) Encode() []byte {
	const length = 3 // about what the length of a part takes, in bytes
	size := 1
	for _, body := range f {
		size += len(body) + length
	}
	b := append(make([]byte, 0, size), byte(KindFirstAttempts))
	for _, body := range f {
		b = appendPart(b, body)
	}
	return b
}

// decodeFirstAttempts reads what [FirstAttempts.Encode] wrote. The parts share
// body's memory.
func decodeFirstAttempts(body []byte) (f FirstAttempts, err error) {
	for rest := body[1:]; len(rest) > 0; {
		var part []byte
		if part, rest, err = cutPart(rest); err != nil || KindOf(part) != KindFirstAttempt {
			return nil, ErrMalformed
		}
		f = append(f, part)
	}
	if len(f) == 0 {
		return nil, ErrMalformed
	}
	return f, nil
}
