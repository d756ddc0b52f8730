package queue

import "slices"

// Add notes that the message at index was not sent, because of err.
func (u *Unsent) Add(index int, err error) {
	if u.Err == nil {
		u.Err = err
	}
	u.Indexes = append(u.Indexes, index)
}

// Result is what a Send of n messages returns, given those that were not
// sent: nil, u with its indexes in order, or u's cause if none was sent.
func (u *Unsent) Result(n int) error {
	switch len(u.Indexes) {
	case 0:
		return nil
	case n:
		return u.Err
	}
	slices.Sort(u.Indexes)
	return u
}
