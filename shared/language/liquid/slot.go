package liquid

// slot is one variable of a render. A name can mean four things: the item of a loop around this place, what
// the template assigned, a counter, or what came from outside; the first of them there is decides.
type slot struct {
	value    Value // what the name means now
	from     origin
	assigned Value // hidden behind the item of a loop
	hides    bool  // there is an assigned value, hidden or not
	counter  int64 // of increment and decrement
	counts   bool  // there is a counter
}

type origin uint8

const (
	notLoaded origin = iota
	outside
	inTemplate
	inLoop
)

// load returns the variable of a slot.
func (r *run) load(i int) Value {
	s := &r.slots[i]
	if s.from == notLoaded {
		s.value, s.from = r.global(r.template.names[i]), outside
		if s.counts {
			s.value = Int(s.counter)
		}
	}
	return s.value
}

// global returns a variable from outside. Secrets are not among them, whatever the caller gives.
func (r *run) global(name string) Value {
	if name == "secrets" {
		return Null
	}
	return r.vars[name]
}

// loadName returns a variable whose name was computed.
func (r *run) loadName(name string) Value {
	if i, ok := r.template.slots[name]; ok {
		return r.load(i)
	}
	return r.global(name)
}

// assign sets a variable for the rest of the render.
func (r *run) assign(i int, v Value) {
	s := &r.slots[i]
	s.assigned, s.hides = v, true
	if s.from != inLoop {
		s.value, s.from = v, inTemplate
	}
}

// enter begins a loop that has the slot as a variable, and returns what leave needs.
func (r *run) enter(i int) slot {
	outer := r.slots[i]
	r.slots[i].from = inLoop
	return outer
}

// leave ends the loop.
func (r *run) leave(i int, outer slot) {
	s := &r.slots[i]
	if s.hides && outer.from != inLoop {
		s.value, s.from = s.assigned, inTemplate
		return
	}
	s.value, s.from = outer.value, outer.from
	if s.counts && s.from == outside {
		s.value = Int(s.counter)
	}
}

// count prints and moves a counter. Counters begin at 0, whatever variable from outside has the name, and hide it.
func (r *run) count(i int, down bool) error {
	if err := r.budget.spend(1); err != nil {
		return err
	}
	s := &r.slots[i]
	before := s.counter
	if s.counter++; down {
		s.counter = before - 1
	}
	s.counts = true
	if s.from == outside || s.from == notLoaded {
		s.value, s.from = Int(s.counter), outside
	}
	if down {
		return r.printValue(Int(s.counter))
	}
	return r.printValue(Int(before))
}
