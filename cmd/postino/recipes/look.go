package recipes

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
)

// look compares what the API shows with what a step says of it.
func (p *play) look(ctx context.Context, sights []Sight) error {
	for _, s := range sights {
		var got json.RawMessage
		if err := p.call(ctx, http.MethodGet, s.Get, nil, &got); err != nil {
			return err
		}
		if wrong := shows(got, []byte(fill(string(s.Shows), p.start))); wrong != "" {
			return fmt.Errorf("GET %s: %s, in %s", s.Get, wrong, got)
		}
	}
	return nil
}

// shows tells in what an answer differs from what it is to show; "" if it does not.
func shows(got, want []byte) string {
	has, err := decode(got)
	if err != nil {
		return err.Error()
	}
	is, err := decode(want)
	if err != nil {
		return err.Error()
	}
	return differs(has, is, "")
}

// decode keeps numbers as they are written.
func decode(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return v, d.Decode(&v)
}

// differs names the first place in which a value lacks what is wanted: of an object
// the members that are named, of a list each element.
func differs(got, want any, at string) string {
	switch want := want.(type) {
	case map[string]any:
		has, is := got.(map[string]any)
		if !is {
			break
		}
		for _, name := range names(want) {
			if wrong := differs(has[name], want[name], at+"."+name); wrong != "" {
				return wrong
			}
		}
		return ""
	case []any:
		has, is := got.([]any)
		if !is || len(has) != len(want) {
			break
		}
		for i := range want {
			if wrong := differs(has[i], want[i], fmt.Sprintf("%s[%d]", at, i)); wrong != "" {
				return wrong
			}
		}
		return ""
	}
	if reflect.DeepEqual(got, want) {
		return ""
	}
	return fmt.Sprintf("%s is %v, want %v", at, got, want)
}

func names(of map[string]any) (names []string) {
	for name := range of {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
