package trigger

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/postino/postino/shared/language/attribute"
	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/language/suggest"
	"github.com/postino/postino/shared/webhook"
)

// reader reads a trigger and notes its faults.
type reader struct {
	errs pattern.Errors
}

// maxFaults bounds what one bad trigger makes us say.
const maxFaults = 20

func (r *reader) fault(field, format string, args ...any) {
	if len(r.errs) < maxFaults {
		r.errs = append(r.errs, &pattern.Error{Field: field, Detail: fmt.Sprintf(format, args...)})
	}
}

// note adds the faults that another package found.
func (r *reader) note(err error) {
	var one *pattern.Error
	var many pattern.Errors
	switch {
	case errors.As(err, &many):
		r.errs = append(r.errs, many...)
	case errors.As(err, &one):
		r.errs = append(r.errs, one)
	}
}

func (r *reader) err() error {
	if len(r.errs) == 0 {
		return nil
	}
	return r.errs
}

// trigger reads the whole.
func (r *reader) trigger(s *Spec, v strictjson.Value) {
	texts := map[string]string{} // of the fields that the epoch depends on
	given := r.object("trigger", v, map[string]func(string, strictjson.Value){
		"key": func(f string, v strictjson.Value) {
			s.key = r.key(f, v)
			texts["key"] = writtenKey(v)
		},
		"every":     func(f string, v strictjson.Value) { s.every = r.count(f, v, MaxCount) },
		"at":        func(f string, v strictjson.Value) { s.at = r.count(f, v, MaxCount) },
		"distinct":  func(f string, v strictjson.Value) { s.distinct, texts["distinct"] = r.path(f, v), string(v) },
		"within":    func(f string, v strictjson.Value) { s.within = r.duration(f, v) },
		"once":      func(f string, v strictjson.Value) { s.once = r.flag(f, v) },
		"once_per":  func(f string, v strictjson.Value) { s.oncePer = r.duration(f, v) },
		"delay":     func(f string, v strictjson.Value) { r.delay(s, f, v) },
		"on_repeat": func(f string, v strictjson.Value) { s.keep = r.oneOf(f, v, "restart", "keep") == "keep" },
		"on_change": func(f string, v strictjson.Value) { s.stand = r.oneOf(f, v, "apply", "keep") == "keep" },
		"cancel":    func(f string, v strictjson.Value) { s.cancel = r.clauses(f, v) },
		"cap":       func(f string, v strictjson.Value) { s.cap = r.limit(f, v) },
	})
	r.conflicts(s, given)
	if texts["key"] == "" {
		texts["key"] = `["subject"]`
	}
	s.begins = fmt.Sprintf("%s %s %d %d %s", texts["key"], texts["distinct"], s.every, s.at, s.within)
}

// delay reads a duration, or {"until": path, ["before": duration]}.
func (r *reader) delay(s *Spec, field string, v strictjson.Value) {
	if v.Kind() != strictjson.Object {
		s.delay = r.duration(field, v)
		return
	}
	given := r.object(field, v, map[string]func(string, strictjson.Value){
		"until":  func(f string, v strictjson.Value) { s.until = r.path(f, v) },
		"before": func(f string, v strictjson.Value) { s.before = r.duration(f, v) },
	})
	if !given["until"] {
		r.fault(field+".until", `required: the path of the time in the event, like "data.starts_at"`)
	}
}

// rules say which fields of a trigger go together.
var rules = []struct {
	field   string
	without []string // not beside these
	with    []string // only beside one of these
}{
	{"at", []string{"every"}, nil},
	{"once_per", []string{"once"}, nil},
	{"distinct", nil, []string{"every", "at"}},
	{"within", nil, []string{"every", "at"}},
	{"on_repeat", nil, []string{"delay"}},
	{"on_change", nil, []string{"delay"}},
	{"cancel", nil, []string{"delay"}},
}

func (r *reader) conflicts(s *Spec, given map[string]bool) {
	for _, rule := range rules {
		if !given[rule.field] {
			continue
		}
		for _, other := range rule.without {
			if given[other] && (other != "once" || s.once) {
				r.fault("trigger."+rule.field, "cannot be used with %s", other)
			}
		}
		beside := len(rule.with) == 0
		for _, other := range rule.with {
			beside = beside || given[other]
		}
		if !beside {
			r.fault("trigger."+rule.field, "needs %s", strings.Join(rule.with, " or "))
		}
	}
	for field, n := range map[string]int64{"every": s.every, "at": s.at} {
		if s.within > 0 && n > MaxWithin {
			r.fault("trigger."+field, "want at most %d with within", MaxWithin)
		}
	}
}

// object reads an object with these members, of which null is none, and
// returns which were given.
func (r *reader) object(field string, v strictjson.Value, members map[string]func(string, strictjson.Value)) map[string]bool {
	given := map[string]bool{}
	if v.Kind() != strictjson.Object {
		r.fault(field, "want an object")
		return given
	}
	for name, member := range v.Members() {
		read, ok := members[name]
		switch {
		case !ok:
			r.fault(field+"."+strictjson.Clip(name, 100), "unknown field%s", suggest.Hint(name, slices.Sorted(maps.Keys(members))))
		case member.Kind() != strictjson.Null:
			given[name] = true
			read(field+"."+name, member)
		}
	}
	return given
}

