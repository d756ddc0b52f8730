package liquid

// slot is one variable of a render. A name can mean three things: the item of a loop around this place, what
// the template assigned, or what came from outside; the first of them counts.
type slot struct {
	value    Value // what the name means now
	from     origin
	assigned Value // hidden behind the item of a loop
	hides    bool  // there is an assigned value, hidden or not
	counter  Value // of increment and decrement
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
			s.value = s.counter
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
		s.value = s.counter
	}
}

// count prints and moves a counter. Counters are kept with the variables from outside, which they replace.
func (r *run) count(i int, down bool) error {
	if err := r.budget.spend(1); err != nil {
		return err
	}
	s := &r.slots[i]
	n := s.counter
	if !s.counts {
		n = r.global(r.template.names[i])
		if n.kind == kindNull {
			n = Int(0)
		}
	}
	if n.kind != kindInt {
		return faultf("%s is no integer to count with", r.template.names[i])
	}
	step := Int(1)
	if down {
		step = Int(-1)
	}
	next, err := arithmetic(r.budget, '+', n, step)
	if err != nil {
		return err
	}
	s.counter, s.counts = next, true
	if s.from == outside || s.from == notLoaded {
		s.value, s.from = next, outside
	}
	if down {
		n = next
	}
	return r.printValue(n)
}
