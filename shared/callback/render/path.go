package render

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/postino/postino/shared/language/liquid"
	"github.com/postino/postino/shared/language/suggest"
)

// path names a value in the envelope: "subject", "data.user.id".
type path []string

// pathRoots are the first names that a path may have.
var pathRoots = []string{"id", "source", "type", "subject", "time", "data", "extensions"}

// maxPath bounds the names in a path.
const maxPath = 32

func parsePath(text string) (path, error) {
	p := path(strings.Split(text, "."))
	if len(p) > maxPath || slices.Contains(p, "") {
		return nil, fmt.Errorf("want names separated by dots, at most %d", maxPath)
	}
	if strings.ContainsAny(text, "[]") {
		return nil, errors.New("want names only: no item of an array can be required")
	}
	envelope := variables["event"]
	if _, known := envelope[p[0]]; !known {
		return nil, fmt.Errorf("want a path that begins with one of %s%s", strings.Join(pathRoots, ", "), suggest.Hint(p[0], pathRoots))
	}
	if len(p) > 1 && envelope[p[0]] != nil {
		return nil, fmt.Errorf("%q has no members, such as %q", p[0], p[1])
	}
	return p, nil
}

// in looks the path up in an envelope; null if it leads nowhere.
func (p path) in(envelope liquid.Value) liquid.Value {
	for _, name := range p {
		next, ok := envelope.Get(name)
		if !ok {
			return liquid.Null
		}
		envelope = next
	}
	return envelope
}
