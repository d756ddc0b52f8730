package render

import (
	"github.com/postino/postino/shared/language/liquid"
	"github.com/postino/postino/shared/webhook"
)

// Bounds of a whole request: its headers, body and what it requires.
const (
	MaxSize      = 256 << 10 // bytes as written
	MaxTemplates = 1000      // texts with tags or outputs
	MaxNodes     = 10_000    // values in a body of JSON
	MaxWeight    = 2 << 20   // bytes of memory once compiled
)

// What parts take in memory beside their templates, in bytes on a 64-bit machine.
const (
	requestWeight = 250
	requireWeight = 100
	nodeWeight    = 180
)

// sizeOf returns how many bytes a request has as it was written.
func sizeOf(spec *webhook.RequestSpec) int {
	n := len(spec.Body) + len(spec.ContentType) + len(spec.Method) + len(spec.Format)
	for name, value := range spec.Headers {
		n += len(name) + len(value)
	}
	for _, path := range spec.Require {
		n += len(path)
	}
	return n
}

// weigh counts a template that was compiled; nil if it is one too many.
func (c *compiler) weigh(t *liquid.Template) *liquid.Template {
	if !t.Constant() {
		c.templates++
	}
	c.weight += t.Weight()
	if c.checkRoom(); c.full {
		return nil
	}
	return t
}

// count counts a value of a body, and says whether there is room for it.
func (c *compiler) count() bool {
	c.nodes++
	c.weight += nodeWeight
	c.checkRoom()
	return !c.full
}

// checkRoom refuses, once, what is too much; nothing more is compiled then.
func (c *compiler) checkRoom() {
	if c.full {
		return
	}
	c.full = true
	switch {
	case c.templates > MaxTemplates:
		c.fault("request", "has more than %d templates: join some into one, or loop with {%% for %%}", MaxTemplates)
	case c.nodes > MaxNodes:
		c.fault("request", "has a body of more than %d values: send fewer, or make it of a text with {%% for %%}", MaxNodes)
	case c.weight > MaxWeight:
		c.fault("request", "would take more than %d bytes of memory: use fewer outputs and tags, or loop with {%% for %%}", MaxWeight)
	default:
		c.full = false
	}
}

// maxShown is how many bytes of a name are shown in the place of a fault.
const maxShown = 100

// Weight returns about how many bytes of memory the compiled request takes.
func (r *Request) Weight() int { return r.weight }
