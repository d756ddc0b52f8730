package ingest_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/webhook"
)

// registered are event types with their schemas; it notes what was asked.
type registered struct {
	schemas map[string]string
	asked   [][]string
	err     error
}

func (r *registered) EventTypes(_ context.Context, tenant string, types []string) (map[string]webhook.EventType, error) {
	r.asked = append(r.asked, types)
	found := map[string]webhook.EventType{}
	for _, typ := range types {
		if text, ok := r.schemas[typ]; ok && tenant == "acme" {
			found[typ] = webhook.EventType{Tenant: tenant, Type: typ}
			if text != "" {
				found[typ] = webhook.EventType{Tenant: tenant, Type: typ, Schema: []byte(text)}
			}
		}
	}
	return found, r.err
}

func (r *registered) PageEventTypes(context.Context, string, webhook.Page) (types []webhook.EventType, next string, err error) {
	for name := range r.schemas {
		types = append(types, webhook.EventType{Tenant: "acme", Type: name})
	}
	return types, "", r.err
}

const itemsSchema = `{"type":"object","properties":{"items":{"items":{"properties":{"price":{"type":"number","minimum":1}}}},"id":{"type":"string"}}}`

func TestEventsMustFitTheSchemaOfTheirType(t *testing.T) {
	types := &registered{schemas: map[string]string{"order": itemsSchema, "bare": ""}}
	for _, tt := range []struct {
		body   string
		fields []string
	}{
		{`{"type":"order","data":{"items":[{"price":2}]}}`, nil},
		{`{"type":"order","data":{"items":[{"price":"2"}],"id":7}}`, []string{"data.id", "data.items[0].price"}},
		{`{"type":"order","data":null}`, []string{"data"}},
		{`{"type":"bare","data":null}`, nil},
		{`{"type":"other","data":null}`, nil},
		{`[{"type":"order","data":{}},{"type":"other","data":1},{"type":"order","data":1},{"type":"order","data":{"items":[{},{"price":0}]}}]`,
			[]string{"[2].data", "[3].data.items[1].price"}},
		{`[{"type":"order","data":{"items":[{"price":1e99999}]}}]`, []string{"[0].data.items[0].price"}},
	} {
		out := &outside{}
		h := out.handler()
		h.Types = types
		got := post(t, h, tt.body)
		if want := 202; tt.fields == nil && got.status != want || tt.fields != nil && got.status != 422 {
			t.Errorf("%s = %d %s", tt.body, got.status, got.body)
		}
		if diff := cmp.Diff(tt.fields, got.fields()); diff != "" {
			t.Errorf("%s: fields (-want +got):\n%s", tt.body, diff)
		}
		if taken := len(out.messages) > 0; taken != (tt.fields == nil) || len(out.tenants) > 0 != taken {
			t.Errorf("%s: %d messages, tenants %q", tt.body, len(out.messages), out.tenants)
		}
	}
}

func TestACloudEventWithoutDataDoesNotFitASchema(t *testing.T) {
	h := (&outside{}).handler()
	h.Types = &registered{schemas: map[string]string{"order": `true`}}
	got := post(t, h, `{"specversion":"1.0","id":"1","source":"/a","type":"order"}`, "Content-Type", "application/cloudevents+json")
	if got.status != 422 || !slices.Equal(got.fields(), []string{"data"}) {
		t.Errorf("= %d %s", got.status, got.body)
	}
}

func TestAllTypesOfARequestAreReadAtOnce(t *testing.T) {
	types := &registered{}
	h := (&outside{}).handler()
	h.Types = types
	post(t, h, `[{"type":"a","data":1},{"type":"b","data":1},{"type":"a","data":1}]`)
	if diff := cmp.Diff([][]string{{"a", "b"}}, types.asked); diff != "" {
		t.Errorf("reads (-want +got):\n%s", diff)
	}
	types.err = errors.New("injected")
	if got := post(t, h, `{"type":"a","data":1}`); got.status != 503 || got.header.Get("Retry-After") == "" {
		t.Errorf("without the types = %d %s", got.status, got.body)
	}
}

func TestARequestThatTakesTooLongToCheckIsRefused(t *testing.T) {
	h := (&outside{}).handler()
	h.Types = &registered{schemas: map[string]string{"tree": `{"allOf":[{"additionalProperties":{"$ref":"#"}},{"additionalProperties":{"$ref":"#"}}]}`}}
	deep := strings.Repeat(`{"a":`, 60) + "1" + strings.Repeat("}", 60)
	got := post(t, h, `[{"type":"tree","data":{"a":1}},{"type":"tree","data":`+deep+`}]`)
	if got.status != 422 || !slices.Equal(got.fields(), []string{"[1].data"}) {
		t.Errorf("= %d %s", got.status, got.body)
	}
}

func TestOneRequestCompilesSoManySchemasAndNoMore(t *testing.T) {
	types := &registered{schemas: map[string]string{}}
	var events []string
	for i := range 60 {
		typ := "t" + strconv.Itoa(i)
		types.schemas[typ] = `{"title":"` + typ + `","allOf":[` + strings.TrimSuffix(strings.Repeat("{},", 1990), ",") + `]}`
		events = append(events, `{"type":"`+typ+`","data":{}}`)
	}
	synctest.Test(t, func(t *testing.T) { // where no deadline passes, however slow the machine is
		h := (&outside{}).handler()
		h.Types = types
		got := post(t, h, "["+strings.Join(events, ",")+"]")
		if fields := got.fields(); got.status != 422 || len(fields) != 1 || !strings.Contains(string(got.body), "fewer types at once") {
			t.Errorf("60 events of 60 types with large schemas = %d %.300s, want 422 at one event, with the cure", got.status, got.body)
		}
		if got := post(t, h, events[0]); got.status != 202 {
			t.Errorf("one of them alone = %d %.300s, want 202", got.status, got.body)
		}
	})
}

func TestAStrictInstallationTakesOnlyTypesThatAreRegistered(t *testing.T) {
	for _, tt := range []struct {
		strict bool
		body   string
		fields []string
	}{
		{true, `{"type":"order","data":1}`, nil},
		{true, `{"type":"ordr","data":1}`, []string{"type"}},
		{true, `[{"type":"order","data":1},{"type":"ordr","data":1}]`, []string{"[1].type"}},
		{false, `{"type":"ordr","data":1}`, nil},
	} {
		var o outside
		h := o.handler()
		h.Types, h.Strict = &registered{schemas: map[string]string{"order": `true`}}, tt.strict
		got := post(t, h, tt.body)
		if !slices.Equal(got.fields(), tt.fields) || (got.status == 202) != (tt.fields == nil) {
			t.Errorf("strict %v: %s = %d %s, want faults in %v", tt.strict, tt.body, got.status, got.body, tt.fields)
		}
		if meant := strings.Contains(string(got.body), `did you mean \"order\"?`); meant != (tt.fields != nil) {
			t.Errorf("strict %v: %s = %s, want the type that was meant: %v", tt.strict, tt.body, got.body, tt.fields != nil)
		}
	}
}
