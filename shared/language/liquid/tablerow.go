package liquid

import (
	"slices"
	"strconv"
)

// tableLoop is the variable tablerowloop.
type tableLoop struct {
	length, index  int
	row, col, cols int
}

func (l *tableLoop) field(name string) Value {
	switch name {
	case "row":
		return Int(int64(l.row))
	case "col":
		return Int(int64(l.col))
	case "col0":
		return Int(int64(l.col - 1))
	case "col_first":
		return Bool(l.col == 1)
	case "col_last":
		return Bool(l.col == l.cols)
	}
	return position(name, l.index, l.length)
}

var tableAttributes = []string{"cols", "limit", "offset"}

// table is the tag tablerow.
type table struct {
	variable, tablerowloop int // slots
	collection             expression
	attributes             map[string]expression
	body                   block
	off                    int
}

// tableRow compiles {% tablerow item in collection [cols: n] [limit: n] [offset: n] %}.
func (p *parser) tableRow(it item) (node, bool, error) {
	t := &table{off: it.off, attributes: map[string]expression{}}
	if _, err := p.loopHead(it, &t.variable, &t.collection, nil); err != nil {
		return nil, false, err
	}
	t.tablerowloop = p.slot("tablerowloop")
	err := p.attributes(func(name string, p *parser) (bool, error) {
		value, err := p.expression()
		t.attributes[name] = value
		return slices.Contains(tableAttributes, name), err
	})
	if err != nil {
		return nil, false, err
	}
	t.body, _, err = p.body(it, "endtablerow")
	return t, false, err
}

// number reads an attribute leniently: null and text are 0.
func (t *table) number(r *run, name string, absent int) (int, error) {
	e, given := t.attributes[name]
	if !given {
		return absent, nil
	}
	v, err := e.eval(r)
	if err != nil {
		return 0, err
	}
	switch v.kind {
	case kindArray, kindObject, kindRange, kindBool:
		return 0, faultf("want an integer as %s", name)
	}
	n, err := looseInteger(v)
	if err != nil || n.kind == kindBig {
		return 0, errTooLarge
	}
	return clampInt(n.num), nil
}

// cells chooses what the table shows.
func (t *table) cells(r *run) (seq sequence, shown bool, err error) {
	collection, err := t.collection.eval(r)
	if err != nil || !truthy(collection) {
		return sequence{}, false, err
	}
	from, err := t.number(r, "offset", 0)
	if err != nil {
		return sequence{}, false, err
	}
	limit, err := t.number(r, "limit", unlimited)
	return sequenceOf(collection).cut(from, limit), true, err
}

func (t *table) render(r *run) error {
	seq, shown, err := t.cells(r)
	if err != nil {
		return located(r.template.source, t.off, err)
	}
	if !shown {
		return nil
	}
	cols, err := t.number(r, "cols", seq.length)
	if err != nil {
		return located(r.template.source, t.off, err)
	}
	variable, drop := r.enter(t.variable), r.enter(t.tablerowloop)
	err = t.rows(r, seq, &tableLoop{length: seq.length, row: 1, col: 1, cols: cols})
	r.leave(t.tablerowloop, drop)
	r.leave(t.variable, variable)
	if err != nil {
		return located(r.template.source, t.off, err)
	}
	return nil
}

func (t *table) rows(r *run, seq sequence, l *tableLoop) error {
	if err := r.print("<tr class=\"row1\">\n"); err != nil {
		return err
	}
	r.slots[t.tablerowloop].value = Value{kind: kindTableLoop, ref: l}
	for ; l.index < seq.length; l.index++ {
		stop, err := t.cell(r, seq.at(l.index), l)
		if err != nil {
			return err
		}
		if stop {
			break
		}
		if l.col != l.cols {
			l.col++
			continue
		}
		l.col = 1
		l.row++
		if l.index < seq.length-1 {
			if err := r.print("</tr>\n<tr class=\"row" + strconv.Itoa(l.row) + "\">"); err != nil {
				return err
			}
		}
	}
	return r.print("</tr>\n")
}

// cell renders one cell; stop means that it was left by break.
func (t *table) cell(r *run, item Value, l *tableLoop) (stop bool, err error) {
	if err := r.budget.spend(1); err != nil {
		return false, err
	}
	if err := r.print("<td class=\"col" + strconv.Itoa(l.col) + "\">"); err != nil {
		return false, err
	}
	r.slots[t.variable].value = item
	err = t.body.render(r)
	if err != nil && err != errBreak && err != errContinue {
		return false, err
	}
	return err == errBreak, r.print("</td>")
}
