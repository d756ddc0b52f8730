package simulation

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// slotOf is where a pointer is kept.
func slotOf(due webhook.Due) slot {
	h := fnv.New32a()
	fmt.Fprint(h, due.Tenant, due.Subscription, due.ID)
	return slot{due.At.Truncate(time.Minute).Unix(), int(h.Sum32() % webhook.DueShards)}
}

func compareDues(a, b webhook.Due) int {
	return cmp.Or(a.At.Compare(b.At), strings.Compare(dueKey(a), dueKey(b)))
}

func dueKey(d webhook.Due) string {
	d.At = d.At.UTC()
	key, err := json.Marshal(d)
	if err != nil {
		panic(err) // a struct of strings and numbers
	}
	return string(key)
}

// PutDue stores a pointer; the same pointer again changes nothing.
func (s *Store) PutDue(_ context.Context, due webhook.Due) error {
	defer s.lock()()
	at := slotOf(due)
	if i, found := slices.BinarySearchFunc(s.dues[at], due, compareDues); !found {
		s.dues[at] = slices.Insert(s.dues[at], i, due)
	}
	return nil
}

// DeleteDue removes pointers; a repeat changes nothing.
func (s *Store) DeleteDue(_ context.Context, dues []webhook.Due) error {
	defer s.lock()()
	for _, due := range dues {
		at := slotOf(due)
		if i, found := slices.BinarySearchFunc(s.dues[at], due, compareDues); found {
			s.dues[at] = slices.Delete(s.dues[at], i, i+1)
		}
		if len(s.dues[at]) == 0 {
			delete(s.dues, at)
		}
	}
	return nil
}

// DueAt lists up to limit pointers of the minute in the shard.
func (s *Store) DueAt(_ context.Context, minute time.Time, shard int, position string, limit int) ([]webhook.Due, string, error) {
	defer s.lock()()
	list := s.dues[slot{minute.Unix(), shard}]
	if position != "" {
		var last webhook.Due
		if err := json.Unmarshal([]byte(position), &last); err != nil {
			return nil, "", webhook.ErrNotFound
		}
		i, found := slices.BinarySearchFunc(list, last, compareDues)
		if found {
			i++
		}
		list = list[i:]
	}
	if len(list) <= limit {
		return slices.Clone(list), "", nil
	}
	return slices.Clone(list[:limit]), dueKey(list[limit-1]), nil
}

// CountDue counts the due pointers up to a time, at most limit.
func (s *Store) CountDue(_ context.Context, through time.Time, limit int) (n int, err error) {
	defer s.lock()()
	for _, dues := range s.dues {
		for _, due := range dues {
			if !due.At.After(through) {
				n++
			}
		}
	}
	return min(n, limit), nil
}

// LowWater returns the minute before which no pointer is left.
func (s *Store) LowWater(context.Context) (time.Time, error) {
	defer s.lock()()
	return s.lowWater, nil
}

// RaiseLowWater moves the mark forward; to an earlier time it does nothing.
func (s *Store) RaiseLowWater(_ context.Context, to time.Time) error {
	defer s.lock()()
	if to.After(s.lowWater) {
		s.lowWater = to
	}
	return nil
}
