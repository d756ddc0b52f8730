package render

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/postino/postino/shared/language/liquid"
	"github.com/postino/postino/shared/language/suggest"
)

// path names a value in the envelope, or in the profile of the event's subject:
// "subject", "data.user.id", "profile.address.zip".
type path []string

// pathRoots are the first names that a path may have.
var pathRoots = []string{"id", "source", "type", "subject", "time", "data", "extensions", profileRoot}

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
	if p.asksProfile() {
		return p, nil
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

// asksProfile reports whether the path begins in the profile.
func (p path) asksProfile() bool { return p[0] == profileRoot }

// of looks the path up in what a template sees; null if it leads nowhere.
func (p path) of(vars map[string]liquid.Value) liquid.Value {
	if p.asksProfile() {
		return p[1:].in(vars[profileRoot])
	}
	return p.in(vars["event"])
}

// in looks the path up in a value; null if it leads nowhere.
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
