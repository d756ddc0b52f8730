package message

// JoinFirsts writes several first attempts of one subscription, as
// [First.Encode] wrote each, as one message body.
func JoinFirsts(bodies [][]byte) []byte {
	size := 1
	for _, body := range bodies {
		size += len(body) + firstLength
	}
	b := append(make([]byte, 0, size), byte(KindFirsts))
	for _, body := range bodies {
		b = appendPart(b, body)
	}
	return b
}

// firstLength is about what the length of a part takes, in bytes.
const firstLength = 3

// CutFirsts returns what [JoinFirsts] joined. The parts share body's memory.
func CutFirsts(body []byte) (bodies [][]byte, err error) {
	if KindOf(body) != KindFirsts {
		return nil, ErrMalformed
	}
	for rest := body[1:]; len(rest) > 0; {
		var part []byte
		if part, rest, err = cutPart(rest); err != nil || KindOf(part) != KindFirst {
			return nil, ErrMalformed
		}
		bodies = append(bodies, part)
	}
	if len(bodies) == 0 {
		return nil, ErrMalformed
	}
	return bodies, nil
}
