package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/postino/postino/shared/webhook"
)

var eventTypeCases = map[string]func(*testing.T, Store){
	"AreReadByName":                 eventTypesByName,
	"BelongToOneTenant":             eventTypeOwners,
	"AreListedWithoutSchemas":       eventTypeLists,
	"AreGoneOnceDeleted":            eventTypeDeletion,
	"KeepTheLargestSchemaAndSample": largeEventTypes,
}

// eventType returns one with every field set.
func eventType(tenant, typ string) webhook.EventType {
	return webhook.EventType{
		Tenant: tenant, Type: typ, Description: "ünï <b>", Schema: json.RawMessage(`{ "type":"object","maximum":1e400 }`),
		Sample: json.RawMessage(`{"n":12345678901234567890}`), Deprecated: true, UpdatedAt: afterStart(1),
	}
}

func putEventType(t *testing.T, store Store, typ webhook.EventType, created bool) {
	t.Helper()
	same(t, "created", must[bool](t)(store.PutEventType(t.Context(), typ)), created)
}

func eventTypesByName(t *testing.T, store Store) {
	odd := eventType("acme", "a/b#c:日本."+strings.Repeat("\U0001F600", 100))
	plain := webhook.EventType{Tenant: "acme", Type: "a", UpdatedAt: afterStart(1)}
	putEventType(t, store, eventType("acme", "a"), true)
	putEventType(t, store, plain, false)
	putEventType(t, store, odd, true)
	got := must[map[string]webhook.EventType](t)(store.EventTypes(t.Context(), "acme", []string{odd.Type, "a", "none", "a"}))
	same(t, "EventTypes", got, map[string]webhook.EventType{"a": plain, odd.Type: odd})
	same(t, "none", must[map[string]webhook.EventType](t)(store.EventTypes(t.Context(), "acme", nil)), map[string]webhook.EventType{})
}

func eventTypeOwners(t *testing.T, store Store) {
	putEventType(t, store, eventType("acme", "a"), true)
	putEventType(t, store, eventType("acme2", "a"), true)
	check(t, store.DeleteEventType(t.Context(), "acme", "a"))
	got := must[map[string]webhook.EventType](t)(store.EventTypes(t.Context(), "acme2", []string{"a"}))
	same(t, "another tenant's", got, map[string]webhook.EventType{"a": eventType("acme2", "a")})
}

func eventTypeLists(t *testing.T, store Store) {
	types := []string{"A", "a", "a.b", "a.c", "b", "~", "日"}
	var back []string
	for _, typ := range types {
		back = append([]string{typ}, back...)
		putEventType(t, store, eventType("acme", typ), true)
	}
	putEventType(t, store, eventType("other", "a.d"), true)
	for _, limit := range []int{1, 3, 7, 250} {
		same(t, "ascending", pagedTypes(t, store, webhook.Page{Limit: limit}), types)
		same(t, "descending", pagedTypes(t, store, webhook.Page{Limit: limit, Desc: true}), back)
	}
	if _, _, err := store.PageEventTypes(t.Context(), "acme", webhook.Page{Limit: 1, Position: "x"}); !errors.Is(err, webhook.ErrNotFound) {
		t.Errorf("malformed position: %v, want ErrNotFound", err)
	}
}

func pagedTypes(t *testing.T, store Store, page webhook.Page) (types []string) {
	t.Helper()
	for {
		found, next, err := store.PageEventTypes(t.Context(), "acme", page)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) > page.Limit {
			t.Fatalf("page of %d types, want at most %d", len(found), page.Limit)
		}
		for _, typ := range found {
			want := eventType("acme", typ.Type)
			want.Schema, want.Sample = nil, nil
			same(t, "listed", typ, want)
			types = append(types, typ.Type)
		}
		if page.Position = next; next == "" {
			return types
		}
	}
}

func eventTypeDeletion(t *testing.T, store Store) {
	putEventType(t, store, eventType("acme", "a"), true)
	check(t, store.DeleteEventType(t.Context(), "acme", "a"))
	if err := store.DeleteEventType(t.Context(), "acme", "a"); !errors.Is(err, webhook.ErrNotFound) {
		t.Errorf("second deletion: %v, want ErrNotFound", err)
	}
	same(t, "EventTypes", must[map[string]webhook.EventType](t)(store.EventTypes(t.Context(), "acme", []string{"a"})), map[string]webhook.EventType{})
}

func largeEventTypes(t *testing.T, store Store) {
	var names []string
	want := map[string]webhook.EventType{}
	for n := range 3 {
		typ := eventType("acme", fmt.Sprintf("large.%d", n))
		typ.Schema = json.RawMessage(`{"description":"` + strings.Repeat("é", 32<<10-20) + `"}`)
		typ.Sample = json.RawMessage(`"` + strings.Repeat("x", 64<<10) + `"`)
		putEventType(t, store, typ, true)
		names = append(names, typ.Type)
		want[typ.Type] = typ
	}
	got := must[map[string]webhook.EventType](t)(store.EventTypes(t.Context(), "acme", names))
	for name, typ := range want {
		if string(got[name].Schema) != string(typ.Schema) || string(got[name].Sample) != string(typ.Sample) {
			t.Errorf("%s comes back with a schema of %d bytes, a sample of %d", name, len(got[name].Schema), len(got[name].Sample))
		}
	}
}
