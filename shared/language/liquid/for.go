package liquid

// forLoop is the variable forloop.
type forLoop struct {
	name          string
	length, index int
	parent        *forLoop
}

func (l *forLoop) field(name string) Value {
	switch name {
	case "name":
		return String(l.name)
	case "parentloop":
		if l.parent == nil {
			return Null
		}
		return Value{kind: kindForLoop, ref: l.parent}
	}
	return position(name, l.index, l.length)
}

// position is what forloop and tablerowloop have in common.
func position(name string, index, length int) Value {
	switch name {
	case "index":
		return Int(int64(index + 1))
	case "index0":
		return Int(int64(index))
	case "rindex":
		return Int(int64(length - index))
	case "rindex0":
		return Int(int64(length - index - 1))
	case "first":
		return Bool(index == 0)
	case "last":
		return Bool(index == length-1)
	case "length":
		return Int(int64(length))
	}
	return Null
}

// loop is the tag for.
type loop struct {
	variable, forloop int // slots
	name              string
	collection        expression
	limit, offset     expression // nil if not given
	resumes, reversed bool       // offset: continue
	body, otherwise   block
	off               int
}

// forIn compiles {% for item in collection [reversed] [limit: n] [offset: n] %}.
func (p *parser) forIn(it item) (node, bool, error) {
	l := &loop{off: it.off}
	variable, err := p.loopHead(it, &l.variable, &l.collection, &l.name)
	if err != nil {
		return nil, false, err
	}
	l.name = variable + "-" + l.name
	l.forloop = p.slot("forloop")
	l.reversed = p.takeWord("reversed")
	if err := p.attributes(l.attribute); err != nil {
		return nil, false, err
	}
	braces := p.scanner.braces
	body, tag, err := p.body(it, "else", "endfor")
	if err == nil && tag.name == "else" {
		p.scanner.braces = braces
		l.otherwise, _, err = p.body(it, "endfor")
	} else {
		l.otherwise.blank = true
	}
	l.body = body
	return l, dropText(&l.body, &l.otherwise), err
}

// loopHead compiles item in collection.
func (p *parser) loopHead(it item, slot *int, collection *expression, name *string) (variable string, err error) {
	if err := p.begin(it); err != nil {
		return "", err
	}
	t := *p.peek()
	if _, ok := p.take(tokenName); !ok {
		return "", p.want("the name of a variable")
	}
	if *slot, err = p.set(t); err != nil {
		return "", err
	}
	if !p.takeWord("in") {
		return "", p.want("in")
	}
	start := p.at
	*collection, err = p.expression()
	if err == nil && name != nil {
		*name = wordsOf(p.tokens[start:p.at], p.template.source)
	}
	return t.text, err
}

// attributes compiles name: value pairs, with or without commas between them.
func (p *parser) attributes(set func(name string, p *parser) (known bool, err error)) error {
	for {
		p.take(',')
		t := *p.peek()
		if _, ok := p.take(tokenName); !ok {
			return p.end()
		}
		if _, ok := p.take(':'); !ok {
			return p.want(": behind " + t.text)
		}
		known, err := set(t.text, p)
		if !known {
			err = &faultAt{t.off, "unknown attribute " + quote(t.text)}
		}
		if err != nil {
			return err
		}
	}
}

func (l *loop) attribute(name string, p *parser) (known bool, err error) {
	switch {
	case name == "offset" && p.takeWord("continue"):
		l.resumes, l.offset = true, nil
	case name == "offset":
		l.resumes = false
		l.offset, err = p.expression()
	case name == "limit":
		l.limit, err = p.expression()
	default:
		return false, nil
	}
	return true, err
}

func (l *loop) render(r *run) error {
	seq, err := l.segment(r)
	if err != nil {
		return located(r.template.source, l.off, err)
	}
	if seq.length == 0 {
		return l.otherwise.render(r)
	}
	drop := &forLoop{name: l.name, length: seq.length, parent: r.loops}
	r.loops = drop
	variable, forloop := r.enter(l.variable), r.enter(l.forloop)
	r.slots[l.forloop].value = Value{kind: kindForLoop, ref: drop}
	for ; drop.index < seq.length && err == nil; drop.index++ {
		if err = r.budget.spend(1); err != nil {
			break
		}
		i := drop.index
		if l.reversed {
			i = seq.length - 1 - i
		}
		r.slots[l.variable].value = seq.at(i)
		if err = l.body.render(r); err == errContinue {
			err = nil
		}
	}
	r.leave(l.forloop, forloop)
	r.leave(l.variable, variable)
	r.loops = drop.parent
	if err == nil || err == errBreak {
		return nil
	}
	return located(r.template.source, l.off, err)
}

// segment chooses what the loop goes through, and notes where a later loop may resume.
func (l *loop) segment(r *run) (sequence, error) {
	var from int
	var err error
	if l.resumes {
		from = r.resume[l.name]
	} else if from, err = l.number(r, l.offset, 0); err != nil {
		return sequence{}, err
	}
	collection, err := l.collection.eval(r)
	if err != nil {
		return sequence{}, err
	}
	limit, err := l.number(r, l.limit, unlimited)
	if err != nil {
		return sequence{}, err
	}
	seq := sequenceOf(collection).cut(from, limit)
	if r.resume == nil {
		r.resume = map[string]int{}
	}
	r.resume[l.name] = clampInt(int64(from) + int64(seq.length))
	return seq, nil
}

// unlimited is a limit that no collection reaches.
const unlimited = 1<<31 - 1

func (l *loop) number(r *run, e expression, absent int) (int, error) {
	if e == nil {
		return absent, nil
	}
	v, err := e.eval(r)
	if err != nil || v.kind == kindNull {
		return absent, err
	}
	return toInteger(v)
}
