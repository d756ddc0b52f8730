package storetest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/postino/postino/shared/store/noun"
	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// TestEveryMethodPassesItsHooks calls all methods of a faulty store without
// a store behind it: each must fail by its hook, under its own name. Those of
// nouns fail by their table.
func TestEveryMethodPassesItsHooks(t *testing.T) {
	fault, called := errors.New("fault"), ""
	store := Faulty(nil, func(method string) error { called = method; return fault }, nil)
	methods, nouns := reflect.TypeFor[Store](), reflect.TypeFor[*noun.Nouns]()
	for i := range methods.NumMethod() {
		name := methods.Method(i).Name
		if _, is := nouns.MethodByName(name); is {
			continue
		}
		method := reflect.ValueOf(store).MethodByName(name)
		args := []reflect.Value{reflect.ValueOf(t.Context())}
		for k := 1; k < method.Type().NumIn(); k++ {
			arg := reflect.Zero(method.Type().In(k))
			if arg.Kind() == reflect.Slice && !method.Type().IsVariadic() {
				arg = reflect.MakeSlice(arg.Type(), 1, 1)
			}
			args = append(args, arg)
		}
		call := method.Call
		if method.Type().IsVariadic() {
			call = method.CallSlice
		}
		results := call(args)
		err, _ := results[len(results)-1].Interface().(error)
		if errs, of := results[0].Interface().([]error); of {
			err = errors.Join(errs...)
		}
		if called != name || !errors.Is(err, fault) {
			t.Errorf("%s called the hook for %q and returned %v", name, called, err)
		}
	}
}

// tenants is a store that only knows EnsureTenant.
type tenants struct {
	Store
	known []string
}

func (s *tenants) EnsureTenant(_ context.Context, tenant string) (bool, error) {
	s.known = append(s.known, tenant)
	return true, nil
}

func TestAFaultAfterTheCallLeavesItsWork(t *testing.T) {
	store, fault := &tenants{}, errors.New("fault")
	after := Faulty(store, nil, func(string) error { return fault })
	if _, err := after.EnsureTenant(t.Context(), "a"); !errors.Is(err, fault) {
		t.Errorf("error = %v, want %v", err, fault)
	}
	before := Faulty(store, func(string) error { return fault }, nil)
	if _, err := before.EnsureTenant(t.Context(), "b"); !errors.Is(err, fault) {
		t.Errorf("error = %v, want %v", err, fault)
	}
	if _, err := Faulty(store, nil, nil).EnsureTenant(t.Context(), "c"); err != nil {
		t.Error(err)
	}
	if len(store.known) != 2 || store.known[0] != "a" || store.known[1] != "c" {
		t.Errorf("tenants = %q, want a and c", store.known)
	}
}

// kept is a store that has nouns alone.
type kept struct {
	*noun.Nouns
	noStore
}

type noStore struct{ Store }

func (kept) EnsureTenant(context.Context, string) (bool, error) { return false, nil }

func TestANounFailsByWhatItAsksOfItsTable(t *testing.T) {
	fault, called := errors.New("fault"), []string(nil)
	store := Faulty(kept{Nouns: noun.In(&table.Memory{})}, func(verb string) error {
		if called = append(called, verb); verb == "Update" {
			return fault
		}
		return nil
	}, nil)
	if _, err := store.LowWater(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := store.AddTally(t.Context(), webhook.SubscriptionRef{Tenant: "acme", ID: "s"}, start, webhook.Tally{Attempts: 1}); !errors.Is(err, fault) {
		t.Errorf("error = %v, want %v", err, fault)
	}
	if want := []string{"Get", "Update"}; !slices.Equal(called, want) {
		t.Errorf("the table was asked to %q, want %q", called, want)
	}
}
