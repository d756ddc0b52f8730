package schema

import (
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/postino/postino/shared/language/strictjson"
)

// What is shown at most of what strangers wrote.
const (
	maxFaults = 50
	maxDetail = 300 // bytes
	maxPlace  = 200
)

var english = message.NewPrinter(language.English)

// faultsOf lists what a check has found, one fault for each value, by path.
func faultsOf(why *jsonschema.ValidationError) []Fault {
	found := map[string][]string{}
	collect(why, found)
	faults := make([]Fault, 0, len(found))
	for path, details := range found {
		slices.Sort(details)
		faults = append(faults, Fault{path, clip(strings.Join(slices.Compact(details), "; "))})
	}
	slices.SortFunc(faults, func(a, b Fault) int { return strings.Compare(a.Path, b.Path) })
	return faults
}

// collect gathers the innermost reasons: those around them only say that there
// is one.
func collect(why *jsonschema.ValidationError, found map[string][]string) {
	for _, cause := range why.Causes {
		collect(cause, found)
	}
	if len(why.Causes) > 0 {
		return
	}
	path := place(why.InstanceLocation)
	details, known := found[path]
	if !known && len(found) == maxFaults || len(details) == maxFaults {
		return
	}
	found[path] = append(details, clip(why.ErrorKind.LocalizedString(english)))
}

// place writes where a value stands as problem documents do. A name of digits
// only looks like an index.
func place(path []string) string {
	var b strings.Builder
	for _, token := range path {
		if token != "" && strings.Trim(token, "0123456789") == "" {
			b.WriteString("[" + token + "]")
		} else {
			b.WriteString("." + token)
		}
		if b.Len() > maxPlace {
			break
		}
	}
	return strictjson.Clip(b.String(), maxPlace)
}

func clip(text string) string { return strictjson.Clip(text, maxDetail) }
