package queue

// Check returns why queues refuse the message: [ErrGroup], [ErrDelay],
// [ErrTooLarge], or nil.
func (m Message) Check() error {
	switch {
	case !validGroup(m.Group):
		return ErrGroup
	case m.Delay < 0 || m.Delay > MaxDelay:
		return ErrDelay
	case len(m.Body) == 0 || len(m.Body) > MaxBody:
		return ErrTooLarge
	}
	return nil
}

// validGroup reports whether g is 1 to MaxGroup printable ASCII characters
// without spaces, which is what SQS takes.
func validGroup(g string) bool {
	for i := range len(g) {
		if g[i] <= ' ' || g[i] > '~' {
			return false
		}
	}
	return g != "" && len(g) <= MaxGroup
}
