package liquid

import "unicode/utf8"

func (b *block) render(r *run) error {
	for _, n := range b.nodes {
		if err := n.render(r); err != nil {
			return err
		}
	}
	return nil
}

// literalText is what stands between outputs and tags.
type literalText struct{ text string }

func (t *literalText) render(r *run) error { return r.print(t.text) }

// rawText is the body of raw. Unlike other text it is never space to be dropped.
type rawText struct{ literalText }

// output is {{ value }} or {{ secrets.name }}.
type output struct {
	value    *filtered
	secret   string
	off      int
	captured bool
}

func (o *output) render(r *run) error {
	if err := r.budget.spend(1); err != nil {
		return located(r.template.source, o.off, err)
	}
	if o.secret != "" {
		r.secrets = append(r.secrets, mark{len(r.out), o.secret})
		return nil
	}
	v, err := o.value.eval(r)
	if err == nil {
		err = r.show(v, o.captured)
	}
	if err != nil {
		return located(r.template.source, o.off, err)
	}
	return nil
}

type assignment struct {
	slot  int
	value *filtered
	off   int
}

func (a *assignment) render(r *run) error {
	if err := r.budget.spend(1); err != nil {
		return located(r.template.source, a.off, err)
	}
	v, err := a.value.eval(r)
	if err != nil {
		return located(r.template.source, a.off, err)
	}
	r.assign(a.slot, v)
	return nil
}

type captured struct {
	slot int
	body block
	off  int
}

func (c *captured) render(r *run) error {
	start := len(r.out)
	interrupted := c.body.render(r)
	if interrupted != nil && interrupted != errBreak && interrupted != errContinue {
		return interrupted
	}
	if err := r.budget.alloc(len(r.out) - start); err != nil {
		return located(r.template.source, c.off, err)
	}
	text := string(r.out[start:])
	r.out = r.out[:start]
	r.assign(c.slot, String(text))
	return interrupted
}

// ifChanged prints its body if that differs from what the last one in the template printed.
type ifChanged struct {
	body block
	off  int
}

func (i *ifChanged) render(r *run) error {
	start := len(r.out)
	interrupted := i.body.render(r)
	if r.changed && string(r.out[start:]) == r.unchanged {
		r.out = r.out[:start]
		return interrupted
	}
	if err := r.budget.alloc(len(r.out) - start); err != nil {
		return located(r.template.source, i.off, err)
	}
	r.changed, r.unchanged = true, string(r.out[start:])
	return interrupted
}

type interrupt struct{ err error }

func (i *interrupt) render(*run) error { return i.err }

// counter is increment and decrement. Their counts are apart from assigned variables.
type counter struct {
	slot int
	down bool // decrement counts before it prints, increment afterwards
	off  int
}

func (c *counter) render(r *run) error {
	if err := r.count(c.slot, c.down); err != nil {
		return located(r.template.source, c.off, err)
	}
	return nil
}

type cycle struct {
	group    expression // nil for an unnamed one
	key      string     // of an unnamed one, "" if it is on its own
	items    []expression
	prints   bool // more than literals
	captured bool
	off      int
}

// cycleKey is whatever tells groups apart: two cycles with an equal one share their position.
type cycleKey struct {
	kind  kind
	num   int64
	text  string
	cycle *cycle
}

func (c *cycle) identity(r *run) (cycleKey, error) {
	if c.group == nil {
		if c.key == "" {
			return cycleKey{cycle: c}, nil
		}
		return cycleKey{kind: kindBlank, text: c.key}, nil
	}
	v, err := c.group.eval(r)
	if err != nil {
		return cycleKey{}, err
	}
	text, err := r.string(v)
	return cycleKey{kind: v.kind, text: text}, err
}

func (c *cycle) render(r *run) error {
	err := c.next(r)
	if err != nil {
		return located(r.template.source, c.off, err)
	}
	return nil
}

func (c *cycle) next(r *run) error {
	if err := r.budget.spend(1); err != nil {
		return err
	}
	key, err := c.identity(r)
	if err != nil {
		return err
	}
	if err := r.budget.reading(len(key.text)); err != nil {
		return err
	}
	if r.cycles == nil {
		r.cycles = map[cycleKey]int{}
	}
	i, known := r.cycles[key]
	if !known {
		if err := r.make(mapEntry + len(key.text)); err != nil {
			return err
		}
	}
	if r.cycles[key] = i + 1; i+1 >= len(c.items) {
		r.cycles[key] = 0
	}
	if i >= len(c.items) {
		return nil
	}
	v, err := c.items[i].eval(r)
	if err != nil {
		return err
	}
	return r.show(v, !c.prints || c.captured)
}

// abortion is the tag abort.
type abortion struct {
	message *filtered
	off     int
}

// maxReason is the most characters of an abort's message that are kept.
const maxReason = 200

func (a *abortion) render(r *run) error {
	v, err := a.message.eval(r)
	if err != nil {
		return located(r.template.source, a.off, err)
	}
	text, err := r.string(v)
	if err != nil {
		return located(r.template.source, a.off, err)
	}
	for i, n := 0, 0; i < len(text); n++ {
		if n == maxReason {
			text = text[:i]
			break
		}
		_, size := utf8.DecodeRuneInString(text[i:])
		i += size
	}
	return &Abort{text}
}
