package liquid

import (
	"unicode/utf8"
)

func (b *block) render(r *run) error {
	for _, n := range b.nodes {
		if err := n.render(r); err != nil {
			return err
		}
	}
	return nil
}

// literalText is what stands between outputs and tags.
type literalText struct {
	text string
	off  int
}

func (t *literalText) render(r *run) error { return r.print(t.text) }

// rawText is the body of raw. Unlike other text it is never space to be dropped.
type rawText struct{ literalText }

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
	line, column := place(r.template.source, a.off)
	return &Abort{line, column, text, a.message.written()}
}
