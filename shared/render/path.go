package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postino/postino/shared/liquid"
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
	if !slices.Contains(pathRoots, p[0]) {
		return nil, fmt.Errorf("want a path that begins with one of %s", strings.Join(pathRoots, ", "))
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
