package dynamostore

import "context"

// eventSource is a list of events in order, each an item with its sort key in
// GSI1.
type eventSource interface {
	next(ctx context.Context) (item, error) // nil at the end
	more() bool
}

// eventsIn begins a list of events, of a subject unless that is "".
func (s *Store) eventsIn(op, tenant, subject string, rng keyRange, limit int) eventSource {
	if subject == "" {
		pks := shardPKs(eventShards, func(shard string) string { return eventsPK(tenant, shard) })
		return s.merge(op, pks, rng, source{index: index1}, limit)
	}
	pks := shardPKs(eventShards, func(shard string) string { return subjectPK(tenant, subject, shard) })
	return &readEvents{named: s.merge(op, pks, rng, source{index: index2, keysOnly: true}, limit), subject: subject, size: min(limit, getAtOnce)}
}

// readEvents are events that an index names by their keys alone.
type readEvents struct {
	named   *merge
	subject string
	size    int // of one read
	buffer  []item
}

func (r *readEvents) more() bool { return len(r.buffer) > 0 || r.named.more() }

// next reads the events of as many keys as a page wants at once. One that is
// gone, or has lost its subject since, is passed over.
func (r *readEvents) next(ctx context.Context) (item, error) {
	for len(r.buffer) == 0 {
		var keys []key
		for len(keys) < r.size {
			it, err := r.named.next(ctx)
			if err != nil {
				return nil, err
			}
			if it == nil {
				break
			}
			keys = append(keys, it.key())
		}
		if len(keys) == 0 {
			return nil, nil
		}
		found, err := r.named.store.getAll(ctx, r.named.op, keys, false)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			if it := found[k]; it.str("su") == r.subject {
				r.buffer = append(r.buffer, it)
			}
		}
	}
	it := r.buffer[0]
	r.buffer = r.buffer[1:]
	return it, nil
}
