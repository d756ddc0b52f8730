package pattern

import (
	"encoding/json"
	"slices"
	"testing"
)

// TestATypeIsEnoughForWhoAsksNoMore compares with the whole event.
func TestATypeIsEnoughForWhoAsksNoMore(t *testing.T) {
	var x Index[string]
	for id, types := range map[string][]string{
		"all": {"*"}, "prefix": {"order.*"}, "exact": {"order.paid"}, "another": {"order.refunded"}, "several": {"user.made", "order.paid"}, "none": nil,
	} {
		x.Add(id, types, nil)
	}
	matched := func(e *Event) (ids []string) {
		x.Match(e, func(id string) bool { ids = append(ids, id); return true })
		slices.Sort(ids)
		return ids
	}
	for _, typ := range []string{"order.paid", "order.", "order", "user.made", "x", "order.paid.twice"} {
		whole, err := Decode(Envelope{ID: "1", Source: "s", Type: typ, Data: json.RawMessage(`{"type":"order.paid"}`)})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := matched(OfType(typ)), matched(whole); !slices.Equal(got, want) {
			t.Errorf("by the type %q alone %q match, want %q", typ, got, want)
		}
	}
}
