package campaign

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/postino/postino/shared/language/attribute"
	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/quiet"
	"github.com/postino/postino/shared/language/rfc3339"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/language/suggest"
	"github.com/postino/postino/shared/language/trigger"
)

// Fault is what is wrong with a field, and what to do.
type Fault struct{ Field, Detail string }

// reader collects what is wrong.
type reader struct{ faults []Fault }

func (r *reader) add(field, format string, args ...any) {
	r.faults = append(r.faults, Fault{field, fmt.Sprintf(format, args...)})
}

// note adds the faults that another package found.
func (r *reader) note(err error) {
	var all pattern.Errors
	var one *pattern.Error
	switch {
	case errors.As(err, &all):
		for _, e := range all {
			r.add(e.Field, "%s", e.Detail)
		}
	case errors.As(err, &one):
		r.add(one.Field, "%s", one.Detail)
	}
}

// object reads the members of an object; null is none.
func (r *reader) object(field string, v strictjson.Value, names []string, read func(name string, v strictjson.Value)) {
	if v.Kind() != strictjson.Object {
		at := field
		if at == "" {
			at = "body"
		}
		r.add(at, "want an object")
		return
	}
	for name, member := range v.Members() {
		switch {
		case !slices.Contains(names, name):
			r.add(within(field, strictjson.Clip(name, 100)), "unknown field%s", suggest.Hint(name, names))
		case member.Kind() != strictjson.Null:
			read(name, member)
		}
	}
}

func within(field, name string) string {
	if field == "" {
		return name
	}
	return field + "." + name
}

// Fields are those of a campaign that its owner writes.
var Fields = []string{"name", "tags", "state", "starts_at", "ends_at", "audience", "holdout", "cap", "quiet", "goal"}

// Read judges and compiles a campaign as it is written.
func Read(id string, body strictjson.Value) (*Campaign, []Fault) {
	r, c := &reader{}, &Campaign{ID: id, State: Draft}
	r.object("", body, Fields, func(name string, v strictjson.Value) { r.field(c, name, v) })
	if !c.EndsAt.IsZero() && !c.StartsAt.IsZero() && !c.EndsAt.After(c.StartsAt) {
		r.add("ends_at", "is not later than starts_at: want a later time, or leave it out")
	}
	return c, r.faults
}

func (r *reader) field(c *Campaign, name string, v strictjson.Value) {
	text, isText := v.Text()
	switch name {
	case "name":
		if c.Name = text; !isText || utf8.RuneCountInString(text) > maxName {
			r.add(name, "want a string of at most %d characters", maxName)
		}
	case "tags":
		c.Tags = r.tags(v)
	case "state":
		c.State = State(text)
		if states := []string{string(Draft), string(Live), string(Stopped)}; !slices.Contains(states, text) {
			r.add(name, `want "draft", "live" or "stopped"%s`, suggest.Hint(text, states))
		}
	case "starts_at":
		c.StartsAt = r.time(name, text, isText)
	case "ends_at":
		c.EndsAt = r.time(name, text, isText)
	case "audience":
		c.audience = json.RawMessage(v.Compact())
		var err error
		c.Audience, err = pattern.CompileOver(pattern.OfAudience, c.audience, name)
		r.note(err)
	case "holdout":
		c.holdout = r.holdout(v)
	case "cap":
		c.cap = r.cap(name, v, "campaign "+c.ID)
	case "quiet":
		var err error
		c.quiet, err = quiet.Read(v, name)
		r.note(err)
	case "goal":
		c.Goal = r.goal(v)
	}
}

func (r *reader) time(field, text string, isText bool) time.Time {
	t, err := rfc3339.Parse(text)
	if !isText || err != nil {
		r.add(field, rfc3339.Wanted)
	}
	return t.UTC()
}

