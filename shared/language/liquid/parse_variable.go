package liquid

// name compiles a word that stands for itself, or a variable.
func (p *parser) name(t token) (expression, error) {
	next := p.peek().kind
	if v, ok := literalWords[t.text]; ok && next != '.' && next != '[' {
		return &literal{v}, nil
	}
	return p.variable(t.text, t.off)
}

// variable compiles a variable and its path.
func (p *parser) variable(name string, off int) (expression, error) {
	if name == "secrets" {
		return nil, p.secretFault(off)
	}
	if _, ok := p.read[name]; !ok {
		p.read[name] = off
	}
	l := &lookup{slot: p.slot(name)}
	e, err := p.path(l)
	if p.options.Judge != nil && err == nil {
		p.members = append(p.members, member{literalPath(name, l.path), off})
	}
	return e, err
}

// member is a variable with a path, and where it is read.
type member struct {
	path []string
	off  int
}

// literalPath is a variable and the names behind it, up to the first that is computed.
func literalPath(name string, path []segment) []string {
	names := []string{name}
	for _, s := range path {
		if s.index != nil {
			break
		}
		names = append(names, s.key)
	}
	return names
}

// judge asks what is wrong with the members that the template reads.
func (p *parser) judge() error {
	for _, m := range p.members {
		if p.own[m.path[0]] {
			continue
		}
		if wrong := p.options.Judge(m.path); wrong != "" {
			return &faultAt{m.off, wrong}
		}
	}
	return nil
}

func (p *parser) secretFault(off int) error {
	if !p.options.Secrets {
		return &faultAt{off, "a secret cannot be used here"}
	}
	return &faultAt{off, "a secret must be the whole output, without filters: {{ secrets.name }}"}
}

// slot numbers the variables.
func (p *parser) slot(name string) int {
	t := p.template
	i, ok := t.slots[name]
	if !ok {
		i = len(t.names)
		t.names = append(t.names, name)
		t.slots[name] = i
	}
	return i
}

// path compiles what follows a variable: .name and [index].
func (p *parser) path(l *lookup) (expression, error) {
	for {
		if _, ok := p.take('.'); ok {
			name, ok := p.take(tokenName)
			if !ok {
				return nil, p.want("a name")
			}
			command := name == "size" || name == "first" || name == "last"
			l.path = append(l.path, segment{key: name, command: command})
			continue
		}
		if _, ok := p.take('['); !ok {
			return l, nil
		}
		s, err := p.bracket()
		if err != nil {
			return nil, err
		}
		l.path = append(l.path, s)
	}
}

// bracket compiles what stands behind [, up to the closing one.
func (p *parser) bracket() (segment, error) {
	index, err := p.expression()
	if err != nil {
		return segment{}, err
	}
	if _, ok := p.take(']'); !ok {
		return segment{}, p.want("]")
	}
	if l, ok := index.(*literal); ok && l.value.kind == kindString {
		return segment{key: l.value.str}, nil
	}
	return segment{index: index}, nil
}
