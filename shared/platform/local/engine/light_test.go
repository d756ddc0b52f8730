package engine

import (
	"reflect"
	"strings"
	"testing"
)

// Each package that reaches a type of Pebble's compiles its generic code anew, for
// about a second of the first build. Eight packages import this one.
func TestWhoImportsTheEngineCompilesNothingOfPebble(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var reach func(typ reflect.Type, by string)
	reach = func(typ reflect.Type, by string) {
		if seen[typ] {
			return
		}
		seen[typ] = true
		if strings.HasPrefix(typ.PkgPath(), "github.com/cockroachdb/") {
			t.Errorf("%s is of type %v, want no type of Pebble: hide it behind an interface of package tables", by, typ)
			return
		}
		for _, part := range parts(typ) {
			reach(part, by+" > "+part.String())
		}
	}
	reach(reflect.TypeFor[*DB](), "DB")
}

// parts are the types that a type is made of, with those of its methods.
func parts(typ reflect.Type) (all []reflect.Type) {
	switch typ.Kind() {
	case reflect.Map:
		all = append(all, typ.Key(), typ.Elem())
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Chan:
		all = append(all, typ.Elem())
	case reflect.Struct:
		for i := range typ.NumField() {
			all = append(all, typ.Field(i).Type)
		}
	case reflect.Func:
		for i := range typ.NumIn() {
			all = append(all, typ.In(i))
		}
		for i := range typ.NumOut() {
			all = append(all, typ.Out(i))
		}
	}
	for i := range typ.NumMethod() {
		all = append(all, typ.Method(i).Type)
	}
	return all
}