// tags reads a list of names.
func (r *reader) tags(v strictjson.Value) (tags []string) {
	if n := v.Len(maxTags + 1); v.Kind() != strictjson.Array || n > maxTags {
		r.add("tags", "want a list of at most %d tags", maxTags)
		return nil
	}
	for i, element := range v.Elements() {
		tag, _ := element.Text()
		switch field := fmt.Sprintf("tags[%d]", i); {
		case attribute.Type(tag) != "" || len(tag) > 64:
			r.add(field, "want 1 to 64 printable characters without *")
		case slices.Contains(tags, tag):
			r.add(field, "is there twice")
		}
		tags = append(tags, tag)
	}
	return tags
}

// holdout reads a percentage.
func (r *reader) holdout(v strictjson.Value) int {
	percent, err := strconv.ParseFloat(string(v), 64)
	if v.Kind() != strictjson.Number || err != nil || percent < 0 || percent > maxHoldout {
		r.add("holdout", "want a percentage from 0 to %d: the others are whom the campaign is for", maxHoldout)
		return 0
	}
	return int(math.Round(percent * 100))
}

// cap reads {"max","per",["key"]}.
func (r *reader) cap(field string, v strictjson.Value, name string) *trigger.Shared {
	c, err := trigger.ReadShared(v, field, name)
	r.note(err)
	return c
}

var goalFields = []string{"types", "filter", "within", "value"}

func (r *reader) goal(v strictjson.Value) *Goal {
	g := &Goal{}
	r.object("goal", v, goalFields, func(name string, v strictjson.Value) {
		text, isText := v.Text()
		field := "goal." + name
		switch name {
		case "types":
			g.Types = r.types(field, v)
		case "filter":
			var err error
			g.Filter, err = pattern.Compile(v, field)
			r.note(err)
		case "within":
			var err error
			if g.Within, err = trigger.ParseDuration(text); !isText || err != nil {
				r.add(field, `want a duration of at most 365 days, like "7d"`)
			}
		case "value":
			path, err := pattern.ParsePath(text, field)
			if r.note(err); err == nil {
				g.Value = &path
			}
		}
	})
	if v.Kind() == strictjson.Object && len(r.faults) == 0 {
		if len(g.Types) == 0 {
			r.add("goal.types", `required: the types of the events that are a success, like ["order.paid"]`)
		}
		if g.Within == 0 {
			r.add("goal.within", `required: how long after what was sent an event counts, like "7d"`)
		}
	}
	return g
}

func (r *reader) types(field string, v strictjson.Value) (types []string) {
	if v.Kind() != strictjson.Array || v.Len(pattern.MaxTypes+1) > pattern.MaxTypes {
		r.add(field, "want a list of at most %d types", pattern.MaxTypes)
		return nil
	}
	for i, element := range v.Elements() {
		text, ok := element.Text()
		if wrong := attribute.TypePattern(text); !ok || wrong != "" {
			r.add(fmt.Sprintf("%s[%d]", field, i), "%s", wrong)
		}
		types = append(types, text)
	}
	return types
}

// CapFields are those of a cap that its owner writes.
var CapFields = []string{"tags", "max", "per", "key"}

// ReadCap judges and compiles a cap as it is written.
func ReadCap(name string, body strictjson.Value) (*Cap, []Fault) {
	r, c := &reader{}, &Cap{Name: name}
	limit := map[string]json.RawMessage{}
	r.object("", body, CapFields, func(field string, v strictjson.Value) {
		if field == "tags" {
			c.Tags = r.tags(v)
		} else {
			limit[field] = json.RawMessage(v)
		}
	})
	if len(r.faults) > 0 {
		return c, r.faults
	}
	if len(c.Tags) == 0 {
		r.add("tags", `required: the tags of the campaigns that it bounds, like ["promo"]`)
	}
	text, err := json.Marshal(limit)
	if err != nil {
		r.add("body", "want an object")
		return c, r.faults
	}
	c.shared = r.cap("", strictjson.Value(text), "cap "+name)
	return c, r.faults
}
