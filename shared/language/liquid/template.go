package liquid

// Template is a compiled template. It never changes: any number of renders may use it at once.
type Template struct {
	source   string
	body     block
	names    []string       // of the variables, by slot
	slots    map[string]int // the slot of a variable
	lone     *filtered
	constant bool
	outputs  []Output
	roots    []Root
	secrets  []string
	weight   int // bytes
}

// Options say what a template may contain.
type Options struct {
	Secrets bool // {{ secrets.name }} may stand in it; without, every mention of secrets is an error

	// Judge says what is wrong with reading a member of a variable, "" for nothing; nil means that all is well. Path is the
	// variable and the names behind it, up to the first that is computed. What the template sets itself is not judged.
	Judge func(path []string) (wrong string)
}

// Output is one place of a template that prints something other than its own literal text:
// {{ … }}, echo, or a cycle through variables.
type Output struct {
	Line, Column int    // where it begins, both from 1
	Expression   string // what stands between the delimiters, trimmed
	Filter       string // the last filter, "" without one
	Secret       string // the name, if this is {{ secrets.name }}
	Captured     bool   // it stands in capture: what it prints becomes a variable first
}

// Root is a variable that a template reads and does not set itself.
type Root struct {
	Name         string
	Line, Column int // where it is read first
}

// Parse compiles a template. Every error is an *[Error]: an unknown tag or filter, a delimiter that is left
// over, tags that do not close each other, too many or too few arguments, more than [MaxSource] bytes.
func Parse(source string, options Options) (*Template, error) {
	p := &parser{options: options, template: &Template{source: source, slots: map[string]int{}}}
	if len(source) > MaxSource {
		return nil, &Error{Line: 1, Column: 1, Message: faultf("a template of %d bytes: at most %d are allowed", len(source), MaxSource).Error()}
	}
	if err := p.parse(); err != nil {
		return nil, located(source, 0, err)
	}
	return p.template, nil
}

// Source returns the text that the template was compiled from.
func (t *Template) Source() string { return t.source }

// Constant reports whether the template has no tags, comments or outputs: it always renders to its very source.
func (t *Template) Constant() bool { return t.constant }

// Lone reports whether the template is exactly one {{ … }} that is no secret, so that [Template.Eval] gives its typed value.
func (t *Template) Lone() bool { return t.lone != nil }

// Prefix returns the literal text before the first output or tag: what every render begins with.
func (t *Template) Prefix() string {
	if len(t.body.nodes) > 0 {
		if text, ok := t.body.nodes[0].(*literalText); ok {
			return text.text
		}
	}
	return ""
}

// Outputs returns the outputs in the order of the source.
func (t *Template) Outputs() []Output { return t.outputs }

// Roots returns the variables that must come from outside, in the order in which they are first read.
// Secrets are not among them.
func (t *Template) Roots() []Root { return t.roots }

// Secrets returns the names of the secrets that may be printed, each once.
func (t *Template) Secrets() []string { return t.secrets }