func (r *reader) count(field string, v strictjson.Value, most int64) int64 {
	n, ok := v.Int()
	if !ok || n < 1 || n > most {
		r.fault(field, "want a whole number from 1 to %d", most)
		return 0
	}
	return n
}

func (r *reader) flag(field string, v strictjson.Value) bool {
	if v.Kind() != strictjson.Bool {
		r.fault(field, "want true or false")
	}
	return string(v) == "true"
}

func (r *reader) duration(field string, v strictjson.Value) time.Duration {
	text, ok := v.Text()
	if !ok {
		r.fault(field, "want a duration")
		return 0
	}
	return r.checkDuration(field, text)
}

func (r *reader) checkDuration(field, text string) time.Duration {
	d, err := ParseDuration(text)
	if err != nil {
		r.fault(field, "%s", err)
	}
	return d
}

func (r *reader) oneOf(field string, v strictjson.Value, few ...string) string {
	text, _ := v.Text()
	for _, one := range few {
		if text == one {
			return text
		}
	}
	r.fault(field, `want "%s"`, strings.Join(few, `" or "`))
	return ""
}

// key reads one path or a list of them.
func (r *reader) key(field string, v strictjson.Value) []pattern.Path {
	if text, ok := v.Text(); ok {
		return r.paths(field, []string{text})
	}
	n := v.Len(MaxKeys)
	if v.Kind() != strictjson.Array || n == 0 || n > MaxKeys {
		r.fault(field, "want a path, or a list of 1 to %d", MaxKeys)
		return nil
	}
	var texts []string
	for i, element := range v.Elements() {
		text, ok := element.Text()
		if !ok {
			r.fault(fmt.Sprintf("%s[%d]", field, i), "want a path")
			return nil
		}
		texts = append(texts, text)
	}
	return r.paths(field, texts)
}

// writtenKey is the same for a path and for a list of only it.
func writtenKey(v strictjson.Value) string {
	if v.Kind() == strictjson.String {
		return "[" + string(v) + "]"
	}
	return string(v.Compact())
}

func (r *reader) paths(field string, texts []string) []pattern.Path {
	var paths []pattern.Path
	for i, text := range texts {
		where := field
		if len(texts) > 1 {
			where = fmt.Sprintf("%s[%d]", field, i)
		}
		p, err := pattern.ParsePath(text, where)
		if err != nil {
			r.note(err)
			return nil
		}
		paths = append(paths, p)
	}
	return paths
}

func (r *reader) path(field string, v strictjson.Value) *pattern.Path {
	text, ok := v.Text()
	if !ok {
		r.fault(field, "want a path")
		return nil
	}
	paths := r.paths(field, []string{text})
	if len(paths) == 0 {
		return nil
	}
	return &paths[0]
}

func (r *reader) clauses(field string, v strictjson.Value) []clause {
	n := v.Len(webhook.MaxCancels)
	if v.Kind() != strictjson.Array || n == 0 || n > webhook.MaxCancels {
		r.fault(field, "want a list of 1 to %d", webhook.MaxCancels)
		return nil
	}
	var clauses []clause
	for i, element := range v.Elements() {
		clauses = append(clauses, r.clause(fmt.Sprintf("%s[%d]", field, i), element))
	}
	return clauses
}

func (r *reader) clause(field string, v strictjson.Value) (c clause) {
	given := r.object(field, v, map[string]func(string, strictjson.Value){
		"types": func(f string, v strictjson.Value) { r.types(f, v) },
		"filter": func(f string, v strictjson.Value) {
			_, err := pattern.Compile(v, f)
			r.note(err)
		},
		"key": func(f string, v strictjson.Value) { c.key = r.key(f, v) },
	})
	if v.Kind() == strictjson.Object && !given["types"] && !given["filter"] {
		r.fault(field, "want types or filter")
	}
	return c
}

func (r *reader) types(field string, v strictjson.Value) {
	n := v.Len(pattern.MaxTypes)
	if v.Kind() != strictjson.Array || n > pattern.MaxTypes {
		r.fault(field, "want a list of 1 to %d types", pattern.MaxTypes)
		return
	}
	types, wrong := []string{}, len(r.errs)
	for i, element := range v.Elements() {
		text, ok := element.Text()
		if !ok {
			r.fault(fmt.Sprintf("%s[%d]", field, i), "want a string")
			return
		}
		if why := attribute.TypePattern(text); why != "" {
			r.fault(fmt.Sprintf("%s[%d]", field, i), "%s", why)
		}
		types = append(types, text)
	}
	if len(r.errs) == wrong {
		r.note(pattern.CheckTypes(types, field))
	}
}

func (r *reader) limit(field string, v strictjson.Value) *limit { return r.limitOf(field, v, MaxCap) }

func (r *reader) limitOf(field string, v strictjson.Value, most int64) *limit {
	l := &limit{}
	given := r.object(field, v, map[string]func(string, strictjson.Value){
		"max": func(f string, v strictjson.Value) { l.max = int(r.count(f, v, most)) },
		"per": func(f string, v strictjson.Value) { l.per = r.duration(f, v) },
		"key": func(f string, v strictjson.Value) { l.key = r.key(f, v) },
	})
	for _, needed := range []string{"max", "per"} {
		if v.Kind() == strictjson.Object && !given[needed] {
			r.fault(field+"."+needed, "required")
		}
	}
	return l
}
