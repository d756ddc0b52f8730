package record

import "context"

// idRange is a range of ids, both ends included, except skip.
type idRange struct {
	low, high string
	skip      string // where the page before ended
	desc      bool
}

// behind narrows the range to what follows a position; "" changes nothing.
func (r idRange) behind(position string) idRange {
	switch {
	case position == "":
		return r
	case r.desc:
		r.high = min(r.high, position)
	default:
		r.low = max(r.low, position)
	}
	r.skip = position
	return r
}

// itemsOf are deliveries as the table lists them.
type itemsOf struct {
	store  *Store
	tenant string
	*merge
	ids idRange
}

func (w itemsOf) next(ctx context.Context) (candidate, bool, error) {
	it, more, err := w.merge.next(ctx)
	if !more || err != nil {
		return candidate{}, false, err
	}
	c := candidate{end: lastOf(it)}
	if w.store.dead(it) || c.end == w.ids.skip {
		return c, true, nil
	}
	d, err := readDelivery(w.tenant, c.end, it)
	c.found = &d
	return c, true, err
}

// indexed are deliveries as an index names them.
type indexed struct {
	*merge
	index int
	ids   idRange
}

func (n indexed) next(ctx context.Context) (candidate, bool, error) {
	it, more, err := n.merge.next(ctx)
	if !more || err != nil {
		return candidate{}, false, err
	}
	c := candidate{end: lastOf(it)}
	if c.end != n.ids.skip {
		c.id, c.key = c.end, it.Key
	}
	return c, true, nil
}
