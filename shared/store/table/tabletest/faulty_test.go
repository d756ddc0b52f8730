package tabletest_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/store/table/tabletest"
)

// TestEveryVerbPassesItsHooks calls all methods of a faulty table without a
// table behind it: each must fail by its hook, under its own name.
func TestEveryVerbPassesItsHooks(t *testing.T) {
	fault, called := errors.New("fault"), ""
	faulty := tabletest.Faulty(nil, func(verb string) error { called = verb; return fault }, nil)
	verbs := reflect.TypeFor[table.Table]()
	if n := verbs.NumMethod(); n > 12 {
		t.Errorf("the contract has %d methods, want at most 12", n)
	}
	for i := range verbs.NumMethod() {
		name := verbs.Method(i).Name
		method := reflect.ValueOf(faulty).MethodByName(name)
		args := []reflect.Value{reflect.ValueOf(t.Context())}
		for k := 1; k < method.Type().NumIn() && !(method.Type().IsVariadic() && k == method.Type().NumIn()-1); k++ {
			args = append(args, reflect.Zero(method.Type().In(k)))
		}
		results := method.Call(args)
		err, _ := results[len(results)-1].Interface().(error)
		if called != name || !errors.Is(err, fault) {
			t.Errorf("%s called the hook for %q and returned %v", name, called, err)
		}
	}
}

func TestAFaultAfterACallLeavesItsWork(t *testing.T) {
	memory, fault := &table.Memory{}, errors.New("fault")
	fail := func(string) error { return fault }
	for sort, faulty := range map[string]table.Table{"after": tabletest.Faulty(memory, nil, fail), "before": tabletest.Faulty(memory, fail, nil)} {
		it := table.Item{Key: table.Key{Partition: "p", Sort: sort}}
		if _, _, err := faulty.Put(t.Context(), it, table.How{}); !errors.Is(err, fault) {
			t.Errorf("%s: error = %v, want the fault", sort, err)
		}
	}
	if n, err := memory.Count(t.Context(), table.Range{Partition: "p", From: "after", To: "after"}, 9); n != 1 || err != nil {
		t.Errorf("a put with a lost answer stored %d items, %v, want 1", n, err)
	}
	if n, err := memory.Count(t.Context(), table.Range{Partition: "p"}, 9); n != 1 || err != nil {
		t.Errorf("%d items are stored, %v, want 1: the other put was not carried out", n, err)
	}
}
