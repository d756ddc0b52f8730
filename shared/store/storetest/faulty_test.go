package storetest

import (
	"context"
	"errors"
	"reflect"
	"testing"
)

// TestEveryMethodPassesItsHooks calls all methods of a faulty store without
// a store behind it: each must fail by its hook, under its own name.
func TestEveryMethodPassesItsHooks(t *testing.T) {
	fault, called := errors.New("fault"), ""
	store := Faulty(nil, func(method string) error { called = method; return fault }, nil)
	methods := reflect.TypeFor[Store]()
	for i := range methods.NumMethod() {
		name := methods.Method(i).Name
		method := reflect.ValueOf(store).MethodByName(name)
		args := []reflect.Value{reflect.ValueOf(t.Context())}
		for k := 1; k < method.Type().NumIn(); k++ {
			args = append(args, reflect.Zero(method.Type().In(k)))
		}
		results := method.Call(args)
		err, _ := results[len(results)-1].Interface().(error)
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

func (s *tenants) EnsureTenant(_ context.Context, tenant string) error {
	s.known = append(s.known, tenant)
	return nil
}

func TestAFaultAfterTheCallLeavesItsWork(t *testing.T) {
	store, fault := &tenants{}, errors.New("fault")
	after := Faulty(store, nil, func(string) error { return fault })
	if err := after.EnsureTenant(t.Context(), "a"); !errors.Is(err, fault) {
		t.Errorf("error = %v, want %v", err, fault)
	}
	before := Faulty(store, func(string) error { return fault }, nil)
	if err := before.EnsureTenant(t.Context(), "b"); !errors.Is(err, fault) {
		t.Errorf("error = %v, want %v", err, fault)
	}
	if err := Faulty(store, nil, nil).EnsureTenant(t.Context(), "c"); err != nil {
		t.Error(err)
	}
	if len(store.known) != 2 || store.known[0] != "a" || store.known[1] != "c" {
		t.Errorf("tenants = %q, want a and c", store.known)
	}
}
