package people

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// Limits of a profile.
const (
	MaxSize       = 16 << 10 // bytes of JSON of what is written by hand, and of what is computed
	MaxAttributes = 256      // written by hand
	maxName       = 128      // characters
)

// Name checks the name of an attribute, and returns "" or what is wanted.
func Name(s string) string {
	odd := func(r rune) bool { return !unicode.IsPrint(r) || r == '.' || r == '[' || r == ']' }
	if s == "" || utf8.RuneCountInString(s) > maxName || strings.ContainsFunc(s, odd) || strings.TrimSpace(s) != s || strings.HasPrefix(s, "$") {
		return fmt.Sprintf("want a name of 1 to %d printable characters without . [ ], no space at either end, no $ at the beginning", maxName)
	}
	return ""
}

// Attributes are what was written by hand, by name, each as compact JSON.
type Attributes map[string]json.RawMessage

// ReadAttributes judges attributes that somebody writes. A null is kept, for
// [Attributes.Merge]. Computed are the attributes that cannot be written, with
// their values: who writes back what was read changes nothing.
func ReadAttributes(v strictjson.Value, at string, computed map[string]json.RawMessage) (Attributes, []Fault) {
	f, read := &reader{}, Attributes{}
	if v.Kind() != strictjson.Object {
		f.add(at, "want an object of attributes")
		return nil, f.faults
	}
	for name, value := range v.Members() {
		compact := json.RawMessage(value.Compact())
		switch now, is := computed[name]; {
		case is && string(now) != string(compact):
			f.add(at+"."+name, "is computed from events: it cannot be written. DELETE /attributes/%s ends that", name)
		case is:
		case Name(name) != "":
			f.add(at+"."+name, "%s", Name(name))
		default:
			read[name] = compact
		}
	}
	if len(read) > MaxAttributes {
		f.add(at, "want at most %d attributes", MaxAttributes)
	}
	return read, f.faults
}

// Decode reads the attributes of a stored profile.
func Decode(p webhook.Profile) (Attributes, error) {
	a := Attributes{}
	if p.Attributes == nil {
		return a, nil
	}
	if err := json.Unmarshal(p.Attributes, &a); err != nil {
		return nil, fmt.Errorf("profile of %s: attributes: %w", p.Tenant, err)
	}
	return a, nil
}

// Merge puts the members of change in place of those with the same name; a null
// removes.
func (a Attributes) Merge(change Attributes) {
	for name, v := range change {
		if string(v) == "null" {
			delete(a, name)
			continue
		}
		a[name] = v
	}
}

// Encode returns the attributes as they are stored, or what is wrong with all of
// them together.
func (a Attributes) Encode() (encoded json.RawMessage, wrong string) {
	if len(a) == 0 {
		return nil, ""
	}
	encoded = object(a)
	switch {
	case len(a) > MaxAttributes:
		return nil, fmt.Sprintf("the profile would have %d attributes: want at most %d", len(a), MaxAttributes)
	case len(encoded) > MaxSize:
		return nil, fmt.Sprintf("the profile would have %d bytes: want at most %d", len(encoded), MaxSize)
	}
	return encoded, ""
}

// object writes members as a JSON object, in the order of their names.
func object(members map[string]json.RawMessage) json.RawMessage {
	b := []byte{'{'}
	for i, name := range slices.Sorted(maps.Keys(members)) {
		if i > 0 {
			b = append(b, ',')
		}
		quoted, _ := json.Marshal(name) // a string always marshals
		b = append(append(append(b, quoted...), ':'), members[name]...)
	}
	return append(b, '}')
}

// decodeKept reads what was computed.
func decodeKept(p webhook.Profile) (map[string]*kept, error) {
	all := map[string]*kept{}
	if p.Computed == nil {
		return all, nil
	}
	if err := json.Unmarshal(p.Computed, &all); err != nil {
		return nil, fmt.Errorf("profile of %s: computed: %w", p.Tenant, err)
	}
	return all, nil
}

// View is a profile as it is shown, asked and used in templates.
type View struct {
	Attributes json.RawMessage // all of them: one object, in the order of their names
	Computed   []string        // those that follow from events
	Full       []string        // of these, those from which something was left out
}

// ViewOf joins what was written with what was computed by the tenant's rules. What
// a rule computed that is no more is left out, unless its values were to be kept.
func (d *Definitions) ViewOf(p webhook.Profile) (View, error) {
	written, err := Decode(p)
	if err != nil {
		return View{}, err
	}
	computed, err := decodeKept(p)
	if err != nil {
		return View{}, err
	}
	var v View
	for _, name := range slices.Sorted(maps.Keys(computed)) {
		k := computed[name]
		if shown := k.shown(); shown != nil && d.counts(name, k.Generation) {
			if _, by := written[name]; by && d.known[name].Kept {
				continue // written since its rule was deleted
			}
			written[name] = shown
			v.Computed = append(v.Computed, name)
			if k.Full {
				v.Full = append(v.Full, name)
			}
		}
	}
	v.Attributes = object(written)
	return v, nil
}

// ComputedOf returns the attributes that cannot be written, with their values in a
// profile; nil for one without.
func (d *Definitions) ComputedOf(p webhook.Profile) (map[string]json.RawMessage, error) {
	values := map[string]json.RawMessage{}
	for name := range d.Computed() {
		values[name] = nil
	}
	computed, err := decodeKept(p)
	for name, k := range computed {
		if _, is := values[name]; is && d.counts(name, k.Generation) {
			values[name] = k.shown()
		}
	}
	return values, err
}

// Envelope is what patterns see of an event with the profile of its subject.
func (d *Definitions) Envelope(e webhook.Event, v View) (pattern.Envelope, error) {
	env := pattern.Envelope{
		ID: e.ID, Source: e.Source, Type: e.Type, Time: webhook.FormatTime(e.Time),
		Subject: e.Subject, HasSubject: e.Subject != "", Data: e.Data, Extensions: e.Extensions, Profile: v.Attributes,
	}
	in, err := d.SegmentsOf(e.Subject, v)
	if err != nil {
		return env, err
	}
	env.Segments, err = json.Marshal(in)
	return env, err
}
