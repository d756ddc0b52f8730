package liquid

import (
	"fmt"
	"maps"
	"slices"

	"github.com/postino/postino/shared/language/suggest"
)

// filtered is an expression and the filters it goes through.
type filtered struct {
	base  expression
	calls []call
}

// written reports whether the value stands in the template as it is.
func (f *filtered) written() bool {
	_, is := f.base.(*literal)
	return is && len(f.calls) == 0
}

// call is one use of a filter.
type call struct {
	filter *filter
	args   []expression
	named  map[string]expression // of the filter default only
	off    int
}

func (f *filtered) eval(r *run) (Value, error) {
	v, err := f.base.eval(r)
	for i := 0; i < len(f.calls) && err == nil; i++ {
		v, err = f.calls[i].apply(r, v)
	}
	return v, err
}

func (c *call) apply(r *run, in Value) (Value, error) {
	if err := r.budget.spend(1); err != nil {
		return Null, located(r.template.source, c.off, err)
	}
	base := len(r.args)
	for _, arg := range c.args {
		v, err := arg.eval(r)
		if err != nil {
			return Null, located(r.template.source, c.off, err)
		}
		r.args = append(r.args, v)
	}
	args := r.args[base:]
	if c.named != nil {
		allow, err := c.named["allow_false"].eval(r)
		if err != nil {
			return Null, located(r.template.source, c.off, err)
		}
		r.allowFalse = truthy(allow)
	}
	v, err := c.filter.apply(r, in, args)
	r.args, r.allowFalse = r.args[:base], false
	if err != nil {
		return Null, located(r.template.source, c.off, err)
	}
	return v, nil
}

// filtered compiles an expression and its filters, up to the end.
func (p *parser) filtered() (*filtered, error) {
	f := &filtered{base: &literal{}}
	if p.peek().kind == tokenEnd {
		return f, nil
	}
	base, err := p.expression()
	for err == nil {
		f.base = base
		if _, more := p.take('|'); !more {
			return f, p.end()
		}
		var c call
		c, err = p.call()
		f.calls = append(f.calls, c)
	}
	return nil, err
}

// call compiles one filter and its arguments.
func (p *parser) call() (call, error) {
	c := call{off: p.peek().off}
	name, ok := p.take(tokenName)
	if !ok {
		return c, p.want("the name of a filter")
	}
	if c.filter = filters[name]; c.filter == nil {
		return c, &faultAt{c.off, "unknown filter " + quote(name) + suggest.Hint(name, slices.Sorted(maps.Keys(filters)))}
	}
	if _, ok := p.take(':'); ok {
		for more := true; more; _, more = p.take(',') {
			if err := p.argument(&c); err != nil {
				return c, err
			}
		}
	}
	if n := len(c.args); n < c.filter.least || n > c.filter.most {
		return c, &faultAt{c.off, fmt.Sprintf("filter %q has %d arguments: want %s", name, n, c.filter.arity())}
	}
	return c, c.knowsZone()
}

// knowsZone refuses a time zone that stands in the template and does not exist.
func (c *call) knowsZone() error {
	i, takes := zoneArgument[c.filter.name]
	if !takes || i >= len(c.args) {
		return nil
	}
	if zone, written := c.args[i].(*literal); written && zone.value.kind == kindString && zone.value.str != "" && zoneOf(zone.value.str) == nil {
		return &faultAt{c.off, wrongZone(zone.value.str)}
	}
	return nil
}

func (p *parser) argument(c *call) error {
	t := *p.peek()
	if t.kind != tokenName || p.tokens[p.at+1].kind != ':' {
		arg, err := p.expression()
		c.args = append(c.args, arg)
		return err
	}
	if t.text != c.filter.named || c.filter.named == "" {
		return &faultAt{t.off, fmt.Sprintf("filter %q has no argument named %q", c.filter.name, t.text)}
	}
	p.at += 2
	value, err := p.expression()
	c.named = map[string]expression{t.text: value}
	return err
}
