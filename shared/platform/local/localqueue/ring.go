package localqueue

// ring is a queue that grows as needed.
type ring[T any] struct {
	items []T
	first int
	n     int
}

func (r *ring[T]) push(item T) {
	if r.n == len(r.items) {
		r.grow()
	}
	r.items[(r.first+r.n)%len(r.items)] = item
	r.n++
}

func (r *ring[T]) front() T { return r.items[r.first] }

func (r *ring[T]) pop() T {
	var none T
	item := r.items[r.first]
	r.items[r.first] = none
	r.first = (r.first + 1) % len(r.items)
	r.n--
	return item
}

func (r *ring[T]) grow() {
	items := make([]T, max(4, 2*r.n))
	for i := range r.n {
		items[i] = r.items[(r.first+i)%r.n]
	}
	r.items, r.first = items, 0
}
