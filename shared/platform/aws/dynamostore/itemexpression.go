package dynamostore

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/postino/postino/shared/store/table"
)

// expression collects the names and values that the expressions of one call
// use: every name has a placeholder, since it might be one of DynamoDB's own words.
type expression struct {
	names  map[string]string
	values item
}

func (e *expression) name(of string) string {
	if e.names == nil {
		e.names = map[string]string{}
	}
	placeholder := "#" + strconv.Itoa(len(e.names))
	e.names[placeholder] = of
	return placeholder
}

func (e *expression) value(v types.AttributeValue) string {
	if e.values == nil {
		e.values = item{}
	}
	placeholder := ":" + strconv.Itoa(len(e.values))
	e.values[placeholder] = v
	return placeholder
}

// condition writes a condition; nil if it always holds.
func (e *expression) condition(c table.Condition) *string {
	if len(c) == 0 {
		return nil
	}
	alternatives := make([]string, len(c))
	for i, all := range c {
		tests := make([]string, len(all))
		for k, t := range all {
			tests[k] = e.test(t)
		}
		alternatives[i] = "(" + strings.Join(tests, " AND ") + ")"
	}
	written := strings.Join(alternatives, " OR ")
	return &written
}

// comparisons are how DynamoDB writes a test with a value.
var comparisons = map[table.Op]string{table.OpEqual: " = ", table.OpAtMost: " <= ", table.OpGreater: " > "}

func (e *expression) test(t table.Test) string {
	switch t.Op {
	case table.OpNoItem:
		return "attribute_not_exists(pk)"
	case table.OpItem:
		return "attribute_exists(pk)"
	case table.OpAbsent:
		return "attribute_not_exists(" + e.name(t.Field) + ")"
	}
	v, _ := stored(t.Value)
	return e.name(t.Field) + comparisons[t.Op] + e.value(v)
}

// update writes a change.
func (e *expression) update(c table.Change) *string {
	var sets, removes, adds []string
	set := written(table.Item{Fields: c.Set, Expires: c.Expires})
	for name, v := range e.own(set) {
		sets = append(sets, e.name(name)+" = "+e.value(v))
	}
	for name, v := range e.own(written(table.Item{Fields: c.Default})) {
		n := e.name(name)
		sets = append(sets, n+" = if_not_exists("+n+", "+e.value(v)+")")
	}
	for name, v := range c.Set {
		if _, has := set[attributeName(name, v)]; !has {
			removes = append(removes, e.name(attributeName(name, v)))
		}
	}
	for i, unlisted := range c.Unlist {
		if unlisted {
			removes = append(removes, e.name(indexAttributes[i][0]), e.name(indexAttributes[i][1]))
		}
	}
	for name, n := range c.Add {
		adds = append(adds, e.name(name)+" "+e.value(number(n)))
	}
	var clauses []string
	for _, clause := range []struct {
		word  string
		parts []string
	}{{"SET ", sets}, {"REMOVE ", removes}, {"ADD ", adds}} {
		if len(clause.parts) > 0 {
			clauses = append(clauses, clause.word+strings.Join(clause.parts, ", "))
		}
	}
	if len(clauses) == 0 {
		return nil
	}
	update := strings.Join(clauses, " ")
	return &update
}

// own leaves out the keys.
func (e *expression) own(it item) item {
	maps.DeleteFunc(it, func(name string, _ types.AttributeValue) bool { return slices.Contains(keyAttributes, name) })
	return it
}
