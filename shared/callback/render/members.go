package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/postino/postino/shared/language/suggest"
)

// names are the members of a variable, with theirs: nil if it may have any, empty if
// it has none.
type names map[string]names

var none = names{}

// position is what forloop and tablerowloop have in common.
var position = names{"first": none, "last": none, "index": none, "index0": none, "rindex": none, "rindex0": none, "length": none}

// variables are what templates may read, and their members; [newScope] and
// [eventVariables] make them. Forloop and tablerowloop are the language's.
var variables = names{
	"event":        {"id": none, "source": none, "type": none, "subject": none, "time": none, "data": nil, "extensions": nil},
	"data":         nil,
	"subject":      none,
	profileRoot:    nil,
	"delivery":     {"id": none, "uuid": none},
	"subscription": {"id": none, "name": none, "metadata": nil},
	"occasion":     {"count": none},
	"now":          none,
	attemptRoot:    {"number": none, "time": none},
	sentAt:         none,
	responseRoot:   {"status": none, "headers": nil, "body": nil},
	"forloop":      with(position, names{"name": none, "parentloop": nil}),
	"tablerowloop": with(position, names{"row": none, "col": none, "col0": none, "col_first": none, "col_last": none}),
}

func with(some, more names) names {
	all := maps.Clone(some)
	maps.Copy(all, more)
	return all
}

// profileRoot is the variable with the attributes of the subject's profile.
const profileRoot = "profile"

// What differs from attempt to attempt: attempt, and its time once more.
const (
	attemptRoot = "attempt"
	sentAt      = "sent_at"
)

// roots are the variables in the order in which an error lists them.
var roots = []string{"event", "data", "subject", profileRoot, "delivery", "subscription", "occasion", "now"}

// commands work on every text, array and object, whatever its members are.
var commands = []string{"size", "first", "last"}

// wrongMember says why a path leads nowhere, "" if it may lead to something.
func wrongMember(path []string) string {
	at, known := variables[path[0]]
	if !known {
		return fmt.Sprintf("unknown variable %q: want one of %s", path[0], strings.Join(roots, ", ")) + rootHint(path[0])
	}
	return at.wrong(path[0], path[1:])
}

// wrong says the same of the names behind a variable.
func (m names) wrong(where string, path []string) string {
	if m == nil || len(path) == 0 || slices.Contains(commands, path[0]) {
		return ""
	}
	inner, known := m[path[0]]
	if known {
		return inner.wrong(where+"."+path[0], path[1:])
	}
	if len(m) == 0 {
		return fmt.Sprintf("%q has no members, such as %q", where, path[0])
	}
	all := slices.Sorted(maps.Keys(m))
	return fmt.Sprintf("unknown variable %q: %s has %s", where+"."+path[0], where, strings.Join(all, ", ")) + suggest.Hint(path[0], all)
}

// rootHint proposes what stands in the envelope, or a variable that is spelled
// alike.
func rootHint(name string) string {
	if _, inEnvelope := variables["event"][name]; inEnvelope {
		return fmt.Sprintf("; did you mean %q?", "event."+name)
	}
	return suggest.Hint(name, append(slices.Clone(roots), attemptRoot, sentAt, "secrets"))
}
