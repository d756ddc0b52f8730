package noun

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/postino/postino/shared/language/weighed"
	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/store/table/tabletest"
	"github.com/postino/postino/shared/webhook"
)

// alone is the nouns of a process that alone writes, with a count of what it reads
// and, if that is not nil, something done after each call of the table.
func alone(reads *int, after func(verb string) error) *Nouns {
	n := In(tabletest.Faulty(&table.Memory{}, func(verb string) error {
		if verb == "Get" {
			*reads++
		}
		return nil
	}, after))
	n.Alone()
	return n
}

// schemaOf returns the schema of the type "t"; "" if it is not registered.
func schemaOf(t *testing.T, n *Nouns) string {
	t.Helper()
	found, err := n.EventTypes(t.Context(), "acme", []string{"t"})
	if err != nil {
		t.Fatal(err)
	}
	return string(found["t"].Schema)
}

func TestWhoIsAloneReadsATypeOnceAndKnowsEachChange(t *testing.T) {
	reads := 0
	n := alone(&reads, nil)
	register := func(schema string) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			_, err := n.PutEventType(ctx, webhook.EventType{Tenant: "acme", Type: "t", Schema: []byte(schema)})
			return err
		}
	}
	for _, tt := range []struct {
		change string
		does   func(ctx context.Context) error
		want   string
	}{
		{"nothing", func(context.Context) error { return nil }, ""},
		{"a type is registered", register("1"), "1"},
		{"its schema changes", register("2"), "2"},
		{"it is removed", func(ctx context.Context) error { return n.DeleteEventType(ctx, "acme", "t") }, ""},
		{"it is registered again", register("3"), "3"},
		{"its tenant is purged", func(ctx context.Context) error { _, err := n.Purge(ctx, "acme", 10); return err }, ""},
	} {
		if err := tt.does(t.Context()); err != nil {
			t.Fatal(err)
		}
		reads = 0
		for range 3 {
			if got := schemaOf(t, n); got != tt.want {
				t.Errorf("after %s, the schema is %q, want %q", tt.change, got, tt.want)
			}
		}
		if reads != 1 {
			t.Errorf("after %s, three publishes read the type %d times, want once", tt.change, reads)
		}
	}
}

// A type that is being read while it is registered is not remembered as it was,
// nor after a change that failed and may have been carried out.
func TestATypeThatIsReadWhileItIsRegisteredIsNotRemembered(t *testing.T) {
	reads, racing, lost := 0, false, false
	var n *Nouns
	put := func() error {
		_, err := n.PutEventType(context.Background(), webhook.EventType{Tenant: "acme", Type: "t", Schema: []byte("new")})
		return err
	}
	n = alone(&reads, func(verb string) error {
		if verb == "Get" && racing { // after the read, before its answer is here
			racing = false
			return put()
		}
		if verb == "Put" && lost {
			return errors.New("the answer is lost")
		}
		return nil
	})
	racing = true
	if got := schemaOf(t, n); got != "" {
		t.Fatalf("the read that was first found %q", got)
	}
	if got := schemaOf(t, n); got != "new" {
		t.Errorf("the schema that was registered meanwhile is %q, want new", got)
	}
	if err := n.DeleteEventType(t.Context(), "acme", "t"); err != nil || schemaOf(t, n) != "" {
		t.Fatal(err)
	}
	lost = true
	if err := put(); err == nil {
		t.Fatal("the answer was not lost")
	}
	if got := schemaOf(t, n); got != "new" {
		t.Errorf("after a change whose answer was lost, the schema is %q, want new", got)
	}
}

func TestATenantPushesOutItsOwnTypesFirst(t *testing.T) {
	reads := 0
	n := alone(&reads, nil)
	use := func(tenant, typ string) {
		t.Helper()
		if _, err := n.EventTypes(t.Context(), tenant, []string{typ}); err != nil {
			t.Fatal(err)
		}
	}
	use("quiet", "t")
	for i := range 2 * maxRecentTypes / weighed.Overhead { // none is registered
		use("greedy", fmt.Sprint(i))
	}
	reads = 0
	if use("quiet", "t"); reads != 0 {
		t.Error("the quiet tenant's type was read again")
	}
	if weight := n.types.types.Weight(); weight > maxRecentTypes {
		t.Errorf("the types that are remembered weigh %d, want at most %d", weight, maxRecentTypes)
	}
}

func TestWhoIsNotAloneReadsATypeForEachPublish(t *testing.T) {
	memory := &table.Memory{}
	here, elsewhere := In(memory), In(memory)
	if got := schemaOf(t, here); got != "" {
		t.Fatal(got)
	}
	if _, err := elsewhere.PutEventType(t.Context(), webhook.EventType{Tenant: "acme", Type: "t", Schema: []byte("1")}); err != nil {
		t.Fatal(err)
	}
	if got := schemaOf(t, here); got != "1" {
		t.Errorf("the schema that another process registered is %q, want 1", got)
	}
}
